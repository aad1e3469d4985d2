// SPDX-License-Identifier: GPL-2.0
/*
 * How far a thread is. Threads go on until all have done --sweeps, so the fast ones do more; the last one to have done
 * its part of them ends an interval.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/resource.h>

#include "load.h"
#include "../../tools/lab/mark.h"

bool go_on(void)
{
	return shared->passed < opt.marks && !shared->stop;
}

/* Until all memory of all processes is there, and what is to be done then. */
void wait_for_memory(void (*then)(void))
{
	pthread_barrier_wait(&shared->born);
	if (then)
		then();
	if (pthread_barrier_wait(&shared->born) != PTHREAD_BARRIER_SERIAL_THREAD)
		return;
	numalab_mark(MARK_BORN);
	take_sample(&shared->samples[0]);
	kill(shared->supervisor, SIGUSR1);
}

static unsigned long cpu_us(void)
{
	struct rusage usage;

	check(getrusage(RUSAGE_THREAD, &usage), "getrusage");
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000UL + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

void note_usage(struct worker *w)
{
	w->progress->cpu_us = w->cpu_us + cpu_us();
	w->progress->migrations = w->migrations + read_migrations();
}

void begin_worker(struct worker *w, unsigned int thread)
{
	w->thread = thread;
	w->progress = &shared->progress[global_number(thread)];
	w->cpu_us = w->progress->cpu_us - cpu_us();
	w->migrations = w->progress->migrations - read_migrations();
}

/* The last thread to come ends the interval for all. */
static void reach(struct worker *w)
{
	unsigned int interval = w->progress->reached++;

	note_usage(w);
	if (++shared->reached[interval] < nr_all())
		return;
	numalab_mark(MARK_PASSED);
	take_sample(&shared->samples[interval + 1]);
	shared->passed = interval + 1;
}

/* A unit is done. */
void tick(struct worker *w)
{
	struct progress *p = w->progress;
	unsigned long done;

	w->units++;
	p->units[w->phase]++;
	done = (p->units[0] + p->units[1]) * opt.marks;
	while (p->reached < opt.marks && done >= (p->reached + 1) * opt.sweeps * units_per_sweep())
		reach(w);
}
