// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions of autonuma, see policy.h. No kernel call, no recursion, no
 * floating point, nothing on the stack that grows with the machine: every
 * array lives in the scratch memory that the caller brings.
 *
 * Overflow: a load is at most 2^10 (1024), a mean distance at most 2^18 (255
 * in 1/1024), so a task costs less than 2^28 and 100,000 of them less than
 * 2^45. Sums of faults are below 2^32 per entry times 255 times 1024, 2^50.
 */
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif
#include "policy.h"

#define BITS_PER_WORD	(8 * sizeof(unsigned long))

/* Nodes remembered for a task, the cheapest first: exact up to 16 nodes. */
#define CHOICES		16
/* Partners looked at per node: bounds a search where nodes hold thousands. */
#define PARTNERS	64
/* Starting points tried for a home of several nodes, the cheapest first. */
#define SEEDS		8
/* Rounds of improving homes per call: two do in practice, the rest waits. */
#define HOME_ROUNDS	8
/* Lifts signed differences of costs (below 2^28) into an unsigned key. */
#define KEY_ZERO	0x100000000ULL

/*
 * Evidence of sharing: a process gets home nodes when at least 1/4 of its
 * faults are on pages of several threads, and loses them below 1/8.
 */
#define SHARED_GAIN	4
#define SHARED_KEEP	8

/* What is known of a task for the length of one call. */
struct task_sum {
	u64 faults;		/* private and shared, all nodes */
	u64 shared;
	u64 leave;		/* best gain of leaving, plus KEY_ZERO */
	u32 next, prev;		/* list of the tasks on a node */
};

/* One choice of a task: a node and the mean distance from there, in 1/1024. */
struct choice {
	u32 node;
	u32 mean;
};

/* What is known of a process for the length of one call. */
struct proc_sum {
	u64 faults;
	u64 shared;
	u64 pages;
	u64 demand;		/* CPU that its threads want, AN_LOAD_ONE each */
	u32 first, nr;		/* slice of by_proc: its tasks */
	u32 nr_home;		/* nodes in its home */
	u32 home;		/* lowest of them */
	u32 next, prev;		/* list of the single-node homes on a node */
	bool gathers;		/* has evidence of sharing */
	bool fresh;		/* had no home before: no hysteresis */
	bool placed;
};

struct node_sum {
	u64 load;		/* other_load and the tasks on it */
	u64 bound;		/* load a step may bring it to */
	u64 fair;		/* its capacity, times the overcommit */
	u64 claim;		/* demand of homes and others, of fair */
	u64 usable;		/* what the process in hand could claim */
	u64 cost;		/* of a home here, for the process in hand */
	u64 near;		/* summed distance to the set in hand */
	u64 part;		/* of the process in hand, in its home */
	u32 head, tail;		/* list of tasks, or of homes */
	u32 pages;		/* of the process in hand */
	u32 to_home;		/* home_distance() of the process in hand */
	bool in_set;
};

/* Binary heap of indices, the largest key on top, then the lowest index. */
struct heap {
	u32 *item;
	u64 *key;
	u32 len;
};

struct work {
	struct node_sum *node;
	struct task_sum *task;
	struct choice *choice;	/* CHOICES per task */
	struct proc_sum *proc;
	u32 *by_proc;		/* tasks, ordered by process */
	u32 *order;		/* processes, the largest demand first */
	unsigned long *set;	/* home being built */
	unsigned long *best;	/* best home so far */
	struct heap heap;
	u64 overcommit;		/* demand of all over capacity, 1/1024, 1+ */
};

static const char * const reason_names[AN_R_NR] = {
	[AN_R_NONE] = "none",
	[AN_R_LOCAL] = "local",
	[AN_R_FIRST_FAULT] = "first_fault",
	[AN_R_CONTRARY] = "contrary",
	[AN_R_SHARED_HOME] = "shared_home",
	[AN_R_AWAY_FROM_HOME] = "away_from_home",
	[AN_R_NOT_ALLOWED] = "not_allowed",
	[AN_R_FOLLOW] = "follow",
	[AN_R_FOLLOW_HOME] = "follow_home",
	[AN_R_NO_EVIDENCE] = "no_evidence",
	[AN_R_AT_BEST] = "at_best",
	[AN_R_NO_ROOM] = "no_room",
	[AN_R_AFFINITY] = "affinity",
	[AN_R_COOLING] = "cooling",
	[AN_R_MOVE_IDLE] = "move_idle",
	[AN_R_SWAP] = "swap",
	[AN_R_MOVE_EVEN] = "move_even",
};

/**
 * an_reason_name - name of a reason, for traces
 * @reason: any value, also one out of range
 *
 * Context: any.
 * Return: a constant lower-case string, "unknown" when out of range.
 */
const char *an_reason_name(enum an_reason reason)
{
	if ((unsigned int)reason >= AN_R_NR)
		return "unknown";
	return reason_names[reason];
}

/**
 * an_policy_fault - what to do with the page of one hinting fault
 * @f: the fault
 *
 * A page follows on the second fault in a row from one node, so a wrong move
 * needs two accidents. A page that several threads use has no better node of
 * its own: it belongs on any home node of the process, on a core one if there
 * are such. What runs away from home pulls nothing shared, and nothing at all
 * from home: it is expected back.
 *
 * Context: any; looks at @f only.
 * Return: AN_R_FOLLOW or AN_R_FOLLOW_HOME to move the page to the CPU's node,
 * AN_R_LOCAL or AN_R_CONTRARY to cancel a queued move, else the reason to
 * leave things as they are.
 */
enum an_reason an_policy_fault(const struct an_fault *f)
{
	bool shared = !f->same_task || f->sharer;

	if (!f->allowed)
		return AN_R_NOT_ALLOWED;
	if (f->page_node == f->cpu_node)
		return AN_R_LOCAL;
	if (f->last_node == AN_NO_NODE)
		return AN_R_FIRST_FAULT;
	if (f->last_node != f->cpu_node)
		return AN_R_CONTRARY;
	if (!f->has_home)
		return AN_R_FOLLOW;
	if (!f->cpu_home && (shared || f->page_home))
		return AN_R_AWAY_FROM_HOME;
	if (!shared)
		return AN_R_FOLLOW;
	if (f->page_home && !f->core_pull)
		return AN_R_SHARED_HOME;
	return AN_R_FOLLOW_HOME;
}

/* Bitmaps of nodes */

static size_t map_words(u32 nr_nodes)
{
	return (nr_nodes + BITS_PER_WORD - 1) / BITS_PER_WORD;
}

static bool map_has(const unsigned long *map, u32 n)
{
	return map[n / BITS_PER_WORD] >> (n % BITS_PER_WORD) & 1;
}

static void map_add(unsigned long *map, u32 n)
{
	map[n / BITS_PER_WORD] |= 1UL << (n % BITS_PER_WORD);
}

static void map_clear(unsigned long *map, u32 nr_nodes)
{
	memset(map, 0, map_words(nr_nodes) * sizeof(*map));
}

static void map_copy(unsigned long *to, const unsigned long *from, u32 nr_nodes)
{
	memcpy(to, from, map_words(nr_nodes) * sizeof(*to));
}

