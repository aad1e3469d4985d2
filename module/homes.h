/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What homes.c, homeset.c and usable.c share: what a node can take of the process in hand,
 * and what it would cost. Nothing here knows the kernel.
 */
#ifndef _AUTONUMA_HOMES_H
#define _AUTONUMA_HOMES_H

#include "policy_work.h"

/*
 * CPU that a task wants: a quarter more than it gets, at most a whole one. A
 * thread that is held up now and then still needs a CPU of its own, and the
 * noise of a busy thread's load disappears.
 */
static inline u64 demand_of(const struct an_task *t)
{
	u64 load = t->load > t->want ? t->load : t->want;
	u64 demand = load + load / 4;

	return demand < AN_LOAD_ONE ? demand : AN_LOAD_ONE;
}

/*
 * What others take of node @n, for a core: less than half a CPU is noise, and what is
 * gone is gone. A program is one of others until it is known, so its birth lingers.
 */
static inline u64 steady_others(const struct an_snapshot *s, u32 n)
{
	const struct an_node *node = &s->nodes[n];

	if (node->other_load < AN_LOAD_ONE / 2 || node->other_now < AN_LOAD_ONE / 2)
		return 0;
	return node->other_load;
}

/* Demand above its fair share that a new home may bring to a node. */
static inline u64 slack_new(u64 fair)
{
	return AN_LOAD_ONE / 4 + fair / 64;
}

/*
 * Tasks without home make room if they have less than a fourth of the memory that the
 * process has, for each CPU that is wanted: what little they have goes elsewhere at
 * less cost, while a home and all of its memory would. Not so if they are what most
 * of the node carries. A home that is there yields later than a new one is refused.
 * Of all such tasks of a node together.
 */
#define LIGHT_TAKE	4
#define LIGHT_KEEP	2

/* The claims on @n that @p has to respect. Pages below 2^34, demands below 2^27. */
static inline u64 claims_on(const struct an_snapshot *s, const struct work *w,
			    u32 p, u32 n)
{
	const struct node_sum *node = &w->node[n];
	const struct proc_sum *proc = &w->proc[p];
	bool home = map_has(s->procs[p].home, n);
	u64 pages = (home ? LIGHT_KEEP : LIGHT_TAKE) * node->lone_pages;
	u64 most = home ? node->fair / 4 * 3 : node->fair / 2;
	bool make_room = node->lone <= most &&
			 pages * proc->demand < proc->pages * node->lone;

	return node->claim + (make_room ? 0 : node->lone);
}

/* What is left of the fair share of @n for @p. */
static inline u64 free_on(const struct an_snapshot *s, const struct work *w,
			  u32 p, u32 n)
{
	u64 claims = claims_on(s, w, p, n);

	return w->node[n].fair > claims ? w->node[n].fair - claims : 0;
}

/* Demand of the threads in hand that may run on @n, as far as useful. */
static inline u64 usable_on(const struct work *w, u32 n)
{
	return w->node[n].fair ? w->anywhere + w->node[n].bound_here : 0;
}

/* What node @n adds to a home of @p, the process in hand. */
static inline u64 part_on(const struct an_snapshot *s, const struct work *w,
			  u32 p, u32 n)
{
	u64 room = free_on(s, w, p, n);

	return room < usable_on(w, n) ? room : usable_on(w, n);
}

/*
 * What nodes that add @room in all take of the threads in hand, those bound to them
 * having a demand of @bound: who may run anywhere runs on one of them, and who is bound
 * elsewhere on none. Who is bound to several of them counts several times, so it is no
 * less than that; nor is it if somebody has no node at all.
 */
static inline u64 taken_of(const struct work *w, u64 room, u64 bound)
{
	if (w->nowhere)
		return room;
	return an_smaller(room, w->anywhere + bound);
}

static inline bool is_candidate(const struct work *w, u32 n)
{
	return w->node[n].candidate == w->cand.search;
}

/*
 * What a home on @n is judged by if a new one is wanted; what is no candidate
 * costs more than all that are. Threads count for a first home only: from then
 * on they go where the home is, and if it went after them as well, both could
 * change in turns for ever.
 */
static inline u64 cost_on(const struct work *w, u32 n)
{
	if (!is_candidate(w, n))
		return ~0ULL;
	return w->fresh ? w->node[n].cost.all : w->node[n].cost.memory;
}

/* Whether @a beats @b as a home: cost, memory, who has to make room, the number. */
static inline bool better_home(const struct work *w, u32 a, u32 b)
{
	const struct node_sum *x = &w->node[a], *y = &w->node[b];

	if (cost_on(w, a) != cost_on(w, b))
		return cost_on(w, a) < cost_on(w, b);
	if (x->pages != y->pages)
		return x->pages > y->pages;
	return x->lone != y->lone ? x->lone < y->lone : a < b;
}

void an_find_usable(const struct an_snapshot *s, struct work *w, u32 p);
bool an_usable_by_all(const struct an_snapshot *s, const struct work *w, u32 p,
		      u32 n);
u64 an_home_steady_demand(const struct an_snapshot *s, const struct work *w,
			  u32 t);
u32 an_home_find_set(const struct an_snapshot *s, struct work *w, u32 p);
void an_home_claim_set(const struct an_snapshot *s, struct work *w, u32 p);
bool an_home_drop_node(const struct an_snapshot *s, struct work *w, u32 p);
struct home_cost an_home_set_cost(const struct an_snapshot *s, struct work *w,
				  const unsigned long *set, u32 p);

#endif /* _AUTONUMA_HOMES_H */
