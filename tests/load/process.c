// SPDX-License-Identifier: GPL-2.0
/* Processes: plain ones, short-lived ones, trees of them; children that come and go; the hog that fills nodes. */
#define _GNU_SOURCE
#include <numaif.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

static bool reborn;			/* not the first process of its number */
static pthread_barrier_t reborn_here;	/* then it waits for its own memory only */

void wait_for_birth(void)
{
	if (reborn)
		pthread_barrier_wait(&reborn_here);
	else
		wait_for_memory(NULL);
}

/* Returns whether the child ended as it should. */
static bool wait_for_child(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0), "waitpid");
	return !status;
}

/* Children that change some pages and look whether they, and only they, see it. */
static void *run_churn(void *arg)
{
	unsigned int seed = proc;

	(void)arg;
	while (go_on()) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid)
			_exit(change_copies(seed));
		if (!wait_for_child(pid))
			shared->corrupt++;
		shared->children++;
		seed = rand_r(&seed);
	}
	return NULL;
}

static void start_thread(pthread_t *thread, void *(*run)(void *), unsigned int n)
{
	if (pthread_create(thread, NULL, run, (void *)(uintptr_t)n))
		die("pthread_create failed");
}

/* The main thread of a process waits with the others, and counts when all is there. */
static void wait_in_main(void)
{
	if (reborn)
		return;
	wait_for_memory(opt.mode == SEGMENT ? map_all : NULL);
	count_huge_pages();
}

static void run_threads(void)
{
	pthread_t threads[MAX_THREADS], churn;

	begin_life();
	prepare_to_wait();
	pthread_barrier_init(&reborn_here, NULL, opt.threads);
	if (opt.bind != BIND_NONE)
		run_on(home_of_thread(global_number(0)));	/* what is verified here is local, too */
	for (unsigned int i = 0; i < opt.threads; i++)
		start_thread(&threads[i], run_thread, i);
	wait_in_main();
	if (opt.churn)
		start_thread(&churn, run_churn, 0);
	if (opt.headless)
		pthread_exit(NULL);
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
	if (opt.churn)
		pthread_join(churn, NULL);
	if (opt.mode != SEGMENT)
		verify();
}

static void run_plain(void)
{
	if (opt.mode != SEGMENT)
		map_memory();
	if (opt.apart)
		move_apart();
	run_threads();
}

/* One process after the other, in the place of a single one. */
static void run_short_lived(void)
{
	for (; go_on(); reborn = true) {
		pid_t pid = fork_child();

		if (!pid) {
			run_plain();
			_exit(0);
		}
		if (!wait_for_child(pid))
			_exit(1);
		shared->lives++;
	}
}

/* Process n has the children 2n + 1 and 2n + 2. */
static void run_branch(void)
{
	unsigned int first = 2 * proc + 1, nr_children = 0;
	pid_t children[2];

	for (unsigned int n = first; n < first + 2 && n < opt.procs; n++) {
		children[nr_children] = fork_child();
		if (!children[nr_children++]) {
			proc = n;
			run_branch();
			_exit(0);
		}
	}
	run_threads();
	while (nr_children--) {
		if (!wait_for_child(children[nr_children]))
			_exit(1);
	}
}

static void run_tree(void)
{
	map_memory();
	begin_thread(0);
	bear_slice((struct slice){ 0, 1, nr_pages() });
	free_thread();
	run_branch();
}

static void run_process(void)
{
	if (opt.mode == TREE)
		run_tree();
	else if (opt.mode == SHORT)
		run_short_lived();
	else
		run_plain();
}

/* Returns how many children there are: all processes, or the root of the tree. */
unsigned int start_processes(void)
{
	unsigned int nr = opt.mode == TREE ? 1 : opt.procs;

	for (proc = 0; proc < nr; proc++) {
		if (!fork_child()) {
			run_process();
			_exit(0);
		}
	}
	return nr;
}

/* The hog */

static unsigned long node_kib(int node, const char *name)
{
	char path[64], line[128], found[64];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		unsigned long value;

		if (sscanf(line, "Node %*d %63[^:]: %lu", found, &value) == 2 && !strcmp(found, name))
			kib = value;
	}
	fclose(f);
	return kib;
}

static void take_memory(int node, unsigned long bytes)
{
	unsigned long mask[MAX_NODES / 64] = { 1UL << node };
	char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(start == MAP_FAILED ? -1 : 0, "mmap");
	check(mbind(start, bytes, MPOL_BIND, mask, MAX_NODES + 1, 0), "mbind");
	for (unsigned long at = 0; at < bytes; at += PAGE)
		start[at] = 1;
}

static void fill_nodes(void)
{
	for (int node = 0; node < MAX_NODES; node++) {
		unsigned long spare = node_kib(node, "MemTotal") * (100 - opt.fill) / 100;
		unsigned long free = node_kib(node, "MemFree");

		if (free > spare)
			take_memory(node, (free - spare) << 10);
	}
}

pid_t start_hog(void)
{
	pid_t pid = fork_child();

	if (pid)
		return pid;
	wait_for_memory(fill_nodes);
	for (;;)
		pause();
}
