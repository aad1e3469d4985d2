// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of homes that need not change: beside tasks with little memory, newcomers,
 * and processes whose threads wait. See policy_test.c.
 */
#include "policy_homes.h"
#include "unit.h"
#include "world.h"

/* A process that no node holds, at home on two of four, and a lone task on one of them. */
static void test_lone(void)
{
	struct world *w = world_new(4, 5, 2, 2);
	u32 t;

	for (t = 0; t < 4; t++) {
		put(w, t, 0, t / 2);
		add_faults(w, t, t / 2, 0, 100);
	}
	put(w, 4, 1, 1);
	add_faults(w, 4, 1, 100, 0);
	add_pages(w, 0, 0, 500);
	add_pages(w, 0, 1, 500);
	add_pages(w, 1, 1, 10);
	w->s.procs[0].home[0] = 3;
	an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] == 3, "lone: with little memory it makes room");
	w->pages[w->s.procs[1].pages].pages = 1000;
	an_policy_homes(&w->s);
	ok(!in_map(w->s.procs[0].home, 1), "lone: with much the home does");
	w->pages[w->s.procs[1].pages].pages = 10;
	w->s.procs[0].home[0] = 3;
	allow(w, 4, 1);
	an_policy_homes(&w->s);
	ok(!in_map(w->s.procs[0].home, 1), "lone: as it does if that may run there only");
	world_free(w);
}

/* A newcomer larger than a node finds its home beside those that stand. */
static void test_newcomer(void)
{
	struct world *w = world_new(4, 9, 2, 2);
	bool stayed = true;
	u32 i, t, p;

	for (t = 0; t < 9; t++) {
		put(w, t, t / 4 ? 1 : 0, t % 4);
		add_faults(w, t, t < 4 ? 2 : 3, 0, 100);
	}
	add_pages(w, 0, 2, 1000);
	add_pages(w, 1, 3, 1000);
	w->s.procs[0].home[0] = 0xc;
	for (i = 0; i < 3; i++)
		an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] == 0xc, "newcomer: who is at home stays");
	ok(in_map(w->s.procs[1].home, 0) && in_map(w->s.procs[1].home, 1),
	   "newcomer: and it takes what is free");
	world_free(w);

	/* Larger than what is free on any few nodes, and never at their expense. */
	w = world_new(8, 32, 9, 4);
	for (t = 0; t < 32; t++) {
		p = t < 16 ? t / 2 : 8;
		put(w, t, p, t < 16 ? p : t % 8);
		add_faults(w, t, t < 16 ? p : 0, 0, 100);
	}
	for (p = 0; p < 9; p++) {
		add_pages(w, p, p % 8, 1000);
		if (p < 8)
			w->s.procs[p].home[0] = 1UL << p;
	}
	for (i = 0; i < 3; i++)
		an_policy_homes(&w->s);
	ok(home_size(w, 8) == 8, "newcomer: a large one shares all nodes");
	for (p = 0; p < 8; p++)
		stayed &= w->s.procs[p].home[0] == 1UL << p;
	ok(stayed, "newcomer: with those that are at home there");
	for (t = 16; t < 32; t++)
		w->s.tasks[t].load = 2 * CPU / 5;
	for (i = 0; i < 6; i++)
		an_policy_homes(&w->s);
	ok(home_size(w, 8) == 4, "newcomer: and only four when they do");
	world_free(w);
}

/* A process outgrows its node, beside one that is at home on two, and a free node. */
static void test_outgrown(void)
{
	struct world *w = world_new(4, 8, 2, 2);
	u32 t;

	for (t = 0; t < 8; t++) {
		put(w, t, t / 4, t < 4 ? 0 : 1 + t % 2);
		add_faults(w, t, t < 4 ? 0 : 1, 0, 100);
	}
	add_pages(w, 0, 0, 1000);
	add_pages(w, 1, 1, 500);
	add_pages(w, 1, 2, 500);
	w->s.procs[0].home[0] = 1;
	w->s.procs[1].home[0] = 6;
	an_policy_homes(&w->s);
	ok(w->s.procs[1].home[0] == 6, "outgrown: who has not stays at home");
	ok(w->s.procs[0].home[0] == 9, "outgrown: who has takes what is free");
	world_free(w);
}

