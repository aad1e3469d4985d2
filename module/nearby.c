// SPDX-License-Identifier: GPL-2.0
/*
 * Which nodes are weighed for a task or a process: all nodes of a small machine;
 * of a large one those around its memory and its home, so that the work grows
 * with what is known of tasks, and not with tasks times nodes. Like all of the
 * policy it never touches the kernel: no kernel call, no recursion, no floating
 * point, nothing on the stack that grows with the machine.
 *
 * Distances only add up, so what is best for a task is nearly always one of the
 * nodes that it uses, or one next to them if they have no CPUs or no room.
 */
#include "policy_work.h"

/* Keeps the NEAR nodes nearest to @m, of equal ones those that came first. */
static void near_insert(const struct an_snapshot *s, struct work *w, u32 m,
			u32 n)
{
	u32 *near = w->near + (size_t)m * NEAR;
	u32 *nr = &w->node[m].nr_near;
	u8 d = distance(s, m, n);
	u32 i;

	if (*nr == NEAR && d >= distance(s, m, near[NEAR - 1]))
		return;
	if (*nr < NEAR)
		++*nr;
	for (i = *nr - 1; i && distance(s, m, near[i - 1]) > d; i--)
		near[i] = near[i - 1];
	near[i] = n;
}

/*
 * Looks for the nodes with CPUs that are near to @m, once per call. It starts
 * behind @m, so that equal ones are others for each node.
 */
static void find_near(const struct an_snapshot *s, struct work *w, u32 m)
{
	u32 n;

	if (w->node[m].nr_near)
		return;
	if (s->nodes[m].capacity)
		near_insert(s, w, m, m);
	for (n = m + 1; n < s->nr_nodes; n++)
		if (s->nodes[n].capacity)
			near_insert(s, w, m, n);
	for (n = 0; n < m; n++)
		if (s->nodes[n].capacity)
			near_insert(s, w, m, n);
}

static void start(struct work *w)
{
	w->cand.search++;
	w->cand.nr = 0;
	w->cand.nr_centres = 0;
}

static void add(const struct an_snapshot *s, struct work *w,
		const unsigned long *allowed, u32 n)
{
	struct candidates *c = &w->cand;

	if (c->nr == CANDIDATES || w->node[n].candidate == c->search ||
	    !s->nodes[n].capacity || (allowed && !map_has(allowed, n)))
		return;
	w->node[n].candidate = c->search;
	c->node[c->nr++] = n;
}

/* Keeps the CENTRES nodes of most weight, of equal ones those added first. */
static void add_centre(struct work *w, u32 n, u32 weight, u32 most)
{
	struct candidates *c = &w->cand;
	u32 i;

	if (!weight || (c->nr_centres == most &&
			weight <= w->node[c->centre[most - 1]].weight))
		return;
	if (c->nr_centres < most)
		c->nr_centres++;
	w->node[n].weight = weight;
	for (i = c->nr_centres - 1;
	     i && w->node[c->centre[i - 1]].weight < weight; i--)
		c->centre[i] = c->centre[i - 1];
	c->centre[i] = n;
}

/* The nodes around each centre, the nearest of each first. */
static void add_around(const struct an_snapshot *s, struct work *w,
		       const unsigned long *allowed)
{
	const struct candidates *c = &w->cand;
	u32 i, rank;

	for (i = 0; i < c->nr_centres; i++)
		find_near(s, w, c->centre[i]);
	for (rank = 0; rank < NEAR && c->nr < CANDIDATES; rank++) {
		for (i = 0; i < c->nr_centres; i++) {
			u32 m = c->centre[i];

			if (rank < w->node[m].nr_near)
				add(s, w, allowed,
				    w->near[(size_t)m * NEAR + rank]);
		}
	}
}

