// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions of autonuma on where threads run, see policy.h; those on faults
 * are in policy_fault.c, home nodes are chosen in homes.c. It never touches the
 * kernel: no kernel call, no recursion, no floating point, nothing on the stack
 * that grows with the machine: every array lives in the scratch memory that the
 * caller brings.
 *
 * Overflow: a load is at most 2^10 (1024), a mean distance at most 2^18 (255
 * in 1/1024), so a task costs less than 2^28 and 100,000 of them less than
 * 2^45. Sums of faults are below 2^32 per entry times 255 times 1024, 2^50.
 */
#include "policy_work.h"

/* Partners looked at per list: bounds a search where nodes hold thousands. */
#define PARTNERS	8
/* Those among them, per task, of whom nothing tells that they would come. */
#define STRANGERS	16
/* Looks for a step per task and call; those left wait for the next one. */
#define LOOKS		16

/* Lifts signed differences of costs (below 2^28) into an unsigned key. */
#define KEY_ZERO	0x100000000ULL

/* What a task costs on a node */

/*
 * Mean distance from @n to the shared memory of @p, in 1/1024. Half of it counts
 * as being at the nearest home node, where it may come yet: that gathers threads
 * on the home nodes, equally good for all. The other half counts where it is, if
 * that is at home, where it stays: that favours the home nodes that hold most.
 * It is the process's memory that counts, not the faults of the thread: two
 * threads that share never gain by changing places.
 */