/* The first node of the map that is @n or above, nr_nodes if there is none. */
static u32 map_next(const unsigned long *map, u32 nr_nodes, u32 n)
{
	while (n < nr_nodes) {
		unsigned long word = map[n / BITS_PER_WORD] >>
				     (n % BITS_PER_WORD);

		if (word) {
			n += __builtin_ctzl(word);
			return n < nr_nodes ? n : nr_nodes;
		}
		n = (n / BITS_PER_WORD + 1) * BITS_PER_WORD;
	}
	return nr_nodes;
}

/* Heap */

static bool heap_before(const struct heap *h, u32 a, u32 b)
{
	return h->key[a] != h->key[b] ? h->key[a] > h->key[b] : a < b;
}

static void heap_push(struct heap *h, u32 item, u64 key)
{
	u32 i = h->len++;

	h->key[item] = key;
	while (i && heap_before(h, item, h->item[(i - 1) / 2])) {
		h->item[i] = h->item[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->item[i] = item;
}

static u32 heap_pop(struct heap *h)
{
	u32 top = h->item[0];
	u32 last = h->item[--h->len];
	u32 i = 0;

	for (;;) {
		u32 child = 2 * i + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len &&
		    heap_before(h, h->item[child + 1], h->item[child]))
			child++;
		if (!heap_before(h, h->item[child], last))
			break;
		h->item[i] = h->item[child];
		i = child;
	}
	h->item[i] = last;
	return top;
}

/* Scratch */

static void *carve(const void *base, size_t *used, size_t nr, size_t size)
{
	/* An integer sum: the layout is also measured with no memory at all. */
	unsigned long at = (unsigned long)base + *used;

	*used += (nr * size + sizeof(u64) - 1) / sizeof(u64) * sizeof(u64);
	return (void *)at;
}

static size_t lay_out(struct work *w, const void *base,
		      u32 nr_nodes, u32 nr_tasks, u32 nr_procs)
{
	u32 nr_heap = nr_tasks > nr_procs ? nr_tasks : nr_procs;
	size_t nr_words = map_words(nr_nodes);
	size_t used = 0;

	carve(base, &used, 1, sizeof(struct work));
	w->node = carve(base, &used, nr_nodes, sizeof(*w->node));
	w->task = carve(base, &used, nr_tasks, sizeof(*w->task));
	w->choice = carve(base, &used, (size_t)nr_tasks * CHOICES,
			  sizeof(*w->choice));
	w->proc = carve(base, &used, nr_procs, sizeof(*w->proc));
	w->by_proc = carve(base, &used, nr_tasks, sizeof(*w->by_proc));
	w->order = carve(base, &used, nr_procs, sizeof(*w->order));
	w->set = carve(base, &used, nr_words, sizeof(*w->set));
	w->best = carve(base, &used, nr_words, sizeof(*w->best));
	w->heap.item = carve(base, &used, nr_heap, sizeof(*w->heap.item));
	w->heap.key = carve(base, &used, nr_heap, sizeof(*w->heap.key));
	return used;
}

/**
 * an_policy_scratch - memory that the other functions need
 * @nr_nodes: nodes of the snapshot
 * @nr_tasks: tasks of the snapshot
 * @nr_procs: processes of the snapshot
 *
 * Context: any.
 * Return: bytes for an_snapshot.scratch, to be aligned like a u64. The content
 * need not be set.
 */
size_t an_policy_scratch(u32 nr_nodes, u32 nr_tasks, u32 nr_procs)
{
	struct work w;

	return lay_out(&w, NULL, nr_nodes, nr_tasks, nr_procs);
}

/* Sums over the snapshot */

static u8 distance(const struct an_snapshot *s, u32 from, u32 to)
{
	return s->distance[(size_t)from * s->nr_nodes + to];
}

static bool allowed_on(const struct an_task *t, u32 n)
{
	return !t->allowed || map_has(t->allowed, n);
}

static void sum_task(const struct an_snapshot *s, struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	struct proc_sum *proc = &w->proc[task->proc];
	struct task_sum *sum = &w->task[t];
	u32 i;

	sum->faults = 0;
	sum->shared = 0;
	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		sum->shared += s->faults[i].shared;
		sum->faults += (u64)s->faults[i].private + s->faults[i].shared;
	}
	proc->faults += sum->faults;
	proc->shared += sum->shared;
	proc->nr++;
	w->node[task->node].load += task->load;
}

static void sum_home(const struct an_snapshot *s, struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];
	u32 n;

	proc->home = s->nr_nodes;
	for (n = map_next(s->procs[p].home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(s->procs[p].home, s->nr_nodes, n + 1)) {
		if (!proc->nr_home++)
			proc->home = n;
	}
}

/* Bucket sort of the tasks by process. */
static void sort_by_proc(const struct an_snapshot *s, struct work *w)
{
	u32 first = 0;
	u32 p, t;

	for (p = 0; p < s->nr_procs; p++) {
		w->proc[p].first = first;
		first += w->proc[p].nr;
		w->proc[p].nr = 0;
	}
	for (t = 0; t < s->nr_tasks; t++) {
		struct proc_sum *proc = &w->proc[s->tasks[t].proc];

		w->by_proc[proc->first + proc->nr++] = t;
	}
}

static struct work *sum_up(const struct an_snapshot *s)
{
	struct work *w = s->scratch;
	u32 i;

	lay_out(w, s->scratch, s->nr_nodes, s->nr_tasks, s->nr_procs);
	w->heap.len = 0;
	memset(w->node, 0, s->nr_nodes * sizeof(*w->node));
	memset(w->proc, 0, s->nr_procs * sizeof(*w->proc));
	for (i = 0; i < s->nr_nodes; i++)
		w->node[i].load = s->nodes[i].other_load;
	for (i = 0; i < s->nr_tasks; i++)
		sum_task(s, w, i);
	for (i = 0; i < s->nr_procs; i++)
		sum_home(s, w, i);
	sort_by_proc(s, w);
	return w;
}

/* What a task costs on a node */

/* Distance from @n to the nearest node of @set. */
static u32 set_distance(const struct an_snapshot *s, const unsigned long *set,
			u32 n)
{
	u32 best = ~0U;
	u32 m;

	if (map_has(set, n))
		return distance(s, n, n);
	for (m = map_next(set, s->nr_nodes, 0); m < s->nr_nodes;
	     m = map_next(set, s->nr_nodes, m + 1)) {
		if (distance(s, n, m) < best)
			best = distance(s, n, m);
	}
	return best;
}

/*
 * Mean distance from @n to the shared memory of @p, in 1/1024. Half of it counts
 * as being at the nearest home node, where it may come yet: that gathers threads
 * on the home nodes, equally good for all. The other half counts where it is, if
 * that is at home, where it stays: that favours the home nodes that hold most.
 * It is the process's memory that counts, not the faults of the thread: two
 * threads that share never gain by changing places.
 */
static u32 home_distance(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 n)
{
	const struct an_proc *in = &s->procs[p];
	u64 sum = 0, pages = 0;
	u32 nearest, i;

	if (w->proc[p].nr_home == 1)
		return distance(s, n, w->proc[p].home) * AN_SHARE_ONE;
	nearest = set_distance(s, in->home, n);
	for (i = in->pages; i < in->pages + in->nr_pages; i++) {
		const struct an_pages *at = &s->pages[i];
		u32 away = nearest;

		if (map_has(in->home, at->node))
			away = distance(s, n, at->node);
		sum += (u64)at->pages * (nearest + away);
		pages += 2 * (u64)at->pages;
	}
	return pages ? sum * AN_SHARE_ONE / pages : nearest * AN_SHARE_ONE;
}

