// SPDX-License-Identifier: GPL-2.0
/*
 * Unit, property and closed-loop tests of the policy, in TAP: policy.c, homes.c,
 * nearby.c, partners.c and policy_work.c of module/.
 *
 *	policy_test [seed [iterations]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy_faults.h"
#include "policy_homes.h"
#include "policy_random.h"
#include "unit.h"
#include "world.h"

u32 iterations = 3000;

/* The core of one process of four threads on two nodes, which want so much each. */
static unsigned long core_of_four(u32 load, const unsigned long *was, bool moving)
{
	struct world *w = sharers(2, 2, 1, 4);
	unsigned long core;
	u32 t;

	for (t = 0; t < 4; t++)
		w->s.tasks[t].load = load;
	w->s.procs[0].was_core = was;
	w->s.procs[0].moving = moving;
	an_policy_homes(&w->s);
	core = w->s.procs[0].core[0];
	world_free(w);
	return core;
}

/*
 * How many nodes are in the core of one process of @nr threads on four nodes of two
 * CPUs, while others run there; 0: all home nodes. The last thread wants @last. Of late
 * others have taken @now of each node.
 */
static u32 core_among_others(u32 nr, u32 last, const u32 *others, u32 now)
{
	struct world *w = sharers(4, 2, 1, nr);
	u32 nodes = 0, n;

	w->s.tasks[nr - 1].load = last;
	if (last < CPU)
		w->s.tasks[nr - 1].nr_faults = 0;
	for (n = 0; n < 4; n++) {
		w->s.nodes[n].other_load = others[n];
		w->s.nodes[n].other_now = now;
	}
	an_policy_homes(&w->s);
	for (n = 0; n < 4; n++)
		nodes += in_map(w->s.procs[0].core, n);
	world_free(w);
	return nodes;
}

static void test_steady_core(void)
{
	static const u32 none[4], noise[] = { 440, 250, 200, 230 }, birth[4] = { 900 };

	ok(core_among_others(3, CPU, noise, CPU) == 1, "core: where two of three run, noise or not");
	ok(core_among_others(4, 400, none, 0) == 1 && core_among_others(4, 400, noise, CPU) == 1,
	   "core: whoever is falling asleep is none of them");
	ok(!core_among_others(8, CPU, none, 0) && !core_among_others(8, CPU, noise, CPU),
	   "core: none for noise if all carry");
	ok(core_among_others(3, CPU, birth, 100) == 1, "core: what is gone takes no room");
	ok(core_among_others(7, CPU, none, 0) == 3, "core: all nodes but that of one thread");
}

/* Threads that wait now and then: how often the core changes in 1000 looks. */
static u32 core_changes(void)
{
	struct world *w = sharers(2, 2, 1, 4);
	u32 i, t, changes = 0;

	for (i = 0; i < 1000; i++) {
		for (t = 0; t < 4; t++)
			w->s.tasks[t].load = 620 + rnd(200);
		find_homes(w);
		changes += w->were[0] != w->cores[0];
	}
	world_free(w);
	return changes;
}

static void test_core(void)
{
	unsigned long alike = 0, one = 1;
	u32 i;

	ok(!core_of_four(AN_LOAD_ONE, NULL, false), "core: none if all carry");
	ok(core_of_four(600, NULL, false) == 1, "core: what carries most");
	ok(core_of_four(600, &alike, false) == 1, "core: by a clear margin");
	ok(!core_of_four(700, &alike, false), "core: not by a small one");
	ok(core_of_four(700, &one, false) == 1, "core: nor does it end by one");
	ok(!core_of_four(AN_LOAD_ONE, &one, false), "core: but by a clear one");
	ok(!core_of_four(600, &alike, true),
	   "core: none comes while threads wait for memory");
	i = core_changes();
	ok(i <= 10, "core: holds still when loads do not (%u changes)", i);
}

