/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_SNAPSHOT_H
#define _AUTONUMA_SNAPSHOT_H

#include <linux/sched.h>
#include <linux/topology.h>
#include "policy.h"

/*
 * struct an_view - the machine as gear 4 saw it once, for the policy
 *
 * Owned by knuma_balanced. The arrays of @s belong to the view and are kept
 * from round to round; the tasks are referenced from an_view_take() to
 * an_view_drop().
 */
struct an_view {
	struct an_snapshot s;
	struct task_struct **refs;	/* by task index */
	const struct mm_struct **mms;	/* by process index: an identity only */
	struct an_step *steps;
	u32 nr_dry;			/* processes of a dry run */
	u64 *wanted;			/* by node: of its CPUs, by all that is on it */

	/* private to snapshot.c */
	struct an_node *nodes;
	u8 *distance;
	struct an_task *tasks;
	struct an_proc *procs;
	struct an_faults *faults;
	struct an_pages *pages;
	unsigned long *homes, *cores, *wishes, *mems;	/* bitmaps of nodes per process */
	unsigned long *allowed;		/* a bitmap of nodes per task */
	u32 max_tasks, max_procs, max_faults, max_pages;
	u32 nr_faults, nr_pages;
	u32 *others;			/* by node: load of others, smoothed */
	const void *groups[AN_WEIGHT_GROUPS];	/* to be told apart, no references */
	u32 nr_groups;
	u64 *worked_ns;			/* by node: CPU time of its worker */
	u64 *idle_us;			/* by CPU, at the last view */
	u64 clock_ns;			/* of the last view */
	u32 number;			/* of this view; wraps around */
};

/*
 * The node where a task is; of one that sleeps, where its next wake-up looks for a
 * CPU first: told to move, it moves then. Another one may have been found for it.
 */
static inline int an_task_nid(const struct task_struct *p)
{
	return cpu_to_node(READ_ONCE(p->on_rq) ? task_cpu(p) :
						 READ_ONCE(p->wake_cpu));
}

int an_view_init(struct an_view *v);
void an_view_free(struct an_view *v);
int an_view_take(struct an_view *v);
void an_view_drop(struct an_view *v);
bool an_cpu_usable(int cpu);

#endif /* _AUTONUMA_SNAPSHOT_H */