static bool has_evidence(const struct an_snapshot *s, const struct work *w,
			 u32 t)
{
	return w->task[t].faults && w->task[t].faults >= s->min_faults;
}

/*
 * Accesses to shared memory, by @shared of @faults. A fault counts as shared if
 * the last one on the page was of another thread; when @nr threads take turns at
 * random, one shared access in @nr goes unnoticed.
 */
static u64 shared_part(u64 shared, u64 faults, u32 nr)
{
	u64 real = nr > 1 ? shared * nr / (nr - 1) : shared;

	return real < faults ? real : faults;
}

/*
 * Faults times distance from @n, of what is weighed where it is: everything
 * without home nodes, the private part with them.
 */
static u64 placed_faults(const struct an_snapshot *s,
			 const struct an_task *task, bool homed, u32 n)
{
	u64 sum = 0;
	u32 i;

	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		const struct an_faults *f = &s->faults[i];
		u64 weight = f->private;

		if (!homed)
			weight += f->shared;
		sum += weight * distance(s, n, f->node);
	}
	return sum;
}

/*
 * Mean distance of the accesses of a task with evidence, in a process with home
 * nodes. The private part counts half: that memory follows its thread, for
 * nobody else holds it, and must not keep the thread from the shared memory.
 */
static u64 homed_distance(const struct an_snapshot *s, const struct work *w,
			  u32 t, u32 n, u32 to_home)
{
	const struct an_task *task = &s->tasks[t];
	const struct task_sum *sum = &w->task[t];
	u64 shared = shared_part(sum->shared, sum->faults,
				 w->proc[task->proc].nr);
	u64 private = sum->faults - sum->shared;

	if (private)
		private = placed_faults(s, task, true, n) * AN_SHARE_ONE /
			  private;
	return (shared * to_home + (sum->faults - shared) * private / 2) /
	       sum->faults;
}

/*
 * Mean distance of the accesses of task @t if it ran on @n, in 1/1024, given
 * the home_distance() of its process. Without evidence of its own a task
 * shares like its process, and has no opinion on the rest.
 */
static u32 mean_distance(const struct an_snapshot *s, const struct work *w,
			 u32 t, u32 n, u32 to_home)
{
	const struct an_task *task = &s->tasks[t];
	const struct proc_sum *proc = &w->proc[task->proc];

	if (has_evidence(s, w, t)) {
		if (proc->nr_home)
			return homed_distance(s, w, t, n, to_home);
		return placed_faults(s, task, false, n) * AN_SHARE_ONE /
		       w->task[t].faults;
	}
	if (!proc->nr_home || !proc->faults)
		return 0;
	return shared_part(proc->shared, proc->faults, proc->nr) * to_home /
	       proc->faults;
}

/* The part of task @t in J, if it ran on @n. */
static u64 task_cost(const struct an_snapshot *s, const struct work *w,
		     u32 t, u32 n)
{
	const struct an_task *task = &s->tasks[t];
	u32 to_home = 0;

	if (w->proc[task->proc].nr_home)
		to_home = home_distance(s, w, task->proc, n);
	return (u64)task->load * mean_distance(s, w, t, n, to_home);
}

/**
 * an_policy_goal - J of the snapshot, see policy.h
 * @s: the snapshot, homes computed; its scratch is overwritten
 *
 * Context: any; linear in tasks and faults.
 * Return: J in load * 1/1024 of accesses * distance.
 */
u64 an_policy_goal(struct an_snapshot *s)
{
	struct work *w = sum_up(s);
	u64 goal = 0;
	u32 t;

	for (t = 0; t < s->nr_tasks; t++)
		goal += task_cost(s, w, t, s->tasks[t].node);
	return goal;
}

/* Lists of tasks per node */

static void list_start(struct work *w, u32 nr_nodes)
{
	u32 n;

	for (n = 0; n < nr_nodes; n++) {
		w->node[n].head = AN_NO_TASK;
		w->node[n].tail = AN_NO_TASK;
	}
}

static void task_list_add(struct work *w, u32 n, u32 t)
{
	struct node_sum *node = &w->node[n];

	w->task[t].prev = node->tail;
	w->task[t].next = AN_NO_TASK;
	if (node->tail == AN_NO_TASK)
		node->head = t;
	else
		w->task[node->tail].next = t;
	node->tail = t;
}

static void task_list_del(struct work *w, u32 n, u32 t)
{
	struct task_sum *task = &w->task[t];

	if (task->prev == AN_NO_TASK)
		w->node[n].head = task->next;
	else
		w->task[task->prev].next = task->next;
	if (task->next == AN_NO_TASK)
		w->node[n].tail = task->prev;
	else
		w->task[task->next].prev = task->prev;
}

/* Balance */

/*
 * Load that a node may be brought to. It may be filled to its CPUs however
 * idle the rest of the machine is: nobody waits then. Above that it may carry
 * imbalance_pct of the machine's mean, as the load balancer tolerates. The
 * slack on full CPUs is for noise: the same percentage, but less than half a
 * CPU, so that it never holds a task that would have to wait.
 */
static void set_bounds(const struct an_snapshot *s, struct work *w)
{
	u64 capacity = 0, load = 0;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		capacity += s->nodes[n].capacity;
		load += w->node[n].load;
	}
	for (n = 0; n < s->nr_nodes; n++) {
		u64 own = s->nodes[n].capacity;
		u64 slack = own * s->imbalance_pct / 100 - own;
		u64 mean = 0;

		if (slack > AN_LOAD_ONE / 2)
			slack = AN_LOAD_ONE / 2;
		if (capacity)
			mean = own * load / capacity * s->imbalance_pct / 100;
		w->node[n].bound = own + slack > mean ? own + slack : mean;
	}
}

/* Keeps the CHOICES cheapest nodes of a task in order, the cheapest first. */
static void choice_insert(struct choice *list, u32 *nr, u32 n, u32 mean)
{
	u32 i;

	if (*nr == CHOICES && mean >= list[CHOICES - 1].mean)
		return;
	if (*nr < CHOICES)
		++*nr;
	for (i = *nr - 1; i && list[i - 1].mean > mean; i--)
		list[i] = list[i - 1];
	list[i].node = n;
	list[i].mean = mean;
}

/*
 * The nodes that suit a task best; they depend on its statistics only, not on
 * where anything runs. The search starts at another node for each task, so
 * that not all go for the same ones where many are equally good.
 */
static void choose_nodes(const struct an_snapshot *s, struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	struct choice *list = &w->choice[(size_t)t * CHOICES];
	u32 nr = 0;
	u32 i;

	for (i = 0; i < s->nr_nodes; i++) {
		u32 n = (t + i) % s->nr_nodes;

		if (!s->nodes[n].capacity || !allowed_on(task, n))
			continue;
		choice_insert(list, &nr, n,
			      mean_distance(s, w, t, n, w->node[n].to_home));
	}
	if (nr < CHOICES)
		list[nr].node = s->nr_nodes;
}