/* How far pages are off what is wanted, in 1/100 of all, after spreading. */
static u32 spread_off(u32 nodes, u32 *pages, const u64 *use,
		      const unsigned long *home)
{
	struct an_spread s = { .nr_nodes = nodes, .pages = pages, .use = use, .home = home };
	u64 all = 0, all_use = 0, off = 0, want;
	u32 move = an_policy_spread(&s), n, to;
	s64 left[4] = {};

	for (n = 0; n < nodes; n++)
		left[n] = an_policy_spread_off(&s, n);
	while (move) {
		n = rnd(nodes);
		to = rnd(nodes);
		if (left[n] <= 0 || left[to] >= 0)
			continue;
		left[n]--;
		left[to]++;
		pages[n]--;
		pages[to]++;
		move--;
	}
	for (n = 0; n < nodes; n++) {
		all += pages[n] * in_map(home, n);
		all_use += use[n] * in_map(home, n);
	}
	for (n = 0; n < nodes; n++) {
		if (!in_map(home, n))
			continue;
		want = all * use[n] / all_use;
		off += pages[n] > want ? pages[n] - want : 0;
	}
	return off * 100 / all;
}

/* What one node has above is little for each of the others, and yet to be moved. */
static void test_spread_to_many(void)
{
	unsigned long home = 0xf;
	u32 above[] = { 11600, 9500, 9500, 9400 }, below[] = { 8400, 10500, 10500, 10600 };
	u64 use[] = { 10, 10, 10, 10 };
	struct an_spread s = { .nr_nodes = 4, .pages = above, .use = use, .home = &home,
			       .begun = true };

	ok(an_policy_spread(&s) == 1600 && an_policy_spread_off(&s, 1) == -500,
	   "spread: to nodes that lack less than is borne");
	s.pages = below;
	ok(an_policy_spread(&s) == 1600 && an_policy_spread_off(&s, 1) == 500,
	   "spread: and from such");
}

#define REGION	512

/* Regions that threads in odd numbers use: as even as they can be, they stay. */
static void test_spread_regions(void)
{
	u64 use[] = { 30, 20, 20, 20 };
	u32 pages[4] = { 8 * REGION }, moves = 0, i, n;
	unsigned long home = 0xf;
	struct an_spread s = { .nr_nodes = 4, .pages = pages, .use = use, .home = &home };

	for (i = 0; i < 1000; i++) {
		u32 from = 0, to = 0, odd = rnd(4);

		for (n = 0; n < 4; n++)
			use[n] = n == odd ? 30 : 20;
		s.begun = an_policy_spread(&s);
		for (n = 0; n < 4; n++) {
			if (an_policy_spread_off(&s, n) > an_policy_spread_off(&s, from))
				from = n;
			if (an_policy_spread_off(&s, n) < an_policy_spread_off(&s, to))
				to = n;
		}
		if (!s.begun)
			continue;
		pages[from] -= REGION;
		pages[to] += REGION;
		moves++;
	}
	ok(moves <= 6, "spread: regions of a small process come to rest (%u moves)", moves);
}

static void test_spread(void)
{
	unsigned long home = 0x7, one = 1;
	u32 even[] = { 10000, 11000, 9000, 50 };
	u32 born[] = { 9000, 0, 0, 77 }, settled[] = { 6000, 0, 0, 100 };
	u64 use[] = { 10, 10, 10, 10 }, unused[4] = {}, double_use[] = { 20, 10, 10, 0 };
	unsigned long core = 0x3, no_core = 0;
	struct an_spread s = { .nr_nodes = 4, .pages = even, .use = use, .home = &home };

	ok(!an_policy_spread(&s) && !an_policy_spread_off(&s, 1),
	   "spread: what is nearly even stays");
	s.begun = true;
	ok(an_policy_spread(&s) == 1000 && an_policy_spread_off(&s, 1) == 1000 &&
	   an_policy_spread_off(&s, 2) == -1000 && !an_policy_spread_off(&s, 0),
	   "spread: but is made even once it is begun");
	s.begun = false;
	s.pages = born;
	ok(an_policy_spread(&s) == 6000 && an_policy_spread_off(&s, 0) == 6000 &&
	   an_policy_spread_off(&s, 1) == -3000 && !an_policy_spread_off(&s, 3),
	   "spread: from where it was born to the others");
	s.settled = settled;
	ok(an_policy_spread(&s) == 2000 && an_policy_spread_off(&s, 0) == 2000,
	   "spread: but what belongs there stays, and counts for no node");
	s.settled = NULL;
	s.core = &no_core;
	ok(an_policy_spread(&s) == 6000, "spread: an empty core is none");
	s.core = &core;
	ok(an_policy_spread(&s) == 4500 && an_policy_spread_off(&s, 1) == -4500 &&
	   !an_policy_spread_off(&s, 2), "spread: over the core only, if there is one");
	s.pages = even;
	s.begun = true;
	ok(an_policy_spread(&s) == 9000 && an_policy_spread_off(&s, 2) == 9000,
	   "spread: nothing of it stays on other nodes");
	s.begun = false;
	s.pages = born;
	s.core = NULL;
	s.use = unused;
	ok(!an_policy_spread(&s) && !an_policy_spread_off(&s, 0),
	   "spread: nobody runs there");
	s.use = use;
	s.home = &one;
	ok(!an_policy_spread(&s) && !an_policy_spread_off(&s, 0),
	   "spread: not with one home node");
	test_spread_to_many();
	test_spread_regions();
	ok(spread_off(4, born, double_use, &home) < 1 && born[3] == 77,
	   "spread: in proportion to use, and only at home");
}

