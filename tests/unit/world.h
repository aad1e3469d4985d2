/* SPDX-License-Identifier: GPL-2.0 */
/* Hand-made and random snapshots. */
#ifndef _WORLD_H
#define _WORLD_H

#include "policy.h"

#define WORD_BITS	(8 * sizeof(unsigned long))
#define LOCAL		10	/* distance of a node to itself */
#define REMOTE		20
#define CPU		AN_LOAD_ONE

/* A world: a snapshot that can be changed, copied and freed */

struct world {
	struct an_snapshot s;
	u8 *distance;
	struct an_faults *faults;	/* nr_nodes per task */
	struct an_pages *pages;		/* nr_nodes per process */
	unsigned long *homes;		/* words per process */
	unsigned long *cores, *were;	/* the same, and the last ones */
	unsigned long *allowed;		/* words per task */
	u32 words;
};

void set_distance(struct world *w, u32 a, u32 b, u8 d);
struct world *world_new(u32 nr_nodes, u32 nr_tasks, u32 nr_procs, u32 cpus);
void world_free(struct world *w);
void find_homes(struct world *w);
struct world *world_copy(const struct world *from);
void put(struct world *w, u32 t, u32 proc, u32 node);
void add_faults(struct world *w, u32 t, u32 node, u32 private, u32 shared);
void add_pages(struct world *w, u32 p, u32 node, u32 pages);
void allow(struct world *w, u32 t, u32 node);
bool in_map(const unsigned long *map, u32 n);
u32 home_size(const struct world *w, u32 p);
u32 home_of(const struct world *w, u32 p);
u32 run(struct world *w, struct an_step **out);
u64 node_load(const struct world *w, u32 n);
u64 node_bound(const struct world *w, u32 n);
void set_idle(struct world *w);
struct world *sharers(u32 nodes, u32 cpus, u32 procs, u32 threads);
void scatter(struct world *w, u32 threads);
void make_ring(struct world *w);
struct world *random_world(u32 max_nodes, u32 max_tasks);
struct world *world_to_optimize(u32 max_nodes, u32 max_tasks, bool busy);

#endif /* _WORLD_H */
