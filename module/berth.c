// SPDX-License-Identifier: GPL-2.0
/*
 * Where the scheduler should keep a task. Like all of the policy it only decides:
 * what is preferred guides the load balancer and wake-ups, which have the last
 * word.
 */
#include "policy_work.h"

/* Rounds in a row that kept a task from a better node: it will not get there. */
#define KEPT_ROUNDS	3

/*
 * Rounds, a second by default, for which a task is expected back that was taken
 * away while memory moves to it.
 */
#define AWAY_ROUNDS	4

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
 * an_policy_kept - was the task kept from a node that would suit it better
 * @why: what an_policy_why_not() said
 */
bool an_policy_kept(enum an_reason why)
{
	return why == AN_R_NO_ROOM || why == AN_R_AFFINITY || why == AN_R_COOLING;
}

/*
 * No node has clearly more of what the task uses, or it was kept from there: then
 * what it uses is to come to it, if that may move.
 */
static bool has_berth(const struct an_stay *stay)
{
	return stay->why == AN_R_AT_BEST ||
	       (stay->follows && stay->kept >= KEPT_ROUNDS);
}

/*
 * What moves now was to come to where it was. The load balancer takes it back there,
 * rather than another, once there is room; if that is not soon, memory goes where
 * it is now.
 */
static bool expected_back(const struct an_proc *in, const struct an_task *t,
			  const struct an_stay *stay)
{
	return in->moving && stay->preferred != AN_NO_NODE &&
	       stay->preferred != (int)t->node &&
	       allowed_on(t, stay->preferred) && stay->away <= AWAY_ROUNDS;
}

/**
 * an_policy_preferred - where the scheduler should keep a task
 * @s: snapshot, with homes
 * @task: index of the task, which took no step in this round
 * @stay: what is known of it
 *
 * Where it is, if that is a home node of its process. Of a process without home:
 * if nothing better is to be had, and anywhere while memory moves to its tasks: it
 * would have to move again. Where it was to be kept before it is kept, and expected
 * back for a while.
 *
 * Context: any; linear in the task's faults and the nodes of a map.
 * Return: the node, or AN_NO_NODE: wherever it likes.
 */
int an_policy_preferred(const struct an_snapshot *s, u32 task,
			const struct an_stay *stay)
{
	const struct an_task *t = &s->tasks[task];
	const struct an_proc *in = &s->procs[t->proc];
	bool homed = map_any(in->home, s->nr_nodes), settled;

	if (!homed && expected_back(in, t, stay))
		return stay->preferred;
	if (homed)
		settled = map_has(in->home, t->node);
	else
		settled = in->moving || mostly_here(s, t) || has_berth(stay);
	return settled || stay->preferred == (int)t->node ? (int)t->node :
							     AN_NO_NODE;
}
