// SPDX-License-Identifier: GPL-2.0
/*
 * How the memory that several nodes use is spread over them. Plain C, like the
 * policy.
 */
#include "policy_work.h"

/*
 * Spread well enough: no home node is off by more than half of the mean. Once one
 * is, pages move until none is off by more than 1/16.
 */
#define SPREAD_FAR	2
#define SPREAD_NEAR	16

struct spread_sum {
	u64 pages, use;
	u32 homes;
};

static struct spread_sum sum_homes(const struct an_spread *s)
{
	struct spread_sum sum = {};
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		if (!map_has(s->home, n))
			continue;
		sum.homes++;
		sum.pages += s->pages[n];
		sum.use += s->use[n];
	}
	return sum;
}

/* Pages that home node @n has above what it should have; below: negative. */
static s64 excess_on(const struct an_spread *s, const struct spread_sum *sum,
		     u32 n)
{
	return (s64)s->pages[n] - (s64)(sum->pages * s->use[n] / sum->use);
}

static bool off_by(s64 excess, const struct spread_sum *sum, u32 part)
{
	s64 slack = sum->pages / sum->homes / part;

	return excess > slack || excess < -slack;
}

static bool far_off(const struct an_spread *s, const struct spread_sum *sum)
{
	u32 part = s->begun ? SPREAD_NEAR : SPREAD_FAR, n;

	for (n = 0; n < s->nr_nodes; n++)
		if (map_has(s->home, n) &&
		    off_by(excess_on(s, sum, n), sum, part))
			return true;
	return false;
}

/* One word of both maps, which their readers see whole. Returns the excess. */
static u64 set_word(const struct an_spread *s, const struct spread_sum *sum,
		    u32 word)
{
	u32 n = word * BITS_PER_WORD, end = n + BITS_PER_WORD;
	unsigned long over = 0, under = 0;
	u64 all = 0;

	for (; n < end && n < s->nr_nodes; n++) {
		s64 excess = excess_on(s, sum, n);

		if (!map_has(s->home, n) || !off_by(excess, sum, SPREAD_NEAR))
			continue;
		if (excess > 0) {
			over |= 1UL << n % BITS_PER_WORD;
			all += excess;
		} else {
			under |= 1UL << n % BITS_PER_WORD;
		}
	}
	s->over[word] = over;
	s->under[word] = under;
	return all;
}

/**
 * an_policy_spread - which home nodes have too much or too little of a process
 * @s: the process; over and under are overwritten
 *
 * What all its threads use belongs on all its home nodes, in proportion to the
 * threads that run there: no node's memory is then a bottleneck for the others.
 * Pages below 2^32 times a use below 2^32.
 *
 * Context: any; linear in nodes.
 * Return: how many pages should move from nodes over to nodes under.
 */
u32 an_policy_spread(const struct an_spread *s)
{
	struct spread_sum sum = sum_homes(s);
	bool spread = sum.homes >= 2 && sum.use && far_off(s, &sum);
	u64 excess = 0;
	u32 word;

	for (word = 0; word < map_words(s->nr_nodes); word++) {
		if (spread) {
			excess += set_word(s, &sum, word);
		} else {
			s->over[word] = 0;
			s->under[word] = 0;
		}
	}
	return excess;
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