/* No node has half a CPU to give. */
static void test_crowded(void)
{
	struct world *w = sharers(8, 2, 1, 3);
	u32 n;

	scatter(w, 3);
	for (n = 0; n < 8; n++)
		w->s.nodes[n].other_load = 17 * CPU / 10;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 8, "crowded: a newcomer is at home anywhere");
	w->s.procs[0].home[0] = 3;
	an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] == 3, "crowded: who was at home before stays there");
	w->s.procs[0].home[0] = 1;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 8, "crowded: but not if it has outgrown that");
	world_free(w);
}

/*
 * Two processes of two threads, one of each held on a node, the other of the first one
 * on the node where that of the second is held.
 */
static struct world *two_held(void)
{
	struct world *w = sharers(4, 2, 2, 2);
	u32 t;

	for (t = 0; t < 4; t++) {
		put(w, t, t / 2, t == 0 ? 1 : t == 2 ? 0 : 3);
		add_faults(w, t, t / 2, 0, 100);
	}
	allow(w, 0, 1);
	allow(w, 3, 3);
	add_pages(w, 0, 1, 400);
	add_pages(w, 0, 3, 600);
	add_pages(w, 1, 0, 1000);
	return w;
}

static void test_held(void)
{
	struct world *w = two_held();

	w->s.procs[0].home[0] = 0xa;
	w->s.procs[1].home[0] = 0x5;
	an_policy_homes(&w->s);
	ok(in_map(w->s.procs[1].home, 3) && home_size(w, 1) <= 2,
	   "held: no home where a thread cannot be");
	ok(w->s.procs[0].home[0] == 2, "held: and one node, where the thread is, if it suffices");
	an_policy_homes(&w->s);
	an_policy_homes(&w->s);
	ok(w->s.procs[0].home[0] == 2 && w->s.procs[1].home[0] == 8,
	   "held: as for the other one, once there is room");
	w->s.procs[1].home[0] = 9;
	w->s.tasks[2].load = CPU / 50;
	w->s.nodes[3].other_load = CPU;
	an_policy_homes(&w->s);
	ok(w->s.procs[1].home[0] == 8, "held: though that is a little more than there is");
	w->s.tasks[2].load = CPU;
	an_policy_homes(&w->s);
	ok(in_map(w->s.procs[1].home, 3) && home_size(w, 1) == 2,
	   "held: half of it stays with the thread where the node is half full");
	world_free(w);

	/* Three threads, one of them held on a node that has no CPU for it. */
	w = sharers(8, 2, 1, 3);
	allow(w, 2, 7);
	w->s.nodes[7].other_load = 2 * CPU;
	an_policy_homes(&w->s);
	ok(in_map(w->s.procs[0].home, 7) && home_size(w, 0) <= 3,
	   "held: nor all nodes where it is full");
	w->s.procs[0].home[0] = 1;
	w->s.nodes[7].capacity = 0;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 2, "held: where it has none the others say");
	world_free(w);
}

/* A home of several nodes of which its process fills fewer by now. */
static void test_drop(void)
{
	struct world *w = sharers(4, 2, 1, 8);
	u32 t;

	scatter(w, 8);
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 4, "drop: all nodes while it fills them");
	for (t = 0; t < 8; t++)
		w->s.tasks[t].load = 3 * CPU / 5;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 3, "drop: one less when it does not");
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 3, "drop: and no more than that");
	for (t = 0; t < 8; t++)
		w->s.tasks[t].load = CPU / 6;
	an_policy_homes(&w->s);
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 1 && home_of(w, 0) == 0,
	   "drop: the one with its memory stays");
	world_free(w);

	w = sharers(8, 2, 1, 8);
	scatter(w, 8);
	for (t = 0; t < 32; t++)
		allow(w, t % 8, t / 8);
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 4, "drop: all nodes of a cpuset");
	for (t = 0; t < 8; t++)
		w->s.tasks[t].load = 2 * CPU / 5;
	an_policy_homes(&w->s);
	ok(home_size(w, 0) == 2, "drop: two of them when that does");
	world_free(w);
}

/* What a thread wanted before it waits for its memory, and afterwards. */
static void test_want(void)
{
	u32 want = CPU, i;

	for (i = 0; i < 20; i++)
		want = an_policy_want(want, CPU / 3, true);
	ok(want > CPU / 2, "want: a wait of 5 s leaves half and more (%u)", want);
	for (i = 0; i < 20; i++)
		want = an_policy_want(want, CPU / 3, false);
	ok(want < CPU / 3 + 8, "want: it is the load again when it ends (%u)", want);
	ok(an_policy_want(10, CPU, false) == CPU && an_policy_want(10, CPU, true) == CPU,
	   "want: never less than the load");
}