static bool reason_named(u32 why)
{
	const char *name = an_reason_name(why);

	return name && *name && strcmp(name, "unknown") &&
	       (an_reason_act(why) != AN_A_NONE || why == AN_R_NONE);
}

static bool same_words(u32 a, u32 b)
{
	return an_reason_act(a) == an_reason_act(b) &&
	       !strcmp(an_reason_name(a), an_reason_name(b));
}

static void test_names(void)
{
	bool named = true, unique = true, acts = true;
	u32 a, b;

	for (a = 0; a < AN_R_NR; a++) {
		named = named && reason_named(a);
		for (b = 0; b < a; b++)
			unique = unique && !same_words(a, b);
	}
	for (a = 0; a < AN_A_NR; a++)
		acts = acts && *an_act_name(a) &&
		       strcmp(an_act_name(a), "unknown");
	ok(named, "names: every reason has one, and an act");
	ok(unique, "names: within its act, it is its own");
	ok(acts, "names: every act has one");
	ok(!strcmp(an_reason_name(AN_R_FIRST_FAULT), "first_fault"),
	   "names: lower case");
	ok(!strcmp(an_reason_name(AN_R_NR), "unknown") &&
	   !strcmp(an_act_name(AN_A_NR), "unknown") &&
	   an_reason_act(AN_R_NR) == AN_A_NONE, "names: out of range");
}

/* Scenarios */

static u32 at_home(const struct world *w)
{
	u32 t, nr = 0;

	for (t = 0; t < w->s.nr_tasks; t++)
		nr += in_map(w->s.procs[w->s.tasks[t].proc].home,
			     w->s.tasks[t].node);
	return nr;
}

static void test_four_by_two(void)
{
	struct world *w = sharers(4, 2, 4, 2);
	unsigned long seen = 0;
	u32 p, nr;

	scatter(w, 2);
	an_policy_homes(&w->s);
	for (p = 0; p < 4; p++)
		seen |= w->s.procs[p].home[0];
	ok(seen == 0xf, "4x2: four processes get four homes");
	nr = run(w, NULL);
	ok(at_home(w) == 8, "4x2: all threads at home");
	ok(nr == 2, "4x2: two swaps, one thread of each moved (%u steps)", nr);
	seen = 0;
	for (p = 0; p < 4; p++)
		seen = seen << 4 | w->s.procs[p].home[0];
	an_policy_homes(&w->s);
	nr = 0;
	for (p = 0; p < 4; p++)
		nr = nr << 4 | w->s.procs[p].home[0];
	ok(seen == nr && !run(w, NULL), "4x2: and nothing more to do");
	world_free(w);
}

/* One process, a slice of memory per thread, threads where @node says. */
static struct world *slices(const u32 *node)
{
	struct world *w = world_new(4, 8, 1, 2);
	u32 t;

