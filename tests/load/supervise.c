// SPDX-License-Identifier: GPL-2.0
/* The first process: what it shares with the others, and how it waits for them. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

struct shared *shared;
unsigned int proc;

void check(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(errno));
}

void count_huge_pages(void)
{
	unsigned long kib;
	char line[256];
	FILE *f = fopen("/proc/self/smaps_rollup", "r");

	check(f ? 0 : -1, "smaps_rollup");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			shared->huge_kib += kib;
	}
	fclose(f);
}

/* Returns 0 in the child. It ends with its parent. */
pid_t fork_child(void)
{
	pid_t pid = fork();

	check(pid, "fork");
	if (!pid)
		check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	return pid;
}

/* Every thread waits for the others' memory, and so do the main thread of every process, and the hog. */
void share_state(void)
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
bool supervise(const sigset_t *signals, unsigned int running)
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

void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, signals, NULL);
}
