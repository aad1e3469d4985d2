// SPDX-License-Identifier: GPL-2.0
/*
 * The nodes, where threads and memory begin, and where they belong.
 *
 * The plan is the best placement that leaves no CPU idle while a thread waits: a group, which is threads that share
 * memory, goes to one node as far as the CPUs there allow, then to the nearest ones, and its memory to where most of
 * its CPU time is. Inverse is the same threads, and the memory farthest from them: where their group runs least, if all
 * nodes are equally far apart. tests/bench/workloads.py computes the same shares.
 */
#define _GNU_SOURCE
#include <numa.h>
#include <numaif.h>

#include "load.h"

unsigned int nodes[MAX_NODES], nr_nodes;

static unsigned int cpus[MAX_NODES];		/* this and all that follow: by index into nodes[] */
static bool has_memory[MAX_NODES];
static int distance[MAX_NODES][MAX_NODES];
static int nearest = 1 << 30, farthest;		/* the least and the most distance of two nodes */
static unsigned int seats[MAX_NODES];		/* threads that belong there */
static unsigned int vacant[MAX_NODES];		/* of these, while the plan is made */
static unsigned int home[MAX_THREADS];
static struct group {
	unsigned int on[MAX_NODES], seated, first;
	unsigned int memory[MAX_NODES], nr_memory;
} groups[MAX_THREADS];

static void find_distances(void)
{
	for (unsigned int a = 0; a < nr_nodes; a++) {
		for (unsigned int b = 0; b < nr_nodes; b++) {
			distance[a][b] = numa_distance(nodes[a], nodes[b]);
			if (!distance[a][b])	/* not told */
				distance[a][b] = a == b ? 10 : 20;
			if (a != b && distance[a][b] < nearest)
				nearest = distance[a][b];
			if (a != b && distance[a][b] > farthest)
				farthest = distance[a][b];
		}
	}
}

void find_nodes(void)
{
	struct bitmask *mask = numa_allocate_cpumask();

	if (numa_available() < 0)
		die("no NUMA here");
	for (int node = 0; node <= numa_max_node(); node++) {
		if (!numa_node_to_cpus(node, mask) && numa_bitmask_weight(mask)) {
			cpus[nr_nodes] = numa_bitmask_weight(mask);
			has_memory[nr_nodes] = numa_node_size64(node, NULL) > 0;
			nodes[nr_nodes++] = node;
		}
	}
	numa_free_cpumask(mask);
	find_distances();
}

/* Threads whose numbers follow each other, and that should be together. */
unsigned int group_size(void)
{
	switch (opt.mode) {
	case PRIVATE: case PHASE: case STRIPE: case VISIT:
		return 1;
	case PIPE: case SLEEP:
		return 2;
	case SEGMENT:
		return opt.parts ? opt.threads : nr_all();
	default:
		return opt.threads;
	}
}

/* As many as CPUs, or the same number for each CPU, as nearly as can be. */
static void count_seats(void)
{
	unsigned int all = 0, given = 0;

	for (unsigned int n = 0; n < nr_nodes; n++)
		all += cpus[n];
	for (unsigned int n = 0; n < nr_nodes; n++) {
		seats[n] = nr_all() <= all ? cpus[n] : nr_all() * cpus[n] / all;
		given += seats[n];
	}
	for (unsigned int n = 0; given < nr_all(); n++, given++)
		seats[n]++;
	for (unsigned int n = 0; n < nr_nodes; n++)
		vacant[n] = seats[n];
}

/* By how much two nodes are farther apart than the nearest ones are: 0 everywhere, if all are equally far. */
static int detour(unsigned int a, unsigned int b)
{
	return distance[a][b] > nearest ? distance[a][b] - nearest : 0;
}

/* Where a group begins: the roomiest node; of several the one farthest from where others began, so that all have room. */
static unsigned int first_node(unsigned int number)
{
	unsigned int best = 0;
	int most = -1;

	for (unsigned int n = 0; n < nr_nodes; n++) {
		int apart = 1 << 30;

		for (unsigned int other = 0; other < number; other++) {
			if (detour(n, groups[other].first) < apart)
				apart = detour(n, groups[other].first);
		}
		if (vacant[n] > vacant[best] || (vacant[n] == vacant[best] && apart > most)) {
			best = n;
			most = apart;
		}
	}
	return best;
}