static void choose_all_nodes(const struct an_snapshot *s, struct work *w)
{
	u32 p, i, n;

	for (p = 0; p < s->nr_procs; p++) {
		const struct proc_sum *proc = &w->proc[p];

		for (n = 0; proc->nr_home && n < s->nr_nodes; n++)
			w->node[n].to_home = home_distance(s, w, p, n);
		for (i = proc->first; i < proc->first + proc->nr; i++)
			choose_nodes(s, w, w->by_proc[i]);
	}
}

/* Cost now, less the cost on the best other node, plus KEY_ZERO; 0: none. */
static u64 leave_key(const struct an_snapshot *s, const struct work *w, u32 t)
{
	const struct choice *list = &w->choice[(size_t)t * CHOICES];
	const struct an_task *task = &s->tasks[t];
	u32 i;

	for (i = 0; i < CHOICES && list[i].node < s->nr_nodes; i++) {
		if (list[i].node == task->node)
			continue;
		return KEY_ZERO + task_cost(s, w, t, task->node) -
		       (u64)task->load * list[i].mean;
	}
	return 0;
}

/* Lists the movable tasks of each node, the most willing to leave first. */
static void list_tasks(const struct an_snapshot *s, struct work *w)
{
	u32 t;

	list_start(w, s->nr_nodes);
	w->heap.len = 0;
	for (t = 0; t < s->nr_tasks; t++) {
		w->task[t].leave = leave_key(s, w, t);
		if (w->task[t].leave && !s->tasks[t].fixed)
			heap_push(&w->heap, t, w->task[t].leave);
	}
	while (w->heap.len) {
		t = heap_pop(&w->heap);
		task_list_add(w, s->tasks[t].node, t);
	}
}

/* Makes @t wait for its turn to look for a better node, if there is one. */
static void await_turn(struct work *w, u32 t)
{
	if (w->task[t].leave > KEY_ZERO)
		heap_push(&w->heap, t, w->task[t].leave - KEY_ZERO);
}

static bool worth_it(const struct an_snapshot *s, u64 gain, u64 present)
{
	return gain && gain * 1024 >= present * s->min_gain;
}

/* Whether @n may change from its load by @out less and @in more. */
static bool load_fits(const struct work *w, u32 n, u32 in, u32 out)
{
	const struct node_sum *node = &w->node[n];
	u64 after = node->load - out + in;

	return after <= node->bound || after <= node->load;
}

/*
 * Whether @load may leave @from for @to, where no CPU is idle either: only if
 * @to stays, per CPU, less crowded than @from was, by half of it at least.
 */
static bool evens_out(const struct an_snapshot *s, const struct work *w,
		      u32 from, u32 to, u32 load)
{
	u64 here = s->nodes[from].capacity, there = s->nodes[to].capacity;

	return !s->nodes[from].idle_cpus &&
	       (w->node[to].load + load) * here <=
	       (w->node[from].load - load / 2) * there;
}

static void try_move(const struct an_snapshot *s, const struct work *w,
		     struct an_step *best, u32 to, u64 present, u64 gain)
{
	u32 load = s->tasks[best->task].load;
	bool idle = s->nodes[to].idle_cpus;

	if (gain <= best->gain || !worth_it(s, gain, present) ||
	    !load_fits(w, to, load, 0))
		return;
	if (!idle && !evens_out(s, w, best->from, to, load))
		return;
	best->to = to;
	best->other = AN_NO_TASK;
	best->gain = gain;
	best->reason = idle ? AN_R_MOVE_IDLE : AN_R_MOVE_EVEN;
}

static void try_swap(const struct an_snapshot *s, const struct work *w,
		     struct an_step *best, u32 to, u32 other,
		     u64 present, u64 gain)
{
	u32 from = best->from;
	u32 in = s->tasks[best->task].load;
	u32 out = s->tasks[other].load;
	u64 before = task_cost(s, w, other, to);
	u64 after = task_cost(s, w, other, from);

	if (gain + before <= best->gain + after)
		return;
	gain = gain + before - after;
	if (!worth_it(s, gain, present + before) ||
	    !load_fits(w, to, in, out) || !load_fits(w, from, out, in))
		return;
	best->to = to;
	best->other = other;
	best->gain = gain;
	best->reason = AN_R_SWAP;
}

/* Tries the tasks on @to as partners, unless they cannot beat @best. */
static void try_partners(const struct an_snapshot *s, const struct work *w,
			 struct an_step *best, u32 to, u64 present, u64 gain)
{
	u32 tried = 0;
	u32 other;

	if (!s->nodes[best->from].capacity)
		return;
	for (other = w->node[to].head; other != AN_NO_TASK && tried < PARTNERS;
	     other = w->task[other].next) {
		if (gain + w->task[other].leave <= best->gain + KEY_ZERO ||
		    !allowed_on(&s->tasks[other], best->from))
			continue;
		try_swap(s, w, best, to, other, present, gain);
		tried++;
	}
}

/* The best step of task @t as things stand; its gain is 0 if there is none. */
static struct an_step best_step(const struct an_snapshot *s,
				const struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	const struct choice *list = &w->choice[(size_t)t * CHOICES];
	u64 present = task_cost(s, w, t, task->node);
	struct an_step best = { .task = t, .from = task->node };
	u32 i;

	for (i = 0; i < CHOICES && list[i].node < s->nr_nodes; i++) {
		u64 cost = (u64)task->load * list[i].mean;

		if (cost >= present)
			break;
		try_move(s, w, &best, list[i].node, present, present - cost);
		try_partners(s, w, &best, list[i].node, present,
			     present - cost);
	}
	return best;
}

static void put_task(struct an_snapshot *s, struct work *w, u32 t, u32 to)
{
	struct an_task *task = &s->tasks[t];

	task_list_del(w, task->node, t);
	w->node[task->node].load -= task->load;
	task->node = to;
	w->node[to].load += task->load;
	task_list_add(w, to, t);
	w->task[t].leave = leave_key(s, w, t);
}

/* A CPU falls idle where a task leaves, unless others wait for it. */
static void account_idle(struct an_snapshot *s, const struct work *w,
			 u32 from, u32 to)
{
	struct an_node *node = &s->nodes[from];
	u64 idle = (u64)(node->idle_cpus + 1) * AN_LOAD_ONE;

	if (w->node[from].load + idle <= (u64)node->capacity + AN_LOAD_ONE / 2)
		node->idle_cpus++;
	if (s->nodes[to].idle_cpus)
		s->nodes[to].idle_cpus--;
}

static void carry_out(struct an_snapshot *s, struct work *w,
		      const struct an_step *step)
{
	put_task(s, w, step->task, step->to);
	if (step->other == AN_NO_TASK) {
		account_idle(s, w, step->from, step->to);
		return;
	}
	put_task(s, w, step->other, step->from);
}

/*
 * One round: the task that promises most goes first, and goes if nobody else
 * promises more than it can really get.
 */
static u32 balance_round(struct an_snapshot *s, struct work *w,
			 struct an_step *steps, u32 max_steps)
{
	struct heap *h = &w->heap;
	u32 nr = 0;
	u32 t;

	list_tasks(s, w);
	for (t = 0; t < s->nr_tasks; t++) {
		if (!s->tasks[t].fixed)
			await_turn(w, t);
	}
	while (h->len && nr < max_steps) {
		struct an_step step;

		t = heap_pop(h);
		step = best_step(s, w, t);
		if (!step.gain)
			continue;
		if (h->len && step.gain < h->key[h->item[0]]) {
			heap_push(h, t, step.gain);
			continue;
		}
		carry_out(s, w, &step);
		await_turn(w, t);
		steps[nr++] = step;
	}
	return nr;
}