	for (t = 0; t < 8; t++) {
		put(w, t, 0, node[t]);
		add_faults(w, t, t / 2, 200, 0);
		add_faults(w, t, 3 - t / 2, 4, 10);
	}
	for (t = 0; t < 4; t++)
		add_pages(w, 0, t, 1000);
	return w;
}

static void test_private(void)
{
	static const u32 settled[] = { 0, 0, 1, 1, 2, 2, 3, 3 };
	static const u32 crossed[] = { 0, 2, 1, 1, 0, 2, 3, 3 };
	struct world *w = slices(settled);
	struct an_step *steps;
	u32 nr;

	an_policy_homes(&w->s);
	ok(!home_size(w, 0), "private: no sharing, no home");
	ok(!run(w, NULL), "private: settled slices stay");
	world_free(w);
	w = slices(crossed);
	an_policy_homes(&w->s);
	nr = run(w, &steps);
	ok(nr == 1 && steps[0].reason == AN_R_SWAP &&
	   steps[0].task + steps[0].other == 5,
	   "private: two that the load balancer crossed are swapped back");
	free(steps);
	world_free(w);
	w = slices(settled);
	w->s.nr_tasks = 4;
	an_policy_homes(&w->s);
	ok(!run(w, NULL), "private: half the threads end, the rest stay");
	world_free(w);
}

/* Home nodes that were wished for: taken, left to nobody else, and gone to. */
static void test_wish(void)
{
	static const u32 settled[] = { 0, 0, 1, 1, 2, 2, 3, 3 };
	unsigned long second = 1UL << 1, pair = 1UL << 2 | 1UL << 3;
	struct world *w = sharers(4, 2, 4, 2);
	u32 p, others = 0;

	w->s.procs[2].wish = &second;
	scatter(w, 2);
	an_policy_homes(&w->s);
	ok(w->s.procs[2].home[0] == second, "wish: the home is the one asked for");
	for (p = 0; p < 4; p++)
		others += p != 2 && w->s.procs[p].home[0] == second;
	ok(!others, "wish: the others make room");
	run(w, NULL);
	ok(at_home(w) == 8, "wish: all threads at home, those of the others, too");
	an_policy_homes(&w->s);
	ok(w->s.procs[2].home[0] == second && !run(w, NULL),
	   "wish: and nothing more to do");
	world_free(w);

	w = slices(settled);
	w->s.nr_tasks = 4;
	w->s.procs[0].wish = &pair;
	w->s.nodes[2].idle_cpus = 2;
	w->s.nodes[3].idle_cpus = 2;
	an_policy_homes(&w->s);
	run(w, NULL);
	ok(at_home(w) == 4, "wish: threads with memory of their own go, too");
	world_free(w);
}

/* A cpuset leaves nodes out: no home is where memory may not follow. */
static void test_mems(void)
{
	static const u32 settled[] = { 0, 0, 1, 1, 2, 2, 3, 3 };
	unsigned long last = 1UL << 3, first_two = 1UL << 0 | 1UL << 1;
	struct world *w = sharers(4, 2, 4, 2);
	u32 others = 0, p;

	w->s.procs[0].mems = &last;
	scatter(w, 2);
	an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] == last, "mems: at home where memory may be");
	for (p = 1; p < 4; p++)
		others += w->s.procs[p].home[0] == last;
	run(w, NULL);
	an_policy_homes(&w->s);
	ok(!others && at_home(w) == 8 && w->s.procs[0].home[0] == last,
	   "mems: the others go elsewhere, and all come to rest");
	w->s.procs[0].mems = &first_two;
	an_policy_homes(&w->s);
	ok(!(w->s.procs[0].home[0] & ~first_two), "mems: it leaves where they may be no more");
	world_free(w);

	w = slices(settled);
	w->s.procs[0].mems = &first_two;
	for (p = 0; p < 8; p++)
		add_faults(w, p, 0, 0, 2000);
	an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] && !(w->s.procs[0].home[0] & ~first_two),
	   "mems: nor has one that is too large for them more");
	world_free(w);
}

