// SPDX-License-Identifier: GPL-2.0
/*
 * probe: the accesses that calibrate the meter. For every node with CPUs it reads memory of which 100, 50, 25 and 0 %
 * is local, the rest on one other node, and every node with memory has its turn as the other. Each probe ends with a
 * mark, and is told on standard output:
 *	CPU-NODE OTHER-NODE LOCAL-PERCENT
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mark.h"

#define MAX_NODES	64
#define BUF_SIZE	(1UL << 20)	/* far more than the meter's cache */
#define LINE		64
#define PASSES		6
#define MPOL_BIND	2

static int cpu_of_node[MAX_NODES];	/* -1: none */
static int mem_node[MAX_NODES], nr_mem_nodes;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* "0-3,7" */
static int first_in_list(const char *path)
{
	FILE *f = fopen(path, "r");
	int first = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &first) != 1)
		first = -1;
	fclose(f);
	return first;
}

static void find_mem_nodes(void)
{
	FILE *f = fopen("/sys/devices/system/node/has_memory", "r");
	int first, last;
	char c;

	if (!f)
		fail("has_memory");
	while (fscanf(f, "%d", &first) == 1) {
		last = first;
		if (fscanf(f, "-%d", &last) != 1)
			last = first;
		for (; first <= last && nr_mem_nodes < MAX_NODES; first++)
			mem_node[nr_mem_nodes++] = first;
		if (fscanf(f, "%c", &c) != 1)
			break;
	}
	fclose(f);
}

static void find_cpus(void)
{
	char path[64];

	for (int node = 0; node < MAX_NODES; node++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
		cpu_of_node[node] = first_in_list(path);
	}
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void place(char *start, size_t len, int node)
{
	unsigned long mask = 1UL << node;

	if (!len)
		return;
	if (syscall(SYS_mbind, start, len, MPOL_BIND, &mask, MAX_NODES + 1, 0))
		fail("mbind");
	memset(start, 1, len);
}

static void probe(int node, int other, int percent)
{
	char *buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t local = BUF_SIZE * percent / 100;

	if (buf == MAP_FAILED)
		fail("mmap");
	run_on(cpu_of_node[node]);
	place(buf, local, node);
	place(buf + local, BUF_SIZE - local, other);
	printf("%d %d %.4f\n", node, other, (double)local / BUF_SIZE);
	fflush(stdout);
	numalab_mark(1);
	for (int pass = 0; pass < PASSES; pass++) {
		for (size_t i = 0; i < BUF_SIZE; i += LINE)
			(void)*(volatile char *)(buf + i);
	}
	numalab_mark(2);
	munmap(buf, BUF_SIZE);
}

static int other_node(int node, int turn)
{
	for (int i = 0; i < nr_mem_nodes; i++) {
		int other = mem_node[(turn + i) % nr_mem_nodes];

		if (other != node)
			return other;
	}
	return -1;
}

static int has_memory(int node)
{
	for (int i = 0; i < nr_mem_nodes; i++) {
		if (mem_node[i] == node)
			return 1;
	}
	return 0;
}

static void probe_node(int node)
{
	static const int percents[] = { 100, 50, 25, 0 };
	int turn = node + 1;

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		int percent = percents[i], other = other_node(node, turn);

		if (other < 0 && percent < 100)
			continue;
		if (!has_memory(node) && percent)
			continue;
		probe(node, other, percent);
	}
}

/* Nodes without CPUs are only ever remote. */
static void probe_memory_from(int node)
{
	for (int i = 0; i < nr_mem_nodes; i++) {
		if (mem_node[i] != node)
			probe(node, mem_node[i], 0);
	}
}

int main(void)
{
	int first = -1;

	find_mem_nodes();
	find_cpus();
	for (int node = 0; node < MAX_NODES; node++) {
		if (cpu_of_node[node] < 0)
			continue;
		if (first < 0)
			first = node;
		probe_node(node);
	}
	probe_memory_from(first);
	return 0;
}