/**
 * an_policy_balance - find the moves and swaps that lower J
 * @s: the snapshot, homes computed. The steps are carried out in it: the node
 *	of the tasks and the idle CPUs of the nodes change
 * @steps: filled in, room for @s->max_steps
 *
 * Every step lowers J, and the sum of its tasks' parts in J by @s->min_gain of
 * 1024. It respects affinity and @fixed, and brings no node's load above its
 * bound (see set_bounds()) unless it lowers that load; a move takes an idle
 * CPU, or leaves a more crowded node (see evens_out()). J falls strictly and
 * assignments are finite, so this ends; called again on the result it finds
 * nothing, unless @s->max_steps cut it short.
 *
 * Context: any; for n tasks and z faults O(n log n + nodes * z), and a bounded
 * search for partners per task. The scratch is left for an_policy_why_not().
 * Return: number of steps, to be carried out in this order.
 */
u32 an_policy_balance(struct an_snapshot *s, struct an_step *steps)
{
	struct work *w = sum_up(s);
	u32 nr = 0;
	u32 more;

	set_bounds(s, w);
	choose_all_nodes(s, w);
	do {
		more = balance_round(s, w, steps + nr, s->max_steps - nr);
		nr += more;
	} while (more && nr < s->max_steps);
	return nr;
}

/* The node with CPUs where @t costs least, allowed or not. */
static u32 best_node(const struct an_snapshot *s, const struct work *w, u32 t)
{
	u32 best = s->tasks[t].node;
	u64 least = task_cost(s, w, t, best);
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		u64 cost;

		if (!s->nodes[n].capacity)
			continue;
		cost = task_cost(s, w, t, n);
		if (cost < least) {
			least = cost;
			best = n;
		}
	}
	return best;
}

/**
 * an_policy_why_not - why a task stays where it is
 * @s: the snapshot, after an_policy_balance() or an_policy_goal(), whose
 *	scratch is read
 * @task: index of the task
 * @best: set to the node that suits it best, allowed and free or not
 *
 * Context: any; linear in nodes.
 * Return: AN_R_NO_EVIDENCE, AN_R_AT_BEST, AN_R_COOLING, AN_R_AFFINITY or
 * AN_R_NO_ROOM, the first that holds.
 */
enum an_reason an_policy_why_not(struct an_snapshot *s, u32 task, u32 *best)
{
	const struct work *w = s->scratch;
	const struct an_task *t = &s->tasks[task];
	u64 present = task_cost(s, w, task, t->node);

	*best = best_node(s, w, task);
	if (!has_evidence(s, w, task) && !w->proc[t->proc].nr_home)
		return AN_R_NO_EVIDENCE;
	if (!worth_it(s, present - task_cost(s, w, task, *best), present))
		return AN_R_AT_BEST;
	if (t->fixed)
		return AN_R_COOLING;
	if (!allowed_on(t, *best))
		return AN_R_AFFINITY;
	return AN_R_NO_ROOM;
}

/* Home nodes */

/*
 * CPU that a task wants: a quarter more than it gets, at most a whole one. A
 * thread that is held up now and then still needs a CPU of its own, and the
 * noise of a busy thread's load disappears.
 */
static u64 demand_of(const struct an_task *t)
{
	u64 demand = (u64)t->load + t->load / 4;

	return demand < AN_LOAD_ONE ? demand : AN_LOAD_ONE;
}

/* Demand above its fair share that a new home may bring to a node. */
static u64 slack_new(u64 fair)
{
	return AN_LOAD_ONE / 4 + fair / 64;
}

/* The same for a home that is there: noise of the loads must not evict it. */
static u64 slack_keep(u64 fair)
{
	return 2 * slack_new(fair);
}

static u64 free_on(const struct work *w, u32 n)
{
	const struct node_sum *node = &w->node[n];

	return node->fair > node->claim ? node->fair - node->claim : 0;
}

/* Whether a home of its own pays: see SHARED_GAIN. */
static bool shows_sharing(const struct an_snapshot *s,
			  const struct proc_sum *proc)
{
	u64 part = proc->nr_home ? SHARED_KEEP : SHARED_GAIN;

	return proc->faults && proc->faults >= s->min_faults &&
	       shared_part(proc->shared, proc->faults, proc->nr) * part >=
	       proc->faults;
}

/*
 * A task without home claims its CPU on the node of most of its faults, not
 * where it runs: the load balancer moves it about, its memory stays.
 */
static void claim_for_loner(const struct an_snapshot *s, struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	u32 i;

	if (!has_evidence(s, w, t))
		return;
	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		const struct an_faults *f = &s->faults[i];

		if (2 * ((u64)f->private + f->shared) > w->task[t].faults)
			w->node[f->node].claim += demand_of(task);
	}
}

static void sum_procs(const struct an_snapshot *s, struct work *w)
{
	u32 p, t, i;

	for (p = 0; p < s->nr_procs; p++) {
		const struct an_proc *in = &s->procs[p];
		struct proc_sum *proc = &w->proc[p];

		for (i = in->pages; i < in->pages + in->nr_pages; i++)
			proc->pages += s->pages[i].pages;
		if (in->core)
			map_clear(in->core, s->nr_nodes);
		proc->gathers = shows_sharing(s, proc);
		proc->fresh = !proc->nr_home;
	}
	for (t = 0; t < s->nr_tasks; t++) {
		struct proc_sum *proc = &w->proc[s->tasks[t].proc];

		proc->demand += demand_of(&s->tasks[t]);
		if (!proc->gathers)
			claim_for_loner(s, w, t);
	}
}

/* Shares the demand of all out over the nodes, by capacity. */
static void set_fair(const struct an_snapshot *s, struct work *w)
{
	u64 capacity = 0, demand = 0;
	u32 i;

	for (i = 0; i < s->nr_nodes; i++) {
		capacity += s->nodes[i].capacity;
		demand += s->nodes[i].other_load;
		w->node[i].claim += s->nodes[i].other_load;
	}
	for (i = 0; i < s->nr_procs; i++)
		demand += w->proc[i].demand;
	w->overcommit = 1024;
	if (capacity && demand > capacity)
		w->overcommit = demand * 1024 / capacity;
	for (i = 0; i < s->nr_nodes; i++)
		w->node[i].fair = s->nodes[i].capacity * w->overcommit / 1024;
}

/*
 * Orders the processes: large first, half a CPU apart, so that noise hardly
 * ever changes it, then by index.
 */
static void order_procs(const struct an_snapshot *s, struct work *w)
{
	u64 step = AN_LOAD_ONE / 2;
	u32 i;

	w->heap.len = 0;
	for (i = 0; i < s->nr_procs; i++)
		heap_push(&w->heap, i,
			  (w->proc[i].demand + step / 2) / step);
	for (i = 0; i < s->nr_procs; i++)
		w->order[i] = heap_pop(&w->heap);
}