static void test_oversize(void)
{
	struct world *w = sharers(8, 2, 1, 4);
	unsigned long home;

	make_ring(w);
	scatter(w, 4);
	an_policy_homes(&w->s);
	home = w->s.procs[0].home[0];
	ok(home_size(w, 0) == 2 && (home & (home >> 1 | home << 7)),
	   "oversize: two neighbours of a ring (%#lx)", home);
	run(w, NULL);
	ok(at_home(w) == 4, "oversize: all threads gather there");
	an_policy_homes(&w->s);
	ok(home == w->s.procs[0].home[0] && !run(w, NULL),
	   "oversize: and stay");
	world_free(w);
}

static void test_table(void)
{
	struct world *w = sharers(4, 2, 1, 8);
	u32 t;

	scatter(w, 8);
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 4, "table read by all: home is everywhere");
	ok(!run(w, NULL), "table read by all: nothing moves");
	for (t = 0; t < 8; t++)
		w->s.tasks[t].load = CPU * 3 / 4;
	w->s.procs[0].home[0] = 0;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 4, "table read by all: even by threads that wait");
	world_free(w);
}

static void test_overcommit(u32 factor)
{
	struct world *w = sharers(4, 2, 4 * factor, 2);
	u32 count[4] = { 0 };
	u32 p, n;
	bool even = true;

	scatter(w, 2);
	an_policy_homes(&w->s);
	for (p = 0; p < w->s.nr_procs; p++)
		count[home_of(w, p) % 4] += home_of(w, p) < 4;
	for (n = 0; n < 4; n++)
		even = even && count[n] == factor;
	ok(even, "overcommit %ux: homes spread evenly", factor);
	run(w, NULL);
	for (n = 0, even = true; n < 4; n++)
		even = even && node_load(w, n) == 2 * factor * CPU;
	ok(even && at_home(w) == w->s.nr_tasks,
	   "overcommit %ux: everyone at home, nodes equally loaded", factor);
	world_free(w);
}

static void test_affinity(void)
{
	struct world *w = sharers(2, 2, 2, 2);
	u32 best;

	put(w, 0, 0, 0);
	put(w, 1, 0, 1);
	put(w, 2, 1, 0);
	put(w, 3, 1, 1);
	allow(w, 1, 1);
	an_policy_homes(&w->s);
	run(w, NULL);
	ok(home_of(w, 0) == 1 && w->s.tasks[1].node == 1 &&
	   w->s.tasks[0].node == 1,
	   "affinity: home is where the bound thread may run");
	allow(w, 0, 0);
	w->s.tasks[0].node = 0;
	w->s.tasks[2].node = 1;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 2, "affinity: threads bound apart, home of two");
	world_free(w);

	w = slices((const u32[]){ 0, 2, 1, 1, 0, 2, 3, 3 });
	allow(w, 1, 2);
	an_policy_homes(&w->s);
	ok(!run(w, NULL), "affinity: a bound task is not swapped");
	ok(an_policy_why_not(&w->s, 1, &best) == AN_R_AFFINITY && best == 0,
	   "why not: affinity");
	world_free(w);
}

static void test_isolated(void)
{
	struct world *w = world_new(2, 1, 1, 2);

	w->s.nodes[1].capacity = 0;
	put(w, 0, 0, 0);
	add_faults(w, 0, 1, 100, 0);
	add_pages(w, 0, 1, 1000);
	an_policy_homes(&w->s);
	ok(!run(w, NULL), "isolated: no target, though it says idle");
	w->faults[0].private = 0;
	w->faults[0].shared = 100;
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 0, "isolated: no home without CPUs");
	world_free(w);

	w = world_new(2, 2, 1, 2);
	w->s.nodes[1].room = 0;
	put(w, 0, 0, 1);
	put(w, 1, 0, 1);
	add_faults(w, 0, 0, 0, 100);
	add_faults(w, 1, 0, 0, 100);
	add_pages(w, 0, 0, 900);
	add_pages(w, 0, 1, 100);
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 0, "full node: home is where memory fits");
	w->s.nodes[1].room = 900;
	w->s.procs[0].home[0] = 0;
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 1, "full node: with room memory may follow");
	w->s.nodes[1].room = 0;
	w->s.procs[0].home[0] = 0;
	an_policy_homes(&w->s);
	ok(run(w, NULL) == 2, "full node: threads go to their memory");
	world_free(w);
}

