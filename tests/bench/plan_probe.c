// SPDX-License-Identifier: GPL-2.0
/*
 * plan_probe CPUS:CPUS:... DISTANCE:DISTANCE:... MODE-NUMBER BIND-NUMBER PROCS THREADS: what tests/load/plan.c plans on
 * a machine that is not there. Prints a line for each group: the nodes of its threads, and after "/" those of its
 * memory.
 */
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>

#include "../load/load.h"

static int cpus[MAX_NODES], distances[MAX_NODES * MAX_NODES], nr;

struct options opt;
unsigned int proc;

void die(const char *format, ...)
{
	fputs(format, stderr);
	exit(1);
}

void check(int result, const char *what)
{
	if (result < 0)
		die(what);
}

/* libnuma, of that machine */
int numa_available(void) { return 0; }
int numa_max_node(void) { return nr - 1; }
int numa_distance(int a, int b) { return distances[a * nr + b]; }
long long numa_node_size64(int node, long long *spare) { (void)node; (void)spare; return 1; }
int numa_run_on_node(int node) { (void)node; return 0; }
long set_mempolicy(int mode, const unsigned long *mask, unsigned long max) { (void)mode; (void)mask; (void)max; return 0; }

static struct bitmask looked_at;

struct bitmask *numa_allocate_cpumask(void) { return &looked_at; }
void numa_bitmask_free(struct bitmask *mask) { (void)mask; }
int numa_node_to_cpus(int node, struct bitmask *mask) { mask->size = cpus[node]; return 0; }
unsigned int numa_bitmask_weight(const struct bitmask *mask) { return mask->size; }

static int numbers(char *text, int *list)
{
	int n = 0;

	for (char *end = text; *end; n++) {
		list[n] = strtol(text, &end, 10);
		text = end + 1;
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned int size;

	if (argc != 7)
		return 2;
	nr = numbers(argv[1], cpus);
	numbers(argv[2], distances);
	opt.mode = atoi(argv[3]);
	opt.bind = atoi(argv[4]);
	opt.procs = atoi(argv[5]);
	opt.threads = atoi(argv[6]);
	find_nodes();
	make_plan();
	size = group_size();
	for (unsigned int group = 0; group < nr_all() / size; group++) {
		for (unsigned int n = 0; n < size; n++)
			printf("%u ", home_of_thread(group * size + n));
		printf("/");
		/* So many that each of several nodes has one. */
		for (unsigned int n = 0, last = MAX_NODES; n < 64 * nr_nodes; n++) {
			unsigned int node = node_of_group_memory(group, n, 64 * nr_nodes);

			if (node != last)
				printf(" %u", node);
			last = node;
		}
		puts("");
	}
	return 0;
}
