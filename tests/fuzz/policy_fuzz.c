// SPDX-License-Identifier: GPL-2.0
/*
 * The policy on snapshots that a fuzzer makes up: bytes are read as a machine,
 * its tasks and their memory. Homes and steps in turn must come to rest, and no
 * step may break a constraint or raise J. "make fuzz" searches, replay.c runs
 * what it is given once more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "world.h"

#define MAX_NODES	40	/* more than all are weighed of */
#define MAX_TASKS	48
#define MAX_PASSES	32	/* until a frozen snapshot is at rest */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Input: 0 once it is used up, so that short ones make simple machines. */

static const u8 *input;
static size_t input_left;

static u32 byte(void)
{
	if (!input_left)
		return 0;
	input_left--;
	return *input++;
}

static u32 below(u32 limit)
{
	return limit ? byte() % limit : 0;
}

static bool flag(u32 of_256)
{
	return byte() > 255 - of_256;
}

/* A number of any size below 2^20: most are small. */
static u32 number(void)
{
	u32 value = byte();

	return value & 0x80 ? (value & 0x7f) << (6 + below(8)) : value;
}

static void fail(const char *what)
{
	fprintf(stderr, "policy_fuzz: %s\n", what);
	abort();
}

/* A snapshot */

static void read_map(const struct world *w, unsigned long *map)
{
	u32 n = below(w->s.nr_nodes);
	u32 stride = 1 + below(w->s.nr_nodes);
	u32 nr = below(8);

	for (; nr; nr--, n = (n + stride) % w->s.nr_nodes)
		map[n / WORD_BITS] |= 1UL << (n % WORD_BITS);
}

static void read_nodes(struct world *w)
{
	u32 kind = below(3);
	u32 n, m;

	for (n = 0; n < w->s.nr_nodes; n++) {
		struct an_node *node = &w->s.nodes[n];

		if (flag(32))
			node->capacity = byte() % 3 * CPU;
		node->other_load = flag(32) ? number() : 0;
		node->room = flag(32) ? number() : 1 << 20;
		/* What is idle need not agree with the loads. */
		node->idle_cpus = below(1 + node->capacity / CPU);
		for (m = 0; kind && m < w->s.nr_nodes; m++) {
			u8 *d = &w->distance[n * w->s.nr_nodes + m];

			if (kind == 1)
				*d = n == m ? 10 : n / 4 == m / 4 ? 12 : 32;
			else if (n != m)
				*d = 10 + byte();
		}
	}
}

static void read_proc(struct world *w, u32 p, unsigned long *wish, unsigned long *mems)
{
	struct an_proc *proc = &w->s.procs[p];
	u32 nr = below(1 + (w->s.nr_nodes < 6 ? w->s.nr_nodes : 6));
	u32 first = below(w->s.nr_nodes);
	u32 i;

	for (i = 0; i < nr; i++)
		add_pages(w, p, (first + i) % w->s.nr_nodes, number());
	if (flag(64))
		read_map(w, proc->home);
	proc->moving = flag(32);
	proc->dry = flag(16);
	if (flag(24)) {
		read_map(w, mems);
		proc->mems = mems;
	}
	if (!flag(16))
		return;
	read_map(w, wish);
	for (i = 0; i < w->s.nr_nodes; i++) {
		if (in_map(wish, i) && w->s.nodes[i].capacity)
			proc->wish = wish;
	}
	/* Nodes without CPUs are no home, as for the module. */
	for (i = 0; i < w->s.nr_nodes; i++) {
		if (!w->s.nodes[i].capacity)
			wish[i / WORD_BITS] &= ~(1UL << (i % WORD_BITS));
	}
}

static void read_task(struct world *w, u32 t)
{
	struct an_task *task = &w->s.tasks[t];
	u32 nr = below(5);

	task->proc = below(w->s.nr_procs);
	task->node = below(w->s.nr_nodes);
	task->load = flag(96) ? number() % (CPU + 1) : CPU;
	task->want = flag(32) ? number() % (CPU + 1) : 0;
	task->fixed = flag(24);
	task->bound = task->fixed && flag(128);
	if (flag(32)) {
		task->allowed = w->allowed + t * w->words;
		read_map(w, w->allowed + t * w->words);
	}
	for (; nr; nr--)
		add_faults(w, t, below(w->s.nr_nodes), number(), number());
}

static struct world *read_world(unsigned long **wishes, unsigned long **mems)
{
	u32 nodes = 1 + below(MAX_NODES);
	u32 tasks = below(MAX_TASKS + 1);
	u32 procs = 1 + below(tasks + 1);
	struct world *w = world_new(nodes, tasks, procs, 1 + below(4));
	u32 i;

	w->s.min_faults = below(65);
	w->s.min_gain = below(128);
	w->s.imbalance_pct = 100 + below(50);
	read_nodes(w);
	*wishes = need((size_t)procs * w->words, sizeof(long));
	*mems = need((size_t)procs * w->words, sizeof(long));
	for (i = 0; i < procs; i++)
		read_proc(w, i, *wishes + i * w->words, *mems + i * w->words);
	for (i = 0; i < tasks; i++)
		read_task(w, i);
	return w;
}