/* Whether @n has room for the memory of @p that is not there yet. */
static bool memory_fits(const struct an_snapshot *s, const struct work *w,
			u32 p, u32 n)
{
	const struct an_proc *in = &s->procs[p];
	u64 missing = w->proc[p].pages;
	u32 i;

	for (i = in->pages; i < in->pages + in->nr_pages; i++) {
		if (s->pages[i].node == n)
			missing -= s->pages[i].pages;
	}
	return missing <= s->nodes[n].room;
}

/*
 * What a home on @n costs: each thread's way there, and the memory's. Memory
 * weighs as much as the threads together: threads that the load balancer has
 * scattered do not outvote settled memory, and where all processes have their
 * memory on one node it cancels out, so that the threads decide. Memory that
 * finds no room on @n counts twice: it stays remote.
 *
 * A thread counts its demand and one more, so that idle ones have a say too.
 */
static u64 home_cost(const struct an_snapshot *s, const struct work *w,
		     u32 p, u32 n)
{
	const struct an_proc *in = &s->procs[p];
	const struct proc_sum *proc = &w->proc[p];
	u64 cost = 0, memory = 0;
	u32 i;

	for (i = proc->first; i < proc->first + proc->nr; i++) {
		const struct an_task *t = &s->tasks[w->by_proc[i]];

		cost += (demand_of(t) + 1) * distance(s, n, t->node);
	}
	if (!proc->pages)
		return cost;
	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		memory += (u64)s->pages[i].pages *
			  distance(s, n, s->pages[i].node);
	memory = memory * 1024 / proc->pages * (proc->demand + proc->nr) / 1024;
	return cost + memory * (memory_fits(s, w, p, n) ? 1 : 2);
}

/* Demand of the threads of @p that may run on each node, as far as useful. */
static void find_usable(const struct an_snapshot *s, struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	u64 anywhere = 0;
	u32 i, n;

	for (n = 0; n < s->nr_nodes; n++)
		w->node[n].usable = 0;
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		const struct an_task *t = &s->tasks[w->by_proc[i]];

		if (!t->allowed) {
			anywhere += demand_of(t) + 1;
			continue;
		}
		for (n = map_next(t->allowed, s->nr_nodes, 0); n < s->nr_nodes;
		     n = map_next(t->allowed, s->nr_nodes, n + 1))
			w->node[n].usable += demand_of(t) + 1;
	}
	for (n = 0; n < s->nr_nodes; n++) {
		w->node[n].usable += anywhere;
		if (!s->nodes[n].capacity)
			w->node[n].usable = 0;
	}
}

/* Pages and costs of all nodes, for the process in hand. */
static void find_costs(const struct an_snapshot *s, struct work *w, u32 p)
{
	const struct an_proc *in = &s->procs[p];
	u32 i, n;

	find_usable(s, w, p);
	for (n = 0; n < s->nr_nodes; n++) {
		w->node[n].pages = 0;
		w->node[n].cost = home_cost(s, w, p, n);
	}
	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		w->node[s->pages[i].node].pages = s->pages[i].pages;
}

/* Whether @a beats @b as a home: cost, then memory, then the number. */
static bool better_home(const struct work *w, u32 a, u32 b)
{
	const struct node_sum *x = &w->node[a], *y = &w->node[b];

	if (x->cost != y->cost)
		return x->cost < y->cost;
	return x->pages != y->pages ? x->pages > y->pages : a < b;
}

/* Whether all threads of @p could be at home on @n, with @slack to spare. */
static bool single_fits(const struct work *w, u32 p, u32 n, u64 slack)
{
	const struct node_sum *node = &w->node[n];
	u64 demand = w->proc[p].demand;

	return node->usable >= demand + w->proc[p].nr &&
	       node->claim + demand <= node->fair + slack;
}

/* The best node that holds all of @p, nr_nodes if there is none. */
static u32 find_single(const struct an_snapshot *s, const struct work *w, u32 p)
{
	u32 best = s->nr_nodes;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		if (single_fits(w, p, n, slack_new(w->node[n].fair)) &&
		    (best == s->nr_nodes || better_home(w, n, best)))
			best = n;
	}
	return best;
}

/* What node @n adds to a home of the process in hand. */
static u64 part_on(const struct work *w, u32 n)
{
	u64 room = free_on(w, n);

	return room < w->node[n].usable ? room : w->node[n].usable;
}

static void set_take(const struct an_snapshot *s, struct work *w, u32 n)
{
	u32 m;

	map_add(w->set, n);
	w->node[n].in_set = true;
	for (m = 0; m < s->nr_nodes; m++)
		w->node[m].near += distance(s, n, m);
}

/* The node nearest to the set that adds something, nr_nodes if none does. */
static u32 set_next(const struct an_snapshot *s, const struct work *w, u64 rest)
{
	u64 least = rest < AN_LOAD_ONE / 2 ? rest : AN_LOAD_ONE / 2;
	u32 best = s->nr_nodes;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		const struct node_sum *node = &w->node[n], *b;

		if (node->in_set || !node->usable || part_on(w, n) < least)
			continue;
		b = &w->node[best];
		if (best == s->nr_nodes || node->near < b->near ||
		    (node->near == b->near &&
		     (part_on(w, n) > part_on(w, best) ||
		      (part_on(w, n) == part_on(w, best) &&
		       better_home(w, n, best)))))
			best = n;
	}
	return best;
}

static void set_start(const struct an_snapshot *s, struct work *w)
{
	u32 n;

	map_clear(w->set, s->nr_nodes);
	for (n = 0; n < s->nr_nodes; n++) {
		w->node[n].near = 0;
		w->node[n].in_set = false;
	}
}

/* All that the process may use: it does not fit anywhere. */
static u32 set_take_all(const struct an_snapshot *s, struct work *w)
{
	u32 nr = 0;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		if (!w->node[n].usable)
			continue;
		map_add(w->set, n);
		nr++;
	}
	return nr;
}

/* Builds in w->set a home for @p around @seed. Returns its number of nodes. */
static u32 set_build(const struct an_snapshot *s, struct work *w, u32 p,
		     u32 seed)
{
	u64 demand = w->proc[p].demand;
	u64 room = 0, fair = 0;
	u32 nr = 0;
	u32 n = seed;

	set_start(s, w);
	while (n < s->nr_nodes) {
		set_take(s, w, n);
		nr++;
		room += part_on(w, n);
		fair += w->node[n].fair;
		if (room + slack_new(fair) >= demand)
			return nr;
		n = set_next(s, w, demand - room);
	}
	return set_take_all(s, w);
}

/* Mean distance between the nodes of @set, in 1/1024. */
static u64 set_width(const struct an_snapshot *s, const unsigned long *set)
{
	u64 sum = 0, nr = 0;
	u32 a, b;

	for (a = map_next(set, s->nr_nodes, 0); a < s->nr_nodes;
	     a = map_next(set, s->nr_nodes, a + 1)) {
		nr++;
		for (b = map_next(set, s->nr_nodes, 0); b < s->nr_nodes;
		     b = map_next(set, s->nr_nodes, b + 1))
			sum += distance(s, a, b);
	}
	return nr ? sum * 1024 / (nr * nr) : 0;
}

/*
 * As home_cost(), for several nodes: the way to the nearest of them, and what
 * the threads will see once memory is spread over them.
 */