/* A CPU-less node next to node 1: memory there draws to node 1. */
static void test_cpuless(void)
{
	struct world *w = world_new(3, 2, 1, 2);

	set_distance(w, 1, 2, 15);
	w->s.nodes[2].capacity = 0;
	put(w, 0, 0, 0);
	put(w, 1, 0, 1);
	add_faults(w, 0, 2, 100, 0);
	add_faults(w, 1, 1, 100, 0);
	ok(run(w, NULL) == 1 && w->s.tasks[0].node == 1,
	   "CPU-less node: the nearest CPUs");
	world_free(w);
}

static void test_chain(void)
{
	struct world *w = world_new(3, 3, 1, 1);
	struct an_step *steps;
	u32 t;

	for (t = 0; t < 3; t++) {
		put(w, t, 0, t);
		add_faults(w, t, (t + 1) % 3, 100, 0);
	}
	ok(run(w, &steps) == 2 && w->s.tasks[0].node == 1 &&
	   w->s.tasks[1].node == 2 && w->s.tasks[2].node == 0,
	   "chain: a cycle of three is resolved by two swaps");
	ok(steps[0].other_goes_on && !steps[1].other_goes_on,
	   "chain: who only made way goes on, who is home does not");
	free(steps);
	world_free(w);
}

/* A task of which nothing is known makes way for one that is away from its memory. */
static void test_stranger(void)
{
	struct world *w = world_new(2, 2, 1, 1);
	struct an_step *steps;

	put(w, 0, 0, 0);
	put(w, 1, 0, 1);
	add_faults(w, 0, 1, 100, 0);
	ok(run(w, &steps) == 1 && !steps[0].other_goes_on,
	   "stranger: makes way, and has nowhere to go on to");
	free(steps);
	world_free(w);
}

static void test_load_bound(void)
{
	struct world *w = world_new(2, 3, 1, 2);
	u32 best;

	put(w, 0, 0, 0);
	put(w, 1, 0, 1);
	put(w, 2, 0, 1);
	add_faults(w, 0, 1, 100, 0);
	add_faults(w, 1, 1, 100, 0);
	add_faults(w, 2, 1, 100, 0);
	w->s.nodes[1].idle_cpus = 1;	/* a thread just went to sleep */
	ok(!run(w, NULL), "load bound: a full node takes no third task");
	ok(an_policy_why_not(&w->s, 0, &best) == AN_R_NO_ROOM && best == 1,
	   "why not: no room");
	ok(an_policy_why_not(&w->s, 1, &best) == AN_R_AT_BEST && best == 1,
	   "why not: at best");
	w->s.tasks[0].fixed = true;
	ok(an_policy_why_not(&w->s, 0, &best) == AN_R_COOLING,
	   "why not: cooling");
	w->s.min_faults = 1000;
	ok(an_policy_why_not(&w->s, 0, &best) == AN_R_NO_EVIDENCE,
	   "why not: no evidence");
	world_free(w);

	w = world_new(2, 4, 1, 2);
	for (best = 0; best < 4; best++)
		put(w, best, 0, best / 2);
	w->s.tasks[2].load = 100;
	add_faults(w, 0, 1, 100, 0);
	w->s.nodes[1].other_load = CPU;
	w->s.tasks[3].fixed = true;
	ok(!run(w, NULL), "load bound: heavy for light would overload");
	world_free(w);
}

/* Where the scheduler should keep a task: two on node 0, the second uses node 1. */
static struct world *two_kept(void)
{
	struct world *w = world_new(2, 2, 2, 2);

	put(w, 0, 0, 0);
	put(w, 1, 1, 0);
	add_faults(w, 0, 0, 100, 0);
	add_faults(w, 1, 1, 100, 0);
	return w;
}

