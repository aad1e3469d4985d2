// SPDX-License-Identifier: GPL-2.0
/* ask fuzz: processes that fork, exec, make threads and exit, and control groups that they are moved between. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

#define NAP_US		100000
#define NR_GROUPS	8
#define USER		1000

static struct churned *churned;	/* shared by all */
static pid_t churners[FORKERS + 1];

static void count(unsigned long *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* --- processes --- */

static void *nap(void *unused)
{
	usleep(NAP_US);
	return unused;
}

/* The leader may end first. */
static void make_threads(bool leader_ends)
{
	pthread_t t;

	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, nap, NULL);
	if (leader_ends)
		pthread_exit(NULL);
	pthread_join(t, NULL);
}

/* Enough memory and time to be balanced. */
static void use_memory(void)
{
	const size_t size = 4 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	for (int i = 0; i < 100; i++) {
		memset(memory, i, size);
		usleep(2000);
	}
}

static void live(void *arg)
{
	switch (*(unsigned int *)arg % 8) {
	case 0:
		break;
	case 1:
	case 2:
		count(&churned->execs);
		execl("/proc/self/exe", "ask", "churn", NULL);
		break;
	case 3:
		make_threads(false);
		break;
	case 4:
		make_threads(true);
		break;
	case 5:
		/* In vain if there is nobody to wait: init does. */
		if (!fork())
			usleep(NAP_US);
		break;
	case 6:
		usleep(NAP_US);
		break;
	default:
		use_memory();
	}
}

/* A slot whose process has ended, or that had none yet; of one's own. */
static pid_t *free_slot(pid_t *slots, unsigned int nr)
{
	pid_t ended = 0;
	unsigned int i;

	do {
		for (i = 0; i < nr; i++)
			if (slots[i] == ended)
				return &slots[i];
		ended = waitpid(-1, NULL, 0);
	} while (ended > 0);
	die("no process to wait for: %m");
}

/* Each forker has its own part of the slots, and is in the first one itself. */
static void fork_on(void *arg)
{
	pid_t *slots = churned->pids + *(unsigned int *)arg * NR_SLOTS, *slot;

	nice(5);
	slots[0] = getpid();
	for (unsigned int i = 0;; i++) {
		slot = free_slot(slots + 1, NR_SLOTS - 1);
		*slot = start_child(live, &i);
		count(&churned->forks);
	}
}

/* --- control groups --- */

static void move(pid_t pid, const char *group)
{
	char path[128], text[16];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(text, sizeof(text), "%d", pid);
	fd = open(path, O_WRONLY);
	if (fd >= 0 && write(fd, text, strlen(text)) > 0)
		count(&churned->moves);
	close(fd);
}

/* It stays for the next time if a process is in it still. */
static void group_on(unsigned int i)
{
	char group[64], below[80];

	snprintf(group, sizeof(group), CGROUPS "/ask.%d", i % NR_GROUPS);
	snprintf(below, sizeof(below), "%s/in", group);
	if (!mkdir(group, 0755))
		count(&churned->cgroups);
	mkdir(below, 0755);
	if (i % 2 && chown(below, USER, USER))
		return;
	for (int j = 0; j < 4; j++)
		move(churned->pids[rand() % (FORKERS * NR_SLOTS)], j % 2 ? group : below);
	usleep(5000);
	snprintf(group, sizeof(group), CGROUPS "/ask.%d", (i + 1) % NR_GROUPS);
	snprintf(below, sizeof(below), "%s/in", group);
	rmdir(below);
	rmdir(group);
}

static void groups_on(void *unused)
{
	(void)unused;
	nice(5);
	for (unsigned int i = 0;; i++)
		group_on(i);
}

struct churned *churn_start(void)
{
	static unsigned int i;

	churned = mmap(NULL, sizeof(*churned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (churned == MAP_FAILED)
		die("no memory");
	for (i = 0; i < FORKERS; i++)
		churners[i] = start_child(fork_on, &i);	/* each with a copy of i */
	churners[FORKERS] = start_child(groups_on, NULL);
	return churned;
}

static void remove_groups(void)
{
	char group[64];

	for (int i = 0; i < NR_GROUPS; i++) {
		snprintf(group, sizeof(group), CGROUPS "/ask.%d/in", i);
		rmdir(group);
		snprintf(group, sizeof(group), CGROUPS "/ask.%d", i);
		rmdir(group);
	}
}

/* What they have started ends with them, or soon. */
void churn_stop(void)
{
	for (int i = 0; i <= FORKERS; i++)
		end_child(churners[i]);
	sleep(2);
	remove_groups();
}