static u64 set_cost(const struct an_snapshot *s, const struct work *w,
		    const unsigned long *set, u32 p)
{
	const struct an_proc *in = &s->procs[p];
	const struct proc_sum *proc = &w->proc[p];
	u64 weight = proc->demand + proc->nr;
	u64 cost = set_width(s, set) * weight / 1024;
	u64 memory = 0;
	u32 i;

	for (i = proc->first; i < proc->first + proc->nr; i++) {
		const struct an_task *t = &s->tasks[w->by_proc[i]];

		cost += (demand_of(t) + 1) * set_distance(s, set, t->node);
	}
	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		memory += (u64)s->pages[i].pages *
			  set_distance(s, set, s->pages[i].node);
	if (proc->pages)
		cost += memory * 1024 / proc->pages * weight / 1024;
	return cost;
}

/* The cheapest node that is worth a try as seed and was not tried yet. */
static u32 next_seed(const struct an_snapshot *s, const struct work *w,
		     u32 last)
{
	u32 best = s->nr_nodes;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		if (!part_on(w, n))
			continue;
		if (last < s->nr_nodes && !better_home(w, last, n))
			continue;
		if (best == s->nr_nodes || better_home(w, n, best))
			best = n;
	}
	return best;
}

/* The fewest, then the cheapest nodes for @p, in w->best. Returns how many. */
static u32 find_set(const struct an_snapshot *s, struct work *w, u32 p)
{
	u32 seed = next_seed(s, w, s->nr_nodes);
	u64 least = 0;
	u32 fewest = 0;
	u32 i;

	if (seed == s->nr_nodes) {
		set_start(s, w);
		fewest = set_take_all(s, w);
		map_copy(w->best, w->set, s->nr_nodes);
		return fewest;
	}
	for (i = 0; i < SEEDS && seed < s->nr_nodes; i++) {
		u32 nr = set_build(s, w, p, seed);
		u64 cost = set_cost(s, w, w->set, p);

		if (!fewest || nr < fewest || (nr == fewest && cost < least)) {
			map_copy(w->best, w->set, s->nr_nodes);
			fewest = nr;
			least = cost;
		}
		seed = next_seed(s, w, seed);
	}
	return fewest;
}

/* Whether the demand of @p fits on @set with @slack(fair) to spare. */
static bool set_fits(const struct an_snapshot *s, const struct work *w,
		     const unsigned long *set, u32 p, u64 (*slack)(u64 fair))
{
	u64 room = 0, fair = 0;
	u32 n;

	for (n = map_next(set, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(set, s->nr_nodes, n + 1)) {
		if (!w->node[n].usable)
			return false;
		room += part_on(w, n);
		fair += w->node[n].fair;
	}
	return room + slack(fair) >= w->proc[p].demand;
}

static u64 slack_none(u64 fair)
{
	(void)fair;
	return 0;
}

/* Whether the last home of @p still does. Needs find_usable(). */
static bool home_holds(const struct an_snapshot *s, const struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];

	if (!proc->nr_home)
		return false;
	if (proc->nr_home == 1)
		return single_fits(w, p, proc->home,
				   slack_keep(w->node[proc->home].fair));
	return set_fits(s, w, s->procs[p].home, p, slack_keep);
}

static void home_list_add(struct work *w, u32 p)
{
	struct node_sum *node = &w->node[w->proc[p].home];

	w->proc[p].prev = AN_NO_TASK;
	w->proc[p].next = node->head;
	if (node->head != AN_NO_TASK)
		w->proc[node->head].prev = p;
	node->head = p;
}

static void home_list_del(struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];

	if (proc->prev == AN_NO_TASK)
		w->node[proc->home].head = proc->next;
	else
		w->proc[proc->prev].next = proc->next;
	if (proc->next != AN_NO_TASK)
		w->proc[proc->next].prev = proc->prev;
}

/* The node of the home of @p with most of its memory that is not in_set yet. */
static u32 next_to_fill(const struct an_snapshot *s, const struct work *w,
			u32 p)
{
	const unsigned long *home = s->procs[p].home;
	u32 best = s->nr_nodes;
	u32 n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (!w->node[n].in_set &&
		    (best == s->nr_nodes ||
		     w->node[n].pages > w->node[best].pages))
			best = n;
	}
	return best;
}

/*
 * The core of a home of several nodes: those that carry at least 3/4 of what
 * the fullest carries, unless all do.
 */
static void set_core(const struct an_snapshot *s, const struct work *w, u32 p,
		     u64 fullest)
{
	const unsigned long *home = s->procs[p].home;
	unsigned long *core = s->procs[p].core;
	u32 nr = 0;
	u32 n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (w->node[n].part * 4 < fullest * 3)
			continue;
		map_add(core, n);
		nr++;
	}
	if (nr == w->proc[p].nr_home)
		map_clear(core, s->nr_nodes);
}

/*
 * Claims a home of several nodes, filling them one by one, those that hold most
 * of its memory first. Needs find_costs().
 */
static void claim_set(const struct an_snapshot *s, struct work *w, u32 p)
{
	u64 rest = w->proc[p].demand;
	u64 fullest = 0;
	u32 i, n;

	set_start(s, w);
	for (i = 0; i < w->proc[p].nr_home; i++) {
		u64 part;

		n = next_to_fill(s, w, p);
		part = part_on(w, n);
		if (part > rest)
			part = rest;
		rest -= part;
		w->node[n].claim += part;
		w->node[n].part = part;
		w->node[n].in_set = true;
		if (part > fullest)
			fullest = part;
	}
	if (w->proc[p].nr_home)
		w->node[w->proc[p].home].claim += rest;
	if (s->procs[p].core)
		set_core(s, w, p, fullest);
}

/* Claims the home of @p. */
static void claim_home(const struct an_snapshot *s, struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];

	proc->placed = true;
	if (proc->nr_home == 1) {
		w->node[proc->home].claim += proc->demand;
		home_list_add(w, p);
		return;
	}
	find_costs(s, w, p);
	claim_set(s, w, p);
}

static void set_single_home(struct an_snapshot *s, struct work *w, u32 p, u32 n)
{
	map_clear(s->procs[p].home, s->nr_nodes);
	map_add(s->procs[p].home, n);
	w->proc[p].nr_home = 1;
	w->proc[p].home = n;
}

static void set_home(struct an_snapshot *s, struct work *w, u32 p)
{
	map_copy(s->procs[p].home, w->best, s->nr_nodes);
	w->proc[p].nr_home = 0;
	sum_home(s, w, p);
}

/* Whether @after is better than @before by the hysteresis, a quarter. */
static bool clearly_less(u64 after, u64 before)
{
	return after < before - before / 4;
}

/*
 * Whether the last home of @p, more than one node needs, is to be kept though
 * w->best has @nr nodes.
 */
static bool keep_set(const struct an_snapshot *s, const struct work *w, u32 p,
		     u32 nr)
{
	const unsigned long *home = s->procs[p].home;
	const struct proc_sum *proc = &w->proc[p];

	if (!home_holds(s, w, p))
		return false;
	if (nr < proc->nr_home)
		return !set_fits(s, w, w->best, p, slack_none);
	return nr > proc->nr_home ||
	       !clearly_less(set_cost(s, w, w->best, p),
			     set_cost(s, w, home, p));
}

/* Finds a home for @p, whatever it had. */
static void place_anew(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 n;

	find_costs(s, w, p);
	n = find_single(s, w, p);
	if (n < s->nr_nodes) {
		set_single_home(s, w, p, n);
	} else {
		find_set(s, w, p);
		set_home(s, w, p);
	}
	claim_home(s, w, p);
}