/*
 * Where it goes on: the nearest node that has room; of several the roomiest one. On a ring all groups look the same way
 * round first, so that none takes what is between two others.
 */
static unsigned int next_node(const struct group *g)
{
	unsigned int from = farthest > nearest ? g->first + 1 : 0, best = 0;
	int shortest = -1;

	for (unsigned int i = 0; i < nr_nodes; i++) {
		unsigned int n = (from + i) % nr_nodes;
		int way = 0;

		for (unsigned int at = 0; at < nr_nodes; at++)
			way += g->on[at] ? detour(n, at) : 0;
		if (vacant[n] && (shortest < 0 || way < shortest || (way == shortest && vacant[n] > vacant[best]))) {
			best = n;
			shortest = way;
		}
	}
	return best;
}

/* Seats as many of a group's threads as go into a node. */
static void seat(unsigned int number, unsigned int n)
{
	struct group *g = &groups[number];

	while (g->seated < group_size() && vacant[n]) {
		home[number * group_size() + g->seated++] = n;
		g->on[n]++;
		vacant[n]--;
	}
}

/* How much of a group runs on a node, in CPUs. */
static double running(const struct group *g, unsigned int n)
{
	return seats[n] > cpus[n] ? (double)g->on[n] * cpus[n] / seats[n] : g->on[n];
}

/* The way of all of a group to a node: longest where it runs least, if all nodes are equally far apart. */
static double way_to(const struct group *g, unsigned int n)
{
	double sum = 0;

	for (unsigned int from = 0; from < nr_nodes; from++)
		sum += running(g, from) * distance[from][n];
	return sum;
}

/* From node first on, those with memory of which a group has most; of these at most so many. */
static void list_nodes(struct group *g, unsigned int first, double (*has)(const struct group *g, unsigned int n),
		       unsigned int most)
{
	double best = -1e9;

	for (unsigned int n = 0; n < nr_nodes; n++) {
		if (has_memory[n] && has(g, n) > best)
			best = has(g, n);
	}
	g->nr_memory = 0;
	for (unsigned int i = 0; i < nr_nodes && g->nr_memory < most; i++) {
		unsigned int n = (first + i) % nr_nodes;

		if (has_memory[n] && has(g, n) > best - 1e-6)
			g->memory[g->nr_memory++] = n;
	}
}

static void place_memory(struct group *g)
{
	list_nodes(g, 0, running, nr_nodes);
	if (opt.bind == BIND_INVERSE)
		list_nodes(g, g->memory[0] + 1, way_to, g->nr_memory);
}

void make_plan(void)
{
	unsigned int nr_groups = nr_all() / group_size();

	count_seats();
	for (unsigned int n = 0; n < nr_groups; n++) {
		groups[n].first = first_node(n);
		seat(n, groups[n].first);
	}
	for (unsigned int n = 0; n < nr_groups; n++) {
		while (groups[n].seated < group_size())
			seat(n, next_node(&groups[n]));
		place_memory(&groups[n]);
	}
}

unsigned int home_of_thread(unsigned int number)
{
	return nodes[home[number]];
}

/* If several nodes are as good, the memory is split between them. */
unsigned int node_of_group_memory(unsigned int group, unsigned long index, unsigned long count)
{
	struct group *g = &groups[group];

	return nodes[g->memory[index * g->nr_memory / count]];
}

void set_policy(int policy, int node)
{
	unsigned long mask[MAX_NODES / 64] = { 1UL << node };

	check(set_mempolicy(policy, policy == MPOL_DEFAULT ? NULL : mask, MAX_NODES + 1), "set_mempolicy");
}

void run_on(int node)
{
	check(numa_run_on_node(node), "numa_run_on_node");
}

void begin_thread(unsigned int thread)
{
	unsigned int number = global_number(thread);

	if (opt.bind != BIND_NONE) {
		run_on(home_of_thread(number));
		set_policy(MPOL_BIND, node_of_group_memory(number / group_size(), 0, 1));
		return;
	}
	if (opt.spread)
		run_on(nodes[number % nr_nodes]);
	if (opt.born >= 0)
		set_policy(opt.spill ? MPOL_PREFERRED : MPOL_BIND, opt.born);
}

/* Nothing of the beginning remains: no policy, no affinity. */
void free_thread(void)
{
	if (opt.bind != BIND_NONE)
		return;
	if (opt.born >= 0)
		set_policy(MPOL_DEFAULT, 0);
	if (opt.spread)
		run_on(-1);
}
