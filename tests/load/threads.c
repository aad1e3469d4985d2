// SPDX-License-Identifier: GPL-2.0
/* What a thread does. */
#define _GNU_SOURCE
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "load.h"

#define BUFFER_PAGES	16		/* pipe */
#define NAP_US		1000		/* sleep, --wake timer */

enum side { ASK, ANSWER };	/* pipe: a buffer is full, a buffer is empty */

/* Two threads that wait for each other. */
static struct pair {
	sem_t sem[2];
	int pipe[2][2];
	_Atomic bool over;
	_Atomic unsigned long laps;
} pairs[MAX_THREADS / 2];

/* Sweeps */

static bool lives(const struct worker *w)
{
	return go_on() && (opt.mode != SHORT || w->units < opt.life);
}

/* Bound threads go where their new slice is. */
static void change_slices(struct worker *w)
{
	w->phase = 1;
	if (opt.bind != BIND_NONE)
		run_on(home_of_thread(global_number(slice_of_thread(w->thread, 1))));
}

/* In step: all threads of the process meet before each sweep, and all go on or none. */
static pthread_barrier_t meeting;
static bool all_go_on;

static bool meet(void)
{
	if (pthread_barrier_wait(&meeting) == PTHREAD_BARRIER_SERIAL_THREAD)
		all_go_on = go_on();
	pthread_barrier_wait(&meeting);
	return all_go_on;
}

static void run_sweeps(struct worker *w)
{
	while (opt.in_step ? meet() : lives(w)) {
		if (opt.mode == PHASE && !w->phase && shared->passed >= opt.marks / 2)
			change_slices(w);
		work(w->thread, w->phase, w->units);
		tick(w);
	}
}

/* Pairs */

static void prepare_pairs(void)
{
	/* Of a ring, all buffers are empty. */
	unsigned long empty = opt.mode == PIPE ? slice(0).count / BUFFER_PAGES : 0;

	for (unsigned int n = 0; n < opt.threads / 2; n++) {
		for (int side = 0; side < 2; side++) {
			sem_init(&pairs[n].sem[side], 0, side == ANSWER ? empty : 0);
			check(pipe(pairs[n].pipe[side]), "pipe");
		}
	}
}

void prepare_to_wait(void)
{
	if (opt.mode == PIPE || opt.mode == SLEEP)
		prepare_pairs();
	pthread_barrier_init(&meeting, NULL, opt.threads);
}

static void wake(struct pair *p, enum side side)
{
	if (opt.mode == PIPE || opt.wake == WAKE_FUTEX)
		sem_post(&p->sem[side]);
	else
		check(write(p->pipe[side][1], "", 1), "write");
}

static void await(struct pair *p, enum side side)
{
	char byte;

	if (opt.mode == PIPE || opt.wake == WAKE_FUTEX) {
		while (sem_wait(&p->sem[side]))
			;
	} else {
		check(read(p->pipe[side][0], &byte, 1), "read");
	}
}

static void run_producer(struct worker *w, struct pair *p, struct slice ring)
{
	while (go_on()) {
		for (unsigned long at = 0; at < ring.count; at += BUFFER_PAGES) {
			await(p, ANSWER);
			fill_buffer(ring.first + at, BUFFER_PAGES);
			wake(p, ASK);
		}
		p->laps++;
		tick(w);
	}
	p->over = true;
	wake(p, ASK);
}

static void run_consumer(struct worker *w, struct pair *p, struct slice ring)
{
	for (;; tick(w)) {
		for (unsigned long at = 0; at < ring.count; at += BUFFER_PAGES) {
			await(p, ASK);
			if (p->over && w->units == p->laps)
				return;
			check_buffer(ring.first + at, BUFFER_PAGES, w->units + 1);
			wake(p, ANSWER);
		}
	}
}

static void run_pipe(struct worker *w)
{
	struct slice ring = slice(w->thread / 2);

	if (w->thread % 2)
		run_consumer(w, &pairs[w->thread / 2], ring);
	else
		run_producer(w, &pairs[w->thread / 2], ring);
}

static void run_client(struct worker *w, struct pair *p)
{
	while (go_on()) {
		wake(p, ASK);
		await(p, ANSWER);
		work(w->thread, 0, w->units);
		tick(w);
	}
	p->over = true;
	wake(p, ASK);
}

static void run_server(struct worker *w, struct pair *p)
{
	for (;;) {
		await(p, ASK);
		if (p->over)
			return;
		work(w->thread, 0, w->units);
		tick(w);
		wake(p, ANSWER);
	}
}

static void run_napper(struct worker *w)
{
	while (go_on()) {
		usleep(NAP_US);
		work(w->thread, 0, w->units);
		tick(w);
	}
}

static void run_sleeper(struct worker *w)
{
	if (opt.wake == WAKE_TIMER)
		run_napper(w);
	else if (w->thread % 2)
		run_server(w, &pairs[w->thread / 2]);
	else
		run_client(w, &pairs[w->thread / 2]);
}

void *run_thread(void *arg)
{
	struct worker w = { };
	unsigned int thread = (uintptr_t)arg;

	begin_thread(thread);
	if (opt.mode != TREE)
		bear_row(thread);
	wait_for_birth();
	free_thread();
	begin_worker(&w, thread);
	if (opt.mode == PIPE)
		run_pipe(&w);
	else if (opt.mode == SLEEP)
		run_sleeper(&w);
	else
		run_sweeps(&w);
	note_usage(&w);
	return NULL;
}
