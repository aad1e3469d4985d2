/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Closed loop: threads touch pages, pages follow by an_policy_fault(), homes
 * and balance run every pass, and a load balancer disturbs.
 */
#ifndef _SIM_H
#define _SIM_H

#include "world.h"

#define SIM_SHARED	256	/* pages of a process */
#define SIM_PRIVATE	64	/* pages of a thread */
#define SIM_FAULTS	128	/* hinting faults of a thread per pass */

struct sim_page {
	int node, last_node;
	u32 last_task;
	u32 visited;		/* bitmap of the nodes it was moved to */
};

struct sim {
	const char *name;
	u32 nodes, cpus, procs, threads;
	u32 private;		/* percent of accesses to the thread's own */
	double best;		/* best local share that a placement reaches */
	u32 disturb;		/* percent of passes with a disturbance */
	double want;		/* part of best to be reached, default .95 */
	bool random;		/* distances, and where memory is at first */
	bool dry;		/* nothing is moved but by the load balancer */
	struct world *w;
	struct sim_page *pages;	/* all shared, then all private ones */
	u32 *stats;		/* per task and node: private, shared */
	u32 *cool;		/* passes until the task may move again */
	u32 accesses, local, moved, returned, steps, flaps;
};

struct sim sim_random(void);
double sim_pass(struct sim *m);
void sim_start(struct sim *m);
void sim_end(struct sim *m);

#endif /* _SIM_H */
