// SPDX-License-Identifier: GPL-2.0
/*
 * Where a process could be at home: where its threads may run and its memory may be.
 * Like all of the policy it never touches the kernel.
 */
#include "homes.h"

/* Has @n CPUs for threads whose memory may be on @mems? NULL: anywhere. */
static bool counts(const struct work *w, const unsigned long *mems, u32 n)
{
	return w->node[n].fair && (!mems || map_has(mems, n));
}

/* @demand more on the nodes of the map. */
static void add_bound(const struct an_snapshot *s, struct work *w,
		      const unsigned long *map, const unsigned long *mems, u64 demand)
{
	bool somewhere = false;
	u32 n;

	for (n = map_next(map, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(map, s->nr_nodes, n + 1)) {
		w->node[n].bound_here += demand;
		somewhere |= counts(w, mems, n);
	}
	w->nowhere |= !somewhere;
}

static void forget_bound(const struct an_snapshot *s, struct work *w)
{
	u32 n;

	for (n = 0; w->bound && n < s->nr_nodes; n++)
		w->node[n].bound_here = 0;
	w->bound = false;
	w->nowhere = false;
}

/* No threads are at home where their memory may not be. */
static void use_mems(const struct an_snapshot *s, struct work *w,
		     const unsigned long *mems)
{
	bool somewhere = false;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		w->node[n].bound_here = map_has(mems, n) ?
					w->node[n].bound_here + w->anywhere : 0;
		somewhere |= counts(w, mems, n);
	}
	w->nowhere |= w->anywhere && !somewhere;
	w->anywhere = 0;
	w->bound = true;
}

/**
 * an_find_usable - find usable_on() for a process
 * @s: the snapshot
 * @w: its sums
 * @p: index of the process, which is in hand from now on
 *
 * Threads of a process are mostly bound alike: those in a row that are count as one.
 */
void an_find_usable(const struct an_snapshot *s, struct work *w, u32 p)
{
	size_t size = map_words(s->nr_nodes) * sizeof(long);
	const struct proc_sum *proc = &w->proc[p];
	const unsigned long *mems = s->procs[p].wish ? NULL : s->procs[p].mems;
	const unsigned long *map = NULL;
	u64 demand = 0;
	u32 i;

	forget_bound(s, w);
	w->anywhere = 0;
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		const struct an_task *t = &s->tasks[w->by_proc[i]];

		if (!t->allowed) {
			w->anywhere += demand_of(t) + 1;
			continue;
		}
		if (map && memcmp(map, t->allowed, size)) {
			add_bound(s, w, map, mems, demand);
			demand = 0;
		}
		map = t->allowed;
		demand += demand_of(t) + 1;
		w->bound = true;
	}
	if (map)
		add_bound(s, w, map, mems, demand);
	if (mems)
		use_mems(s, w, mems);
}

/**
 * an_usable_by_all - may all threads of a process run on a node, and its memory be there
 * @s: the snapshot
 * @w: its sums
 * @p: index of the process
 * @n: the node
 */
bool an_usable_by_all(const struct an_snapshot *s, const struct work *w, u32 p,
		      u32 n)
{
	const unsigned long *mems = s->procs[p].mems;
	const struct proc_sum *proc = &w->proc[p];
	u32 i;

	if (mems && !map_has(mems, n))
		return false;
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		if (!allowed_on(&s->tasks[w->by_proc[i]], n))
			return false;
	}
	return true;
}
