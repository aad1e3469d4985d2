// SPDX-License-Identifier: GPL-2.0
/*
 * How the memory that several nodes use is spread over them. Plain C, like the
 * policy.
 */
#include "policy_work.h"

/*
 * Spread well enough: no home node is off by more than half of the mean. Once one
 * is, pages move until none is off by more than 1/16. Nor by a region, as these
 * move whole: of 9 on 4 nodes one would go from node to node for ever.
 */
#define SPREAD_FAR	2
#define SPREAD_NEAR	16
#define SPREAD_LEAST	512	/* pages */

/* Use by threads on node @n that its memory is to follow: of the core, if there is one. */
static u64 use_of(const struct an_spread *s, u32 n)
{
	if (s->core && !map_has(s->core, n) &&
	    map_next(s->core, s->nr_nodes, 0) < s->nr_nodes)
		return 0;
	return s->use[n];
}

/* Pages on node @n that may go elsewhere. */
static u32 pages_on(const struct an_spread *s, u32 n)
{
	u32 settled = s->settled ? s->settled[n] : 0;

	return s->pages[n] > settled ? s->pages[n] - settled : 0;
}

static void sum_homes(struct an_spread *s)
{
	u32 n;

	s->homes = 0;
	s->all_pages = 0;
	s->all_use = 0;
	for (n = 0; n < s->nr_nodes; n++) {
		if (!map_has(s->home, n))
			continue;
		s->homes++;
		s->all_pages += pages_on(s, n);
		s->all_use += use_of(s, n);
	}
}

/* Pages that home node @n has above what it should have; below: negative. */
static s64 excess_on(const struct an_spread *s, u32 n)
{
	return (s64)pages_on(s, n) - (s64)(s->all_pages * use_of(s, n) / s->all_use);
}

static bool beyond(s64 excess, s64 slack)
{
	return excess > slack || excess < -slack;
}

static bool off_by(const struct an_spread *s, s64 excess, u32 part)
{
	s64 slack = s->all_pages / s->homes / part;

	if (slack < SPREAD_LEAST)
		slack = SPREAD_LEAST;
	return beyond(excess, slack);
}

static bool far_off(const struct an_spread *s)
{
	u32 part = s->begun ? SPREAD_NEAR : SPREAD_FAR, n;

	for (n = 0; n < s->nr_nodes; n++)
		if (map_has(s->home, n) && off_by(s, excess_on(s, n), part))
			return true;
	return false;
}

/**
 * an_policy_spread_off - how far a node is off what it should have
 * @s: the process, after an_policy_spread()
 * @n: the node
 *
 * Context: any.
 * Return: pages above, or below if negative; 0 if none should come or go.
 */
s64 an_policy_spread_off(const struct an_spread *s, u32 n)
{
	s64 excess;

	if (!s->uneven || !map_has(s->home, n))
		return 0;
	excess = excess_on(s, n);
	return beyond(excess, SPREAD_LEAST / 2) ? excess : 0;
}

/**
 * an_policy_spread - is the memory of a process spread as it is used
 * @s: the process; what is computed is overwritten
 *
 * What all its threads use belongs on all its home nodes, or the core of them, in
 * proportion to the threads that run there: no node's memory is then a bottleneck for
 * the others. What has an owner, or one of them uses most, stays and counts for none.
 * Pages below 2^32 times a use below 2^32.
 *
 * Context: any; linear in nodes.
 * Return: how many pages should move from nodes with too much to others.
 */
u32 an_policy_spread(struct an_spread *s)
{
	u64 above = 0, below = 0;
	s64 off;
	u32 n;

	sum_homes(s);
	s->uneven = s->homes >= 2 && s->all_use && far_off(s);
	for (n = 0; n < s->nr_nodes; n++) {
		off = an_policy_spread_off(s, n);
		if (off > 0)
			above += off;
		else
			below -= off;
	}
	return above < below ? above : below;
}

/* 2^32 divided by the golden ratio: multiples of it fill the circle evenly. */
#define GOLDEN		2654435769U

/**
 * an_policy_turn - the home node whose turn it is to take a region
 * @home: bitmap of home nodes
 * @nr_nodes: nodes there can be
 * @region: its number in the address space
 *
 * The same for as long as the home nodes are the same; any regions in a row are
 * evenly spread.
 *
 * Context: any; linear in nodes.
 * Return: the node, AN_NO_NODE without home nodes.
 */
int an_policy_turn(const unsigned long *home, u32 nr_nodes, u64 region)
{
	u32 homes = 0, left, n;

	for (n = map_next(home, nr_nodes, 0); n < nr_nodes;
	     n = map_next(home, nr_nodes, n + 1))
		homes++;
	if (!homes)
		return AN_NO_NODE;
	left = (u64)((u32)region * GOLDEN) * homes >> 32;
	for (n = map_next(home, nr_nodes, 0); left;
	     n = map_next(home, nr_nodes, n + 1))
		left--;
	return n;
}