static void test_preferred(void)
{
	struct an_stay stay = { .why = AN_R_NO_ROOM, .kept = 2,
				.preferred = AN_NO_NODE, .follows = true };
	struct world *w = two_kept();
	struct an_snapshot *s = &w->s;

	ok(an_policy_preferred(s, 0, &stay) == 0, "preferred: the node of its use");
	ok(an_policy_preferred(s, 1, &stay) == AN_NO_NODE, "preferred: no other");
	stay.kept = 3;
	ok(an_policy_preferred(s, 1, &stay) == 0,
	   "preferred: where it was kept from a better one");
	stay.follows = false;
	ok(an_policy_preferred(s, 1, &stay) == AN_NO_NODE,
	   "preferred: not if its memory cannot come");
	stay.why = AN_R_AT_BEST;
	ok(an_policy_preferred(s, 1, &stay) == 0,
	   "preferred: where no other node is better");
	stay.why = AN_R_NO_EVIDENCE;
	ok(an_policy_preferred(s, 1, &stay) == AN_NO_NODE,
	   "preferred: nothing without evidence");
	stay.preferred = 0;
	ok(an_policy_preferred(s, 1, &stay) == 0, "preferred: what it is, stays so");
	stay.preferred = 1;
	ok(an_policy_preferred(s, 1, &stay) == AN_NO_NODE,
	   "preferred: but not once it has left");
	s->procs[1].moving = true;
	stay.away = 4;
	ok(an_policy_preferred(s, 1, &stay) == 1,
	   "preferred: expected back while memory comes");
	stay.away = 5;
	ok(an_policy_preferred(s, 1, &stay) == 0,
	   "preferred: anywhere while memory comes");
	s->procs[1].home[0] = 2;
	ok(an_policy_preferred(s, 1, &stay) == AN_NO_NODE,
	   "preferred: not away from home");
	s->tasks[1].node = 1;
	ok(an_policy_preferred(s, 1, &stay) == 1, "preferred: at home");
	world_free(w);
}

/* Two threads of a process whose memory moves, on two nodes. */
static u32 steps_while_moving(u32 here, u32 there)
{
	struct world *w = world_new(2, 2, 2, 1);
	u32 nr, t;

	for (t = 0; t < 2; t++) {
		put(w, t, 0, t);
		add_faults(w, t, t, here, 0);
		add_faults(w, t, 1 - t, there, 0);
	}
	w->s.procs[0].moving = true;
	nr = run(w, NULL);
	world_free(w);
	return nr;
}

/* One thread of such a process, and room where its memory is. */
static u32 steps_towards_memory(bool moving)
{
	struct world *w = world_new(2, 1, 1, 2);
	u32 nr;

	put(w, 0, 0, 0);
	add_faults(w, 0, 1, 100, 0);
	w->s.nodes[1].idle_cpus = 2;
	w->s.procs[0].moving = moving;
	nr = run(w, NULL);
	world_free(w);
	return nr;
}

static void test_left_behind(void)
{
	ok(steps_while_moving(0, 100) == 1, "moving: who was left behind changes places");
	ok(!steps_while_moving(40, 60), "moving: not who is met halfway");
	ok(steps_towards_memory(false) == 1, "moving: a move where nothing moves");
	ok(!steps_towards_memory(true), "moving: no move while memory comes");
}

static void test_kept(void)
{
	ok(an_policy_kept(AN_R_NO_ROOM), "kept: for lack of room");
	ok(an_policy_kept(AN_R_AFFINITY), "kept: by affinity");
	ok(an_policy_kept(AN_R_COOLING), "kept: as its moves come undone");
	ok(!an_policy_kept(AN_R_AT_BEST), "kept: not at the best node");
	ok(!an_policy_kept(AN_R_MEMORY_COMES), "kept: not while memory comes");
}

/* Five tasks here, three there, two CPUs each: nobody idle, yet uneven. */
static void test_even(void)
{
	struct world *w = world_new(2, 8, 8, 2);
	struct an_step *steps;
	u32 t, nr;

	for (t = 0; t < 8; t++) {
		put(w, t, t, t > 4);
		add_faults(w, t, t > 3, 100, 0);
	}
	nr = run(w, &steps);
	ok(nr == 1 && steps[0].task == 4 && steps[0].reason == AN_R_MOVE_EVEN,
	   "even: to the less crowded of two full nodes");
	free(steps);
	add_faults(w, 0, 1, 1000, 0);
	ok(!run(w, NULL), "even: but not the other way round");
	world_free(w);
}