static u32 far_from_set(const struct an_snapshot *s, struct work *w, u32 p,
			u32 n)
{
	const struct an_proc *in = &s->procs[p];
	u64 sum = 0, pages = 0;
	u32 nearest, i;

	w->weighed += in->nr_pages;
	nearest = an_set_distance(s, in->home, n);
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

/* The same for any home; of several nodes it is found out once, mostly. */
static u32 home_distance(const struct an_snapshot *s, struct work *w, u32 p,
			 u32 n)
{
	struct memo *memo = &w->memo[hash_pair(w, p, n)];

	if (!w->proc[p].nr_home)
		return 0;
	if (w->proc[p].nr_home == 1)
		return distance(s, n, w->proc[p].home) * AN_SHARE_ONE;
	if (memo->proc != p || memo->node != n) {
		memo->mean = far_from_set(s, w, p, n);
		memo->proc = p;
		memo->node = n;
	}
	return memo->mean;
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
	u64 private = sum->faults - sum->shared;

	if (private)
		private = divide(placed_faults(s, task, true, n) *
				 AN_SHARE_ONE, private);
	return divide(sum->real * to_home +
		      (sum->faults - sum->real) * private / 2, sum->faults);
}

/*
 * Mean distance of the accesses of task @t if it ran on @n, in 1/1024. Without
 * evidence of its own a task shares like its process, and has no opinion on the
 * rest. Home nodes that were wished for count for all of it: the memory is to
 * follow.
 */
static u32 mean_distance(const struct an_snapshot *s, struct work *w, u32 t,
			 u32 n)
{
	const struct an_task *task = &s->tasks[t];
	const struct proc_sum *proc = &w->proc[task->proc];
	u32 to_home = home_distance(s, w, task->proc, n);

	w->weighed++;
	if (s->procs[task->proc].wish)
		return to_home;
	if (has_evidence(s, w, t)) {
		if (proc->nr_home)
			return homed_distance(s, w, t, n, to_home);
		return divide(placed_faults(s, task, false, n) * AN_SHARE_ONE,
			      w->task[t].faults);
	}
	if (!proc->nr_home || !proc->faults)
		return 0;
	return divide(an_shared_part(proc->shared, proc->faults, proc->nr) *
		      to_home, proc->faults);
}

/* The part of task @t in J, if it ran on @n. */
static u64 task_cost(const struct an_snapshot *s, struct work *w, u32 t, u32 n)
{
	return (u64)s->tasks[t].load * mean_distance(s, w, t, n);
}

/**
 * an_policy_goal - J of the snapshot, see policy.h
 * @s: the snapshot, homes computed; its scratch is overwritten
 *
 * Context: as @s->breathe() needs it; linear in tasks and faults.
 * Return: J in load * 1/1024 of accesses * distance.
 */
u64 an_policy_goal(struct an_snapshot *s)
{
	struct work *w = an_sum_up(s);
	u64 goal = 0;
	u32 t;

	for (t = 0; t < s->nr_tasks; t++)
		goal += task_cost(s, w, t, s->tasks[t].node);
	return goal;
}

/**
 * an_policy_cost - the part of a task in J if it ran elsewhere
 * @s: the snapshot, after an_policy_goal() or an_policy_balance(), whose
 *	scratch is used
 * @task: index of the task
 * @node: where it would run, allowed or not
 *
 * Context: any; linear in the task's faults, mostly.
 * Return: in the unit of J.
 */
u64 an_policy_cost(struct an_snapshot *s, u32 task, u32 node)
{
	return task_cost(s, s->scratch, task, node);
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
 * where anything runs.
 */
static void choose_nodes(const struct an_snapshot *s, struct work *w, u32 t)
{
	struct choice *list = &w->choice[(size_t)t * CHOICES];
	u32 nr = 0;
	u32 i;

	an_task_candidates(s, w, t, true);
	for (i = 0; i < w->cand.nr; i++) {
		u32 n = w->cand.node[i];

		choice_insert(list, &nr, n, mean_distance(s, w, t, n));
	}
	if (nr < CHOICES)
		list[nr].node = s->nr_nodes;
}

static u64 present_cost(const struct an_snapshot *s, const struct work *w,
			u32 t)
{
	return (u64)s->tasks[t].load * w->task[t].mean;
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
		return KEY_ZERO + present_cost(s, w, t) -
		       (u64)task->load * list[i].mean;
	}
	return 0;
}

/* Notes what it means to task @t to be where it is. */
static void note_place(const struct an_snapshot *s, struct work *w, u32 t)
{
	w->task[t].mean = mean_distance(s, w, t, s->tasks[t].node);
	w->task[t].leave = leave_key(s, w, t);
}

/* Process by process, so that what is remembered of homes is there. */
static void choose_all_nodes(const struct an_snapshot *s, struct work *w)
{
	u32 i;

	for (i = 0; i < s->nr_tasks; i++) {
		u32 t = w->by_proc[i];

		an_breathe(s, i);
		choose_nodes(s, w, t);
		note_place(s, w, t);
		w->task[t].queued = false;
		w->task[t].looked = 0;
	}
}

/*
 * Memory that is on its way to its threads must not be met by them halfway. With
 * home nodes both go to the same place.
 */
static bool memory_comes(const struct an_snapshot *s, const struct work *w, u32 t)
{
	u32 p = s->tasks[t].proc;

	return s->procs[p].moving && !w->proc[p].nr_home;
}

/*
 * Is 3/4 of what the task uses on one node, another than its own? Then nothing is
 * on its way to it yet: it was taken from its memory, or has not begun.
 */
static bool left_behind(const struct an_snapshot *s, const struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	const struct an_faults *f = s->faults + task->faults;
	u32 i;

	if (!has_evidence(s, w, t))
		return false;
	for (i = 0; i < task->nr_faults; i++) {
		u64 there = (u64)f[i].private + f[i].shared;

		if (f[i].node != task->node && 4 * there >= 3 * w->task[t].faults)
			return true;
	}
	return false;
}

/*
 * Who was left behind may change places before its memory comes: that is cheaper.
 * A move, see best_step(), might crowd the node where all memory was born.
 */
static bool may_leave(const struct an_snapshot *s, const struct work *w, u32 t)
{
	return !s->tasks[t].fixed &&
	       (!memory_comes(s, w, t) || left_behind(s, w, t));
}

/* Lists the tasks of each node that may leave, the most willing first. */
static void list_tasks(const struct an_snapshot *s, struct work *w)
{
	u32 t;

	an_partners_start(s, w);
	w->heap.len = 0;
	for (t = 0; t < s->nr_tasks; t++) {
		an_breathe(s, t);
		w->task[t].listed = w->task[t].leave && may_leave(s, w, t);
		if (w->task[t].listed)
			an_heap_push(&w->heap, t, w->task[t].leave);
	}
	while (w->heap.len) {
		an_breathe(s, w->heap.len);
		an_partner_add(s, w, an_heap_pop(&w->heap));
	}
}

/* Makes @t wait for its turn to look for a better node, if there is one. */
static void await_turn(struct work *w, u32 t)
{
	struct task_sum *task = &w->task[t];

	if (task->leave <= KEY_ZERO || task->queued || !task->listed)
		return;
	task->queued = true;
	an_heap_push(&w->heap, t, task->leave - KEY_ZERO);
}

static bool worth_it(const struct an_snapshot *s, u64 gain, u64 present)
{
	return gain && gain * 1024 >= present * s->min_gain;
}

/* @gain of what the tasks that move cost at present, in 1/1000, for people. */
static u32 part_of(u64 gain, u64 present)
{
	return gain * 1000 / present;
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
	       2 * (w->node[to].load + load) * here <=
	       (2 * w->node[from].load - load) * there;
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
	best->part = part_of(gain, present);
	best->reason = idle ? AN_R_MOVE_IDLE : AN_R_MOVE_EVEN;
}

static void try_swap(const struct an_snapshot *s, struct work *w,
		     struct an_step *best, u32 to, u32 other,
		     u64 present, u64 gain)
{
	u32 from = best->from;
	u32 in = s->tasks[best->task].load;
	u32 out = s->tasks[other].load;
	u64 before = present_cost(s, w, other);
	u64 after;

	if (!allowed_on(&s->tasks[other], from) ||
	    !load_fits(w, to, in, out) || !load_fits(w, from, out, in))
		return;
	after = task_cost(s, w, other, from);
	if (gain + before <= best->gain + after)
		return;
	gain = gain + before - after;
	if (!worth_it(s, gain, present + before))
		return;
	best->to = to;
	best->other = other;
	best->gain = gain;
	best->part = part_of(gain, present + before);
	best->other_goes_on = has_evidence(s, w, other) && after >= before &&
			      w->choice[(size_t)other * CHOICES].node != to;
	best->reason = AN_R_SWAP;
}

/* Tries those on @to as partners that would be better off on @best->from. */
static void try_wishes(const struct an_snapshot *s, struct work *w,
		       struct an_step *best, u32 to, u64 present, u64 gain)
{
	u32 i = w->pair[hash_pair(w, to, best->from)].head;
	u32 tried;

	for (tried = 0; i != AN_NO_TASK && tried < PARTNERS; tried++) {
		const struct wish *wish = &w->wish[i];
		u32 other = i / WISHES;

		if (wish->to == best->from && wish->from == to &&
		    gain + w->task[other].leave > best->gain + KEY_ZERO)
			try_swap(s, w, best, to, other, present, gain);
		i = wish->next;
	}
	w->weighed += tried;
}

/*
 * Tries the first tasks of @to as partners, whatever they would like. They are
 * not better off by it, or others of their wishes come first, so this pays only
 * if nothing better than @gain itself was found.
 */
static u32 try_others(const struct an_snapshot *s, struct work *w,
		      struct an_step *best, u32 to, u64 present, u64 gain,
		      u32 most)
{
	u32 other = w->node[to].head;
	u32 tried;

	for (tried = 0; other != AN_NO_TASK && tried < most &&
	     tried < PARTNERS && best->gain < gain; tried++) {
		if (gain + w->task[other].leave > best->gain + KEY_ZERO)
			try_swap(s, w, best, to, other, present, gain);
		other = w->task[other].next;
	}
	w->weighed += tried;
	return tried;
}

/* Nothing came to @n or left it since @t found no step. */
static bool as_before(const struct work *w, u32 t, u32 n)
{
	return w->node[n].changed <= w->task[t].looked;
}

/* The best step of task @t as things stand; its gain is 0 if there is none. */
static struct an_step best_step(const struct an_snapshot *s, struct work *w,
				u32 t)
{
	const struct an_task *task = &s->tasks[t];
	const struct choice *list = &w->choice[(size_t)t * CHOICES];
	u64 present = present_cost(s, w, t);
	struct an_step best = { .task = t, .from = task->node };
	bool still = as_before(w, t, task->node);
	bool may_move = !memory_comes(s, w, t);
	u32 strangers = STRANGERS;
	u32 i;

	for (i = 0; i < CHOICES && list[i].node < s->nr_nodes; i++) {
		u64 cost = (u64)task->load * list[i].mean;
		u32 to = list[i].node;

		if (cost >= present)
			break;
		if (still && as_before(w, t, to))
			continue;
		if (may_move)
			try_move(s, w, &best, to, present, present - cost);
		if (!s->nodes[best.from].capacity)
			continue;
		try_wishes(s, w, &best, to, present, present - cost);
		strangers -= try_others(s, w, &best, to, present,
					present - cost, strangers);
	}
	w->task[t].looked = best.gain ? 0 : w->clock;
	return best;
}

static void put_task(struct an_snapshot *s, struct work *w, u32 t, u32 to)
{
	struct an_task *task = &s->tasks[t];

	an_partner_del(s, w, t);
	w->node[task->node].load -= task->load;
	w->node[task->node].busy -= busy_of(task);
	task->node = to;
	w->node[to].load += task->load;
	w->node[to].busy += busy_of(task);
	note_place(s, w, t);
	w->task[t].listed = may_leave(s, w, t);
	if (w->task[t].listed)
		an_partner_add(s, w, t);
}

/* A CPU falls idle where a task leaves, unless others wait for it. */
static void account_idle(struct an_snapshot *s, const struct work *w,
			 u32 from, u32 to)
{
	struct an_node *node = &s->nodes[from];
	u64 idle = (u64)(node->idle_cpus + 1) * AN_LOAD_ONE;

	if (w->node[from].busy + idle <= (u64)node->capacity + AN_LOAD_ONE / 2)
		node->idle_cpus++;
	if (s->nodes[to].idle_cpus)
		s->nodes[to].idle_cpus--;
}

static void carry_out(struct an_snapshot *s, struct work *w,
		      const struct an_step *step)
{
	w->clock++;
	w->node[step->from].changed = w->clock;
	w->node[step->to].changed = w->clock;
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

	for (t = 0; t < s->nr_tasks; t++)
		await_turn(w, t);
	for (; h->len && nr < max_steps && w->looks; w->looks--) {
		struct an_step step;

		an_breathe(s, w->looks);
		t = an_heap_pop(h);
		w->task[t].queued = false;
		if (!w->task[t].listed)
			continue;
		step = best_step(s, w, t);
		if (!step.gain)
			continue;
		if (h->len && step.gain < h->key[h->item[0]]) {
			w->task[t].queued = true;
			an_heap_push(h, t, step.gain);
			continue;
		}
		carry_out(s, w, &step);
		await_turn(w, t);
		if (step.other != AN_NO_TASK)
			await_turn(w, step.other);
		if (steps)
			steps[nr] = step;
		nr++;
	}
	return nr;
}

/*
 * Rounds until one takes no step. It starts as a new call would, so that a call
 * on the result finds nothing if this does.
 */
static u32 balance_rounds(struct an_snapshot *s, struct work *w,
			  struct an_step *steps, u32 max_steps)
{
	u32 nr = 0;
	u32 more, n;

	list_tasks(s, w);
	w->clock++;
	for (n = 0; n < s->nr_nodes; n++)
		w->node[n].changed = w->clock;
	do {
		more = balance_round(s, w, steps ? steps + nr : NULL,
				     max_steps - nr);
		nr += more;
	} while (more && nr < max_steps && w->looks);
	return nr;
}

/**
 * an_policy_balance - find the moves and swaps that lower J
 * @s: the snapshot, homes computed. The steps are carried out in it: the node
 *	of the tasks and the idle CPUs of the nodes change
 * @steps: filled in, room for @s->max_steps; NULL if only the result counts
 *
 * Every step lowers J, and the sum of its tasks' parts in J by @s->min_gain of
 * 1024. It respects affinity and @fixed, and brings no node's load above its
 * bound (see set_bounds()) unless it lowers that load; a move takes an idle
 * CPU, or leaves a more crowded node (see evens_out()). While memory of a process
 * without home moves, only who was left behind changes places. J falls strictly and
 * assignments are finite, so this ends; called again on the result it finds
 * nothing, unless @s->max_steps or LOOKS cut it short.
 *
 * Context: as @s->breathe() needs it; O(n log n) for n tasks and faults, see
 * LOOKS and CANDIDATES, and nodes * nodes to read the distances. The scratch is
 * left for an_policy_why_not().
 * Return: number of steps, to be carried out in this order.
 */
u32 an_policy_balance(struct an_snapshot *s, struct an_step *steps)
{
	struct work *w = an_sum_up(s);
	u32 nr = 0;
	u32 more;

	set_bounds(s, w);
	w->looks = (u64)LOOKS * s->nr_tasks;
	w->clock = 0;
	choose_all_nodes(s, w);
	do {
		more = balance_rounds(s, w, steps ? steps + nr : NULL,
				      s->max_steps - nr);
		nr += more;
	} while (more && nr < s->max_steps && w->looks);
	return nr;
}

/* The node with CPUs where @t costs least, allowed or not. */
static u32 best_node(const struct an_snapshot *s, struct work *w, u32 t)
{
	u32 best = s->tasks[t].node;
	u64 least = task_cost(s, w, t, best);
	u32 i;

	an_task_candidates(s, w, t, false);
	for (i = 0; i < w->cand.nr; i++) {
		u64 cost = task_cost(s, w, t, w->cand.node[i]);

		if (cost < least) {
			least = cost;
			best = w->cand.node[i];
		}
	}
	return best;
}

/**
 * an_policy_why_not - why a task stays where it is
 * @s: the snapshot, after an_policy_balance() or an_policy_goal(), whose
 *	scratch is used
 * @task: index of the task
 * @best: set to the node that suits it best, allowed and free or not
 *
 * Context: any; linear in the task's faults.
 * Return: AN_R_NO_EVIDENCE, AN_R_AT_BEST, AN_R_COOLING, AN_R_MEMORY_COMES,
 * AN_R_AFFINITY or AN_R_NO_ROOM, the first that holds.
 */
enum an_reason an_policy_why_not(struct an_snapshot *s, u32 task, u32 *best)
{
	struct work *w = s->scratch;
	const struct an_task *t = &s->tasks[task];
	u64 present = task_cost(s, w, task, t->node);

	*best = best_node(s, w, task);
	if (!has_evidence(s, w, task) && !w->proc[t->proc].nr_home)
		return AN_R_NO_EVIDENCE;
	if (!worth_it(s, present - task_cost(s, w, task, *best), present))
		return AN_R_AT_BEST;
	if (t->fixed)
		return AN_R_COOLING;
	if (memory_comes(s, w, task))
		return AN_R_MEMORY_COMES;
	if (!allowed_on(t, *best))
		return AN_R_AFFINITY;
	return AN_R_NO_ROOM;
}