/* Threads that wait for memory on its way want what they wanted before. */
static void test_waiting(void)
{
	struct world *w = sharers(4, 2, 2, 4);
	u32 t;

	scatter(w, 4);
	for (t = 0; t < 4; t++) {
		w->s.tasks[t].load = 2 * CPU / 5;
		w->s.tasks[t].want = CPU;
	}
	w->s.procs[0].home[0] = 3;
	w->s.procs[0].moving = true;
	w->pages[w->s.procs[1].pages].node = 1;
	an_policy_homes(&w->s);
	ok(!(w->s.procs[0].home[0] & w->s.procs[1].home[0]),
	   "waiting: their home is not another's");
	world_free(w);
}

#define NICE_0	1024
#define NICE_5	335

/* So many tasks of nice 0 and of nice 5 on 4 CPUs, weighed. */
static struct world *weighed(u32 nice_0, u32 nice_5)
{
	struct world *w = world_new(2, nice_0 + nice_5, 1, 2);
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++)
		w->s.tasks[t].weight = t < nice_0 ? NICE_0 : NICE_5;
	an_policy_weigh(&w->s);
	return w;
}

static void test_weigh(void)
{
	struct world *w = weighed(2, 2);
	u32 t;

	ok(w->s.tasks[3].load == CPU, "weigh: with enough CPUs all count in full");
	world_free(w);
	w = weighed(4, 4);
	ok(w->s.tasks[0].load == CPU && w->s.tasks[7].load == CPU * NICE_5 / NICE_0 &&
	   !w->s.tasks[7].want, "weigh: else by their weights");
	world_free(w);
	w = weighed(3, 2);
	ok(w->s.tasks[0].load == CPU && w->s.tasks[4].load == CPU / 2,
	   "weigh: but no CPU is idle for that");
	w->s.tasks[0].weight = 1 << 30;
	an_policy_weigh(&w->s);
	ok(w->s.tasks[4].load >= 1, "weigh: nobody counts for nothing");
	world_free(w);
	w = weighed(0, 8);
	for (t = 0; t < 4; t++) {
		w->s.tasks[t].weight = NICE_0;
		w->s.tasks[t].group = 1;
	}
	an_policy_weigh(&w->s);
	ok(w->s.tasks[0].load == CPU && w->s.tasks[7].load == CPU,
	   "weigh: not beside those of other groups");
	for (t = 0; t < 8; t++)
		w->s.tasks[t].group = AN_WEIGHT_GROUPS;
	an_policy_weigh(&w->s);
	ok(w->s.tasks[7].load == CPU, "weigh: nor if there are too many groups");
	world_free(w);
}

/* Two processes for each of four nodes; those of nice 0 were born on two of them. */
static struct world *born_by_weight(void)
{
	struct world *w = world_new(4, 16, 8, 2);
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++) {
		u32 node = t / 4;

		put(w, t, t / 2, node);
		add_faults(w, t, node, 0, 100);
		if (t % 2)
			add_pages(w, t / 2, node, 1000);
		w->s.tasks[t].weight = t < 8 ? NICE_0 : NICE_5;
	}
	return w;
}

/* How many processes of nice 0 have the same home, at most. */
static u32 crowd_of_nice_0(struct world *w)
{
	u32 most = 0, homes, p, n;

	an_policy_homes(&w->s);
	for (n = 0; n < 4; n++) {
		for (homes = 0, p = 0; p < 4; p++)
			homes += in_map(w->s.procs[p].home, n);
		most = homes > most ? homes : most;
	}
	world_free(w);
	return most;
}

static void test_weighed_homes(void)
{
	struct world *w = born_by_weight();

	ok(crowd_of_nice_0(w) == 2, "weigh: those of nice 0 would stay together");
	w = born_by_weight();
	an_policy_weigh(&w->s);
	ok(crowd_of_nice_0(w) == 1, "weigh: but they do not share CPUs with each other");
}

void test_homes(void)
{
	test_weigh();
	test_weighed_homes();
	test_lone();
	test_newcomer();
	test_outgrown();
	test_crowded();
	test_waiting();
	test_held();
	test_drop();
	test_want();
}