/* What may not happen */

static void move(struct world *w, u32 t, u32 from, u32 to)
{
	struct an_task *task = &w->s.tasks[t];

	if (t >= w->s.nr_tasks || from >= w->s.nr_nodes ||
	    to >= w->s.nr_nodes || from == to || task->node != from)
		fail("a step of what is not there");
	if (task->fixed)
		fail("a fixed task moves");
	if (task->allowed && !in_map(task->allowed, to))
		fail("a task moves to where it may not run");
	if (!w->s.nodes[to].capacity)
		fail("a task moves to a node without CPUs");
	task->node = to;
}

/* Plays a step in @w, which is as it was before. */
static void check_step(struct world *w, const struct an_step *step)
{
	u64 goal = an_policy_goal(&w->s);
	u64 from = node_load(w, step->from), to = node_load(w, step->to);

	move(w, step->task, step->from, step->to);
	if (step->other != AN_NO_TASK)
		move(w, step->other, step->to, step->from);
	if (!step->gain || an_policy_goal(&w->s) + step->gain != goal)
		fail("J does not fall by what a step promised");
	if (node_load(w, step->to) > to &&
	    node_load(w, step->to) > node_bound(w, step->to))
		fail("a node gets more load than it may have");
	if (node_load(w, step->from) > from &&
	    node_load(w, step->from) > node_bound(w, step->from))
		fail("a node gets more load back than it may have");
}

static void check_homes(const struct world *w)
{
	u32 p, n;

	for (p = 0; p < w->s.nr_procs; p++) {
		for (n = 0; n < w->s.nr_nodes; n++) {
			if (in_map(w->s.procs[p].home, n) &&
			    !w->s.nodes[n].capacity)
				fail("a home without CPUs");
			if (in_map(w->s.procs[p].home, n) && !w->s.procs[p].wish &&
			    w->s.procs[p].mems && !in_map(w->s.procs[p].mems, n))
				fail("a home that may not have its memory");
			if (in_map(w->s.procs[p].core, n) &&
			    !in_map(w->s.procs[p].home, n))
				fail("a core that is not at home");
		}
	}
}

static u32 check_balance(struct world *w)
{
	u32 *node = need(w->s.nr_tasks, sizeof(*node));
	u32 *after = need(w->s.nr_tasks, sizeof(*after));
	struct an_step *steps;
	u32 nr, t, i;

	for (t = 0; t < w->s.nr_tasks; t++)
		node[t] = w->s.tasks[t].node;
	nr = run(w, &steps);
	for (t = 0; t < w->s.nr_tasks; t++) {
		u32 best;

		an_policy_why_not(&w->s, t, &best);
		if (best >= w->s.nr_nodes)
			fail("a best node that is not there");
		after[t] = w->s.tasks[t].node;
		w->s.tasks[t].node = node[t];
	}
	for (i = 0; i < nr; i++)
		check_step(w, &steps[i]);
	for (t = 0; t < w->s.nr_tasks; t++) {
		if (w->s.tasks[t].node != after[t])
			fail("the steps do not lead to where the tasks are");
	}
	free(steps);
	free(after);
	free(node);
	return nr;
}

static u64 sum_loads(const struct world *w)
{
	u64 sum = 0;
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++)
		sum += w->s.tasks[t].load;
	return sum;
}

/* What the nodes have for the tasks. */
static u64 sum_rooms(const struct world *w)
{
	u64 sum = 0;
	u32 n;

	for (n = 0; n < w->s.nr_nodes; n++) {
		const struct an_node *node = &w->s.nodes[n];

		sum += node->capacity > node->other_load ? node->capacity - node->other_load : 0;
	}
	return sum;
}

/* Weights take off what the machine cannot run, and no more. */
static void weigh(struct world *w)
{
	u64 before = sum_loads(w), room = sum_rooms(w), after;
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++) {
		w->s.tasks[t].weight = flag(64) ? number() : 0;
		w->s.tasks[t].group = below(AN_WEIGHT_GROUPS + 2);
	}
	an_policy_weigh(&w->s);
	after = sum_loads(w);
	if (after > before)
		fail("weights add to the load");
	if (after != before && after < room)
		fail("weights leave CPUs idle");
}

/* libFuzzer's name. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned long *wishes, *mems, *homes;
	struct world *w;
	bool changed;
	u32 pass = 0;
	size_t bytes;

	input = data;
	input_left = size;
	w = read_world(&wishes, &mems);
	weigh(w);
	bytes = (size_t)w->s.nr_procs * w->words * sizeof(long);
	homes = need(1, bytes);
	do {
		memcpy(homes, w->homes, bytes);
		an_policy_homes(&w->s);
		check_homes(w);
		changed = check_balance(w);
		changed |= !!memcmp(homes, w->homes, bytes);
		if (changed && ++pass > MAX_PASSES)
			fail("it does not come to rest");
	} while (changed);
	free(homes);
	free(mems);
	free(wishes);
	world_free(w);
	return 0;
}