/* Loads of busy threads and kernel threads wander; homes must not. */
static void test_noise(void)
{
	struct world *w = sharers(4, 2, 4, 2);
	u32 i, n, t, flaps = 0, steps = 0;
	unsigned long *before;

	scatter(w, 2);
	find_homes(w);
	run(w, NULL);
	before = need(4, sizeof(long));
	memcpy(before, w->homes, 4 * sizeof(long));
	for (i = 0; i < 1000; i++) {
		for (n = 0; n < 4; n++) {
			w->s.nodes[n].other_load = rnd(300);
			w->s.nodes[n].idle_cpus = rnd(3);
		}
		for (t = 0; t < 8; t++)
			w->s.tasks[t].load = 900 + rnd(125);
		find_homes(w);
		flaps += !!memcmp(before, w->homes, 4 * sizeof(long));
		steps += run(w, NULL);
	}
	ok(!flaps && !steps, "noise: %u flaps, %u steps in 1000 calls", flaps,
	   steps);
	/* And while the load balancer keeps throwing two threads about. */
	for (i = 0; i < 1000; i++) {
		u32 a = rnd(8), b = rnd(8), node = w->s.tasks[a].node;

		w->s.tasks[a].node = w->s.tasks[b].node;
		w->s.tasks[b].node = node;
		find_homes(w);
		flaps += !!memcmp(before, w->homes, 4 * sizeof(long));
		run(w, NULL);
	}
	ok(!flaps && at_home(w) == 8, "noise: %u flaps in 1000 disturbances",
	   flaps);
	free(before);
	world_free(w);
}

/* Two homeless neighbours and other load must leave a home where it is. */
static void test_hysteresis(void)
{
	struct world *w = sharers(2, 4, 1, 4);

	scatter(w, 4);
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 0, "hysteresis: first home where memory is");
	w->s.nodes[0].other_load = CPU / 2;
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 0, "hysteresis: half a CPU of noise is borne");
	w->s.nodes[0].other_load = 2 * CPU;
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 1, "hysteresis: two busy CPUs are not");
	world_free(w);
}

/* Settled tasks without home, and homes that stand crosswise. */
static void test_contest(void)
{
	struct world *w = sharers(2, 2, 2, 2);
	u32 t;

	for (t = 0; t < 4; t++)
		put(w, t, t / 2, 1);
	for (t = 2; t < 4; t++) {
		w->s.tasks[t].nr_faults = 0;
		w->faults[w->s.tasks[t].faults].shared = 0;
		add_faults(w, t, 0, 100, 0);
	}
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 1 && !home_size(w, 1),
	   "contest: settled private tasks keep a home off their node");
	world_free(w);

	w = sharers(2, 2, 2, 2);
	for (t = 0; t < 4; t++)
		put(w, t, t / 2, t / 2);
	for (t = 0; t < 2; t++) {
		w->pages[w->s.procs[t].pages].node = t;
		w->s.procs[t].home[0] = 2 - t;
	}
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 0 && home_of(w, 1) == 1,
	   "contest: homes that stand crosswise are exchanged");
	for (t = 0; t < 2; t++)
		w->s.procs[t].home[0] = 2 - t;
	w->s.procs[1].dry = true;
	an_policy_homes(&w->s);
	ok(home_of(w, 0) == 1 && home_of(w, 1) == 0,
	   "contest: but not with what a dry run has, that stays");
	world_free(w);
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_fault();
	test_tells();
	test_knows();
	test_foreign();
	test_regions();
	test_crowded();
	test_turn();
	test_core();
	test_steady_core();
	test_spread();
	test_names();
	test_four_by_two();
	test_private();
	test_wish();
	test_mems();
	test_oversize();
	test_table();
	test_overcommit(2);
	test_overcommit(4);
	test_affinity();
	test_isolated();
	test_cpuless();
	test_chain();
	test_stranger();
	test_load_bound();
	test_preferred();
	test_kept();
	test_left_behind();
	test_even();
	test_noise();
	test_hysteresis();
	test_contest();
	test_homes();
	test_properties();
	test_optimal(true, 1.0);
	test_optimal(false, 3.0);
	test_simulations();
	return done();
}