/* Up to @most nodes of a map, from @first on and round. */
static void add_map(const struct an_snapshot *s, struct work *w,
		    const unsigned long *allowed, const unsigned long *map,
		    u32 first, u32 most)
{
	u32 turn, n;
	u32 nr = 0;

	for (turn = 0; turn < 2; turn++) {
		u32 end = turn ? first : s->nr_nodes;

		for (n = map_next(map, s->nr_nodes, turn ? 0 : first);
		     n < end && nr < most;
		     n = map_next(map, s->nr_nodes, n + 1)) {
			add(s, w, allowed, n);
			nr++;
		}
	}
}

/* The memory that draws a task: with home nodes only what is its own. */
static void centre_on_faults(const struct an_snapshot *s, struct work *w,
			     const struct an_task *task)
{
	bool homed = w->proc[task->proc].nr_home;
	u32 i;

	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		const struct an_faults *f = &s->faults[i];
		u32 weight = f->private / 2 + (f->private & 1);

		if (!homed)
			weight += f->shared / 2 + (f->shared & 1);
		add_centre(w, f->node, weight, CENTRES / 2);
	}
}

static void add_all(const struct an_snapshot *s, struct work *w,
		    const unsigned long *allowed, u32 first)
{
	u32 n;

	for (n = first; n < s->nr_nodes; n++)
		add(s, w, allowed, n);
	for (n = 0; n < first; n++)
		add(s, w, allowed, n);
}

/**
 * an_task_candidates - find the nodes to weigh for a task
 * @s: the snapshot, homes computed
 * @w: its sums; its candidates are overwritten
 * @t: index of the task
 * @bound: leave out the nodes where the task may not run
 *
 * The search starts at another node for each task, so that not all go for the
 * same ones where many are equally good.
 *
 * Context: any; linear in the faults of the task.
 */
void an_task_candidates(const struct an_snapshot *s, struct work *w, u32 t,
			bool bound)
{
	const struct an_task *task = &s->tasks[t];
	const unsigned long *allowed = bound ? task->allowed : NULL;
	const unsigned long *home = s->procs[task->proc].home;
	const struct proc_sum *proc = &w->proc[task->proc];

	start(w);
	if (s->nr_nodes <= CANDIDATES) {
		add_all(s, w, allowed, t % s->nr_nodes);
		return;
	}
	centre_on_faults(s, w, task);
	if (proc->nr_home) {
		add_map(s, w, allowed, home, t % s->nr_nodes, CHOICES / 2);
		add_centre(w, proc->home, ~0U, CENTRES);
	}
	/* One that has no opinion is to be a willing partner anywhere. */
	if (!w->cand.nr_centres)
		add_centre(w, t % s->nr_nodes, 1, CENTRES);
	add_around(s, w, allowed);
	if (allowed)
		add_map(s, w, allowed, allowed, t % s->nr_nodes, CHOICES);
}

/**
 * an_proc_candidates - find the nodes to weigh as the home of a process
 * @s: the snapshot
 * @w: its sums; its candidates are overwritten
 * @p: index of the process
 *
 * Where its threads run matters to a first home only, and what home it has once
 * it has one in this call: what is chosen anew must not depend on what changes
 * with each call, or it might change for ever.
 *
 * Context: any; linear in the memory and the threads of the process.
 */
void an_proc_candidates(const struct an_snapshot *s, struct work *w, u32 p)
{
	const struct an_proc *in = &s->procs[p];
	const struct proc_sum *proc = &w->proc[p];
	u32 i;

	start(w);
	if (s->nr_nodes <= CANDIDATES) {
		add_all(s, w, NULL, 0);
		return;
	}
	if (proc->placed && proc->nr_home == 1)
		add(s, w, NULL, proc->home);
	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		add_centre(w, s->pages[i].node, s->pages[i].pages, CENTRES / 2);
	for (i = proc->first; proc->fresh && i < proc->first + proc->nr &&
	     w->cand.nr < CANDIDATES / 4; i++)
		add(s, w, NULL, s->tasks[w->by_proc[i]].node);
	add_around(s, w, NULL);
}
