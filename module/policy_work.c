// SPDX-License-Identifier: GPL-2.0
/*
 * What the decisions work with: lays out the scratch memory, sums the snapshot
 * up in it, keeps the heap. Decides nothing. Like all of the policy it never
 * touches the kernel: no kernel call, no recursion, no floating point, nothing
 * on the stack that grows with the machine.
 */
#include "policy_work.h"

/* Heap */

static bool heap_before(const struct heap *h, u32 a, u32 b)
{
	return h->key[a] != h->key[b] ? h->key[a] > h->key[b] : a < b;
}

/**
 * an_heap_push - put an index into a heap
 * @h: the heap, with room
 * @item: the index, not in it
 * @key: its key
 */
void an_heap_push(struct heap *h, u32 item, u64 key)
{
	u32 i = h->len++;

	h->key[item] = key;
	while (i && heap_before(h, item, h->item[(i - 1) / 2])) {
		h->item[i] = h->item[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->item[i] = item;
}

/**
 * an_heap_pop - take out the index with the largest key
 * @h: the heap, not empty
 *
 * Return: the index, the lowest one of several with this key.
 */
u32 an_heap_pop(struct heap *h)
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

/* Lists for the pairs of nodes, no longer than a few on average. */
static u32 pairs_for(u32 nr_tasks)
{
	u32 nr = 64;

	while (nr < nr_tasks && nr < 1U << 20)
		nr *= 2;
	return nr;
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
	w->wish = carve(base, &used, (size_t)nr_tasks * WISHES,
			sizeof(*w->wish));
	w->nr_pairs = pairs_for(nr_tasks);
	w->pair = carve(base, &used, w->nr_pairs, sizeof(*w->pair));
	w->memo = carve(base, &used, w->nr_pairs, sizeof(*w->memo));
	w->near = carve(base, &used, (size_t)nr_nodes * NEAR,
			sizeof(*w->near));
	w->every = carve(base, &used, nr_nodes, sizeof(*w->every));
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
	w->node[task->node].busy += busy_of(task);
}

/**
 * an_sum_home - count the nodes in the home of a process, find the lowest
 * @s: the snapshot
 * @w: its sums; the process's home must count 0 nodes
 * @p: index of the process
 */
void an_sum_home(const struct an_snapshot *s, struct work *w, u32 p)
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
	for (t = 0; t < s->nr_tasks; t++) {
		struct task_sum *sum = &w->task[t];

		sum->real = an_shared_part(sum->shared, sum->faults,
					   w->proc[s->tasks[t].proc].nr);
	}
}

/**
 * an_sum_up - lay out the scratch memory and sum the snapshot up in it
 * @s: the snapshot; its scratch is overwritten
 *
 * Sums faults by task and process, loads by node, homes as they are in @s, and
 * orders the tasks by process. All else of nodes and processes is 0; of tasks,
 * choices and wishes it is not set.
 *
 * Return: the scratch memory.
 */
struct work *an_sum_up(const struct an_snapshot *s)
{
	struct work *w = s->scratch;
	u32 i;

	lay_out(w, s->scratch, s->nr_nodes, s->nr_tasks, s->nr_procs);
	w->heap.len = 0;
	w->cand.search = 0;
	w->paged = AN_NO_TASK;
	w->weighed = 0;
	memset(w->memo, 0xff, w->nr_pairs * sizeof(*w->memo));
	memset(w->node, 0, s->nr_nodes * sizeof(*w->node));
	memset(w->proc, 0, s->nr_procs * sizeof(*w->proc));
	for (i = 0; i < s->nr_nodes; i++) {
		w->node[i].load = s->nodes[i].other_load;
		w->node[i].busy = s->nodes[i].other_load;
	}
	for (i = 0; i < s->nr_tasks; i++) {
		an_breathe(s, i);
		sum_task(s, w, i);
	}
	for (i = 0; i < s->nr_procs; i++) {
		an_breathe(s, i);
		an_sum_home(s, w, i);
	}
	sort_by_proc(s, w);
	return w;
}

/**
 * an_list_start - empty the lists of all nodes
 * @w: the sums
 * @nr_nodes: nodes of the snapshot
 */
void an_list_start(struct work *w, u32 nr_nodes)
{
	u32 n;

	for (n = 0; n < nr_nodes; n++) {
		w->node[n].head = AN_NO_TASK;
		w->node[n].tail = AN_NO_TASK;
	}
}

/**
 * an_set_distance - distance from a node to the nearest one of a set
 * @s: the snapshot
 * @set: bitmap of nodes
 * @n: the node
 *
 * Return: the distance, the largest u32 if @set is empty.
 */
u32 an_set_distance(const struct an_snapshot *s, const unsigned long *set,
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

/**
 * an_shared_part - accesses to shared memory, by the faults that show it
 * @shared: faults on pages of several threads
 * @faults: all faults
 * @nr: threads that share
 *
 * A fault counts as shared if the last one on the page was of another thread;
 * when @nr threads take turns at random, one shared access in @nr goes
 * unnoticed.
 *
 * Return: how many of @faults, in truth.
 */
u64 an_shared_part(u64 shared, u64 faults, u32 nr)
{
	u64 real = nr > 1 ? shared * nr / (nr - 1) : shared;

	return real < faults ? real : faults;
}

/* While a thread waits, what it wanted before counts less by so much per look. */
#define WANT_FADES	64

/**
 * an_policy_want - what a thread wants of a CPU, for which its process has a home
 * @want: what it was at the last look
 * @load: its load now
 * @waits: it uses memory that is on its way
 *
 * Who waits for memory on its way looks as if it wanted less than before: its process
 * would be given too small a home, and others what it needs when all is there.
 *
 * Context: any.
 * Return: the same now; at least @load.
 */
u32 an_policy_want(u32 want, u32 load, bool waits)
{
	want = waits ? want - want / WANT_FADES : (3 * want + load) / 4;
	return want > load ? want : load;
}
