// SPDX-License-Identifier: GPL-2.0
/* What keeps autonuma from working on this machine: its nodes. */
#define _GNU_SOURCE
#include <stdlib.h>
#include "doctor.h"
#include "file.h"
#include "findings.h"
#include "nodes.h"
#include "output.h"

#define LOCAL		10	/* LOCAL_DISTANCE */
#define UNREACHABLE	254	/* from here on, in the tables of the firmware */

struct distances {
	unsigned int nr, table[MAX_NODES][MAX_NODES];	/* by place in the list of nodes */
};

static void read_row(struct distances *d, unsigned int row, unsigned int node)
{
	char *list = read_textf("/sys/devices/system/node/node%u/distance", node), *at = list;
	unsigned int i;

	for (i = 0; list && i < d->nr; i++)
		d->table[row][i] = strtoul(at, &at, 10);
	free(list);
}

static struct distances *read_distances(const struct nodes *online)
{
	struct distances *d = need(calloc(1, sizeof(*d)));
	unsigned int node, row = 0;

	d->nr = nodes_count(online);
	for (node = nodes_next(online, 0); node < MAX_NODES; node = nodes_next(online, node + 1))
		read_row(d, row++, node);
	return d;
}

static bool is_implausible(const struct distances *d, unsigned int from, unsigned int to)
{
	unsigned int there = d->table[from][to];

	if (from == to)
		return there != LOCAL;
	return there <= LOCAL || there >= UNREACHABLE || there != d->table[to][from];
}

struct summary {
	unsigned int implausible, nearest, farthest;
};

static struct summary summarize(const struct distances *d)
{
	struct summary s = { .nearest = -1U };
	unsigned int i, j;

	for (i = 0; i < d->nr; i++) {
		for (j = 0; j < d->nr; j++) {
			s.implausible += is_implausible(d, i, j);
			if (i != j && d->table[i][j] < s.nearest)
				s.nearest = d->table[i][j];
			if (i != j && d->table[i][j] > s.farthest)
				s.farthest = d->table[i][j];
		}
	}
	return s;
}

static void check_distances(struct findings *f, const struct nodes *online)
{
	struct distances *d = read_distances(online);
	struct summary s = summarize(d);

	if (s.implausible)
		find(f, "distances", FIND_WARN,
		     "compare numactl --hardware with the hardware; a firmware update may help",
		     "%u of %u distances are implausible: autonuma weighs nodes by them",
		     s.implausible, d->nr * d->nr);
	else if (d->nr > 2 && s.nearest == s.farthest)
		find(f, "distances", FIND_INFO, NULL,
		     "all remote nodes are equally far (%u), says the firmware", s.nearest);
	else
		find(f, "distances", FIND_OK, NULL, "from %u to %u between nodes", s.nearest,
		     s.farthest);
	free(d);
}

static void check_lopsided(struct findings *f, const struct nodes *online,
			   const struct nodes *with_memory, const struct nodes *with_cpus)
{
	unsigned int node;

	for (node = nodes_next(online, 0); node < MAX_NODES; node = nodes_next(online, node + 1)) {
		if (!nodes_have(with_memory, node))
			find(f, "nodes", FIND_INFO, NULL,
			     "node %u has no memory: its programs use that of other nodes", node);
		if (!nodes_have(with_cpus, node))
			find(f, "nodes", FIND_INFO, NULL,
			     "node %u has no CPUs: its pages move to the CPUs that use them", node);
	}
}

bool check_nodes(struct findings *f)
{
	struct nodes online, with_memory, with_cpus;
	unsigned int nr;

	if (!nodes_read(&online, "online") || !nodes_read(&with_memory, "has_memory") ||
	    !nodes_read(&with_cpus, "has_cpu")) {
		find(f, "nodes", FIND_WARN, "is this a kernel with CONFIG_NUMA=y?",
		     "no nodes in /sys/devices/system/node");
		return false;
	}
	nr = nodes_count(&with_memory);
	if (nr < 2) {
		find(f, "nodes", FIND_INFO, NULL, "one node has memory: nothing to balance here");
		return false;
	}
	find(f, "nodes", FIND_OK, NULL, "%u nodes with memory", nr);
	check_lopsided(f, &online, &with_memory, &with_cpus);
	check_distances(f, &online);
	return true;
}