/* Whether no node could hold @p even if nobody else had claims on it. */
static bool is_oversize(const struct an_snapshot *s, const struct work *w,
			u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		const struct node_sum *node = &w->node[n];

		if (node->usable >= proc->demand + proc->nr &&
		    proc->demand <= node->fair + slack_new(node->fair))
			return false;
	}
	return true;
}

/* Oversize processes choose first; the others keep what they have. */
static void keep_or_choose(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 nr;

	find_usable(s, w, p);
	if (!is_oversize(s, w, p)) {
		if (home_holds(s, w, p))
			claim_home(s, w, p);
		return;
	}
	find_costs(s, w, p);
	nr = find_set(s, w, p);
	if (!keep_set(s, w, p, nr))
		set_home(s, w, p);
	claim_home(s, w, p);
}

static void move_home(struct an_snapshot *s, struct work *w, u32 p, u32 n)
{
	home_list_del(w, p);
	w->node[w->proc[p].home].claim -= w->proc[p].demand;
	set_single_home(s, w, p, n);
	w->node[n].claim += w->proc[p].demand;
	home_list_add(w, p);
}

/* Whether a change from @before to @after pays, for these processes. */
static bool home_gains(const struct work *w, u32 p, u32 q, u64 before,
		       u64 after)
{
	if (w->proc[p].fresh && w->proc[q].fresh)
		return after < before;
	return clearly_less(after, before);
}

/* Whether all threads of @p may run on @n. */
static bool proc_allowed(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 n)
{
	const struct proc_sum *proc = &w->proc[p];
	u32 i;

	for (i = proc->first; i < proc->first + proc->nr; i++) {
		if (!allowed_on(&s->tasks[w->by_proc[i]], n))
			return false;
	}
	return true;
}

/* Whether @n stays within its fair share if @in takes the place of @out. */
static bool claim_swaps(const struct work *w, u32 n, u32 in, u32 out)
{
	const struct node_sum *node = &w->node[n];
	u64 after = node->claim - w->proc[out].demand + w->proc[in].demand;

	return after <= node->claim || after <= node->fair +
					       slack_new(node->fair);
}

/* A process at home on @n that would gladly exchange with @p, or AN_NO_TASK. */
static u32 find_exchange(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 n)
{
	u32 from = w->proc[p].home;
	u32 tried = 0;
	u32 q;

	for (q = w->node[n].head; q != AN_NO_TASK && tried++ < PARTNERS;
	     q = w->proc[q].next) {
		u64 before = w->node[from].cost + home_cost(s, w, q, n);
		u64 after = w->node[n].cost + home_cost(s, w, q, from);

		if (home_gains(w, p, q, before, after) &&
		    claim_swaps(w, n, p, q) && claim_swaps(w, from, q, p) &&
		    proc_allowed(s, w, q, from))
			return q;
	}
	return AN_NO_TASK;
}

/* Moves the one home node of @p to @n, if that pays. Needs find_costs(). */
static bool improve_to(struct an_snapshot *s, struct work *w, u32 p, u32 n)
{
	u32 from = w->proc[p].home;
	u32 q;

	if (w->node[n].usable < w->proc[p].demand + w->proc[p].nr)
		return false;
	if (single_fits(w, p, n, slack_new(w->node[n].fair)) &&
	    home_gains(w, p, p, w->node[from].cost, w->node[n].cost)) {
		move_home(s, w, p, n);
		return true;
	}
	q = find_exchange(s, w, p, n);
	if (q == AN_NO_TASK)
		return false;
	move_home(s, w, p, n);
	move_home(s, w, q, from);
	return true;
}

/*
 * A small process that found no single free node gathers on one as soon as one
 * is free. The claims on its old nodes stand until the next call.
 */
static bool shrink_home(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 n = find_single(s, w, p);

	if (n == s->nr_nodes || !single_fits(w, p, n, 0))
		return false;
	set_single_home(s, w, p, n);
	if (s->procs[p].core)
		map_clear(s->procs[p].core, s->nr_nodes);
	w->node[n].claim += w->proc[p].demand;
	home_list_add(w, p);
	return true;
}

static bool improve_home(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 n;

	find_costs(s, w, p);
	if (w->proc[p].nr_home > 1)
		return shrink_home(s, w, p);
	for (n = 0; n < s->nr_nodes; n++) {
		if (w->node[n].cost < w->node[w->proc[p].home].cost &&
		    improve_to(s, w, p, n))
			return true;
	}
	return false;
}

static bool improve_all(struct an_snapshot *s, struct work *w)
{
	bool changed = false;
	u32 i;

	for (i = 0; i < s->nr_procs; i++) {
		u32 p = w->order[i];

		if (w->proc[p].gathers && w->proc[p].nr_home)
			changed |= improve_home(s, w, p);
	}
	return changed;
}

/**
 * an_policy_homes - choose the home nodes of every process
 * @s: the snapshot; the home bitmaps hold the last homes, or nothing, and get
 *	the new ones: empty for a process that shows no sharing
 *
 * A home is the fewest, nearest nodes that fit the demand of the process, in
 * competition with the others. The last home is kept while it holds with some
 * slack, and nothing is better by a quarter.
 *
 * Context: any; O(p log p) for p processes, and nodes * (tasks + pages) for the
 * costs. The scratch is overwritten.
 */
void an_policy_homes(struct an_snapshot *s)
{
	struct work *w = sum_up(s);
	u32 i;

	sum_procs(s, w);
	set_fair(s, w);
	order_procs(s, w);
	list_start(w, s->nr_nodes);
	for (i = 0; i < s->nr_procs; i++) {
		if (w->proc[w->order[i]].gathers)
			keep_or_choose(s, w, w->order[i]);
		else
			map_clear(s->procs[w->order[i]].home, s->nr_nodes);
	}
	for (i = 0; i < s->nr_procs; i++) {
		u32 p = w->order[i];

		if (w->proc[p].gathers && !w->proc[p].placed)
			place_anew(s, w, p);
	}
	for (i = 0; i < HOME_ROUNDS; i++) {
		if (!improve_all(s, w))
			break;
	}
}

/* Are most of the task's faults, enough of them, on memory of its node? */
static bool mostly_here(const struct an_snapshot *s, const struct an_task *t)
{
	const struct an_faults *f = s->faults + t->faults;
	u64 here = 0, all = 0, faults;
	u32 i;

	for (i = 0; i < t->nr_faults; i++) {
		faults = (u64)f[i].private + f[i].shared;
		all += faults;
		if (f[i].node == t->node)
			here += faults;
	}
	return all >= s->min_faults && 2 * here > all;
}

/**
 * an_policy_settled - should the load balancer keep this task where it is
 * @s: snapshot, with homes
 * @task: index of the task
 *
 * Return: true on a home node of its process, or where a process without home
 * has most of what the task uses.
 */
bool an_policy_settled(const struct an_snapshot *s, u32 task)
{
	const struct an_task *t = &s->tasks[task];
	const unsigned long *home = s->procs[t->proc].home;
	size_t word, words = map_words(s->nr_nodes);

	for (word = 0; word < words; word++)
		if (home[word])
			return map_has(home, t->node);
	return mostly_here(s, t);
}
