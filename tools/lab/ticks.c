// SPDX-License-Identifier: GPL-2.0
/*
 * ticks: has each CPU a timer that runs? A thread on each of them sleeps for a millisecond, and must have woken after
 * PATIENCE_S. The first thread watches without sleeping: its own CPU may be the one.
 * Exit status: 0: all; 1: which CPUs have none is printed; 2: threads or memory were not to be had.
 *
 * QEMU with a thread per CPU loses the end of a timer interrupt now and then while Linux boots: the CPU's local APIC has the
 * interrupt in service for good, and no other of its kind comes through.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S	20	/* a busy host stalls a vCPU for seconds */
#define SLEEP_NS	1000000
#define STACK_BYTES	65536

static atomic_bool *woke;

static void *sleep_a_little(void *cpu)
{
	struct timespec little = { .tv_nsec = SLEEP_NS };

	nanosleep(&little, NULL);
	atomic_store(&woke[(long)cpu], true);
	return NULL;
}

static int start_on(long cpu, const cpu_set_t *set, size_t size)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_attr_setaffinity_np(&attr, size, set) ?:
	      pthread_create(&thread, &attr, sleep_a_little, (void *)cpu);
	pthread_attr_destroy(&attr);
	return err;
}

static bool all_woke(const cpu_set_t *cpus, size_t size, long nr, bool tell)
{
	bool all = true;

	for (long cpu = 0; cpu < nr; cpu++) {
		if (!CPU_ISSET_S(cpu, size, cpus) || atomic_load(&woke[cpu]))
			continue;
		all = false;
		if (tell)
			printf("CPU %ld has no timer\n", cpu);
	}
	return all;
}

static bool all_wake(const cpu_set_t *cpus, size_t size, long nr)
{
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (end = now.tv_sec + PATIENCE_S; now.tv_sec <= end; clock_gettime(CLOCK_MONOTONIC, &now)) {
		if (all_woke(cpus, size, nr, false))
			return true;
		sched_yield();
	}
	return false;
}

int main(void)
{
	long nr = sysconf(_SC_NPROCESSORS_CONF);
	size_t size = CPU_ALLOC_SIZE(nr);
	cpu_set_t *cpus = CPU_ALLOC(nr), *one = CPU_ALLOC(nr);

	woke = calloc(nr, sizeof(*woke));
	if (!cpus || !one || !woke || sched_getaffinity(0, size, cpus))
		return 2;
	for (long cpu = 0; cpu < nr; cpu++) {
		if (!CPU_ISSET_S(cpu, size, cpus))
			continue;
		CPU_ZERO_S(size, one);
		CPU_SET_S(cpu, size, one);
		if (start_on(cpu, one, size))
			return 2;
	}
	if (all_wake(cpus, size, nr))
		return 0;
	all_woke(cpus, size, nr, true);
	return 1;
}
