// SPDX-License-Identifier: GPL-2.0
/*
 * load: programs whose best placement is known, for measuring and for testing. See usage() in options.c, and load.h
 * for what is where.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

struct shared *shared;

void check(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(errno));
}

/* Every thread waits for the others' memory, and so do the main thread of every process, and the hog. */
static void share_state(void)
{
	pthread_barrierattr_t attr;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(shared == MAP_FAILED ? -1 : 0, "mmap");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->born, &attr, nr_all() + opt.procs + (opt.fill ? 1 : 0));
	shared->supervisor = getpid();
}

/* Returns how many ended otherwise than they should. */
static unsigned int reap(unsigned int *running)
{
	unsigned int failed = 0;
	int status;

	while (*running && waitpid(-1, &status, WNOHANG) > 0) {
		(*running)--;
		if (status)
			failed++;
	}
	return failed;
}

/* TERM ends the sweeps, USR1 prints how far they are. */
static bool supervise(const sigset_t *signals, unsigned int running)
{
	while (running) {
		switch (sigwaitinfo(signals, NULL)) {
		case SIGCHLD:
			if (reap(&running))
				return false;
			break;
		case SIGTERM:
			shared->stop = true;
			break;
		case SIGUSR1:
			report();
			break;
		}
	}
	return true;
}

static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/* Whoever runs next finds its memory free. */
static void end_hog(pid_t hog)
{
	kill(hog, SIGKILL);
	check(waitpid(hog, NULL, 0), "waitpid");
}

int main(int argc, char **argv)
{
	sigset_t signals;
	pid_t hog = 0;

	parse_options(argc, argv);
	find_nodes();
	fill_defaults();
	make_plan();
	share_state();
	block_signals(&signals);
	if (opt.mode == SEGMENT)
		map_memory();
	if (opt.fill)
		hog = start_hog();
	if (!supervise(&signals, start_processes()))
		die("a process failed");
	if (opt.mode == SEGMENT)
		verify();
	if (hog)
		end_hog(hog);
	report();
	return shared->corrupt != 0;
}
