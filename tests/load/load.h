/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of load share, and in part vm.c:
 *
 *	options.c	what is wanted
 *	plan.c		the nodes, and where threads and memory belong on them
 *	memory.c	whose memory is whose; accesses and their verification
 *	threads.c	what a thread does
 *	progress.c	how far it is
 *	process.c	processes: plain ones, short-lived ones, trees; children; the hog
 *	supervise.c	the first process
 *	report.c	counters and the report
 */
#ifndef LOAD_H
#define LOAD_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common.h"

#define PAGE		4096UL
#define HUGE		(2UL << 20)
#define MAX_THREADS	256		/* in all */
#define MAX_MARKS	100
#define MAX_NODES	64
#define MARK_BORN	1		/* the meter's labels: of what came before the first sweep, */
#define MARK_PASSED	2		/* and of each interval */

enum mode { PROCS, PRIVATE, PHASE, BIG, TABLE, STRIPE, SUBPAGE, HOT, PIPE, SLEEP, SHORT, TREE, SEGMENT, VISIT };
enum bind { BIND_NONE, BIND_HARD, BIND_INVERSE };
enum wake { WAKE_FUTEX, WAKE_PIPE, WAKE_TIMER };

extern const char * const mode_names[];

extern struct options {
	enum mode mode;
	enum bind bind;
	enum wake wake;
	unsigned long mib, sweeps, stride, life;
	unsigned int procs, threads, marks, shift, fill;
	int born;			/* -1: by first touch */
	bool thp, spill, spread, churn, parts, apart, shared, headless, in_order, in_step;
} opt;

void parse_options(int argc, char **argv);
void fill_defaults(void);

/* One thread's progress, over all lives of its process. A unit is what it does between two looks at the others. */
struct progress {
	_Atomic unsigned long units[2];	/* before and after it changed slices */
	_Atomic unsigned long cpu_us, migrations;
	unsigned int reached;		/* intervals; its own */
} __attribute__((aligned(64)));

/* Read at every mark. */
#define NR_WATCHED	4
struct sample {
	unsigned long watched[NR_WATCHED], idle_ms, shootdowns, wall_us;
};

/* Common to all processes. */
extern struct shared {
	pthread_barrier_t born;
	pid_t supervisor;
	_Atomic unsigned int passed;	/* intervals that every thread has finished */
	_Atomic bool stop;
	_Atomic unsigned long corrupt, children, lives, huge_kib;
	_Atomic unsigned int reached[MAX_MARKS];
	struct sample samples[MAX_MARKS + 1];
	struct progress progress[MAX_THREADS];
} *shared;

/* This process. */
extern unsigned int proc;

static inline unsigned int nr_all(void)
{
	return opt.procs * opt.threads;
}

/* Of all threads of all processes. */
static inline unsigned int global_number(unsigned int thread)
{
	return proc * opt.threads + thread;
}

/* plan.c */
extern unsigned int nodes[MAX_NODES], nr_nodes;	/* those that have CPUs */

void find_nodes(void);
void make_plan(void);
unsigned int group_size(void);
unsigned int home_of_thread(unsigned int number);
unsigned int node_of_group_memory(unsigned int group, unsigned long index, unsigned long count);
void set_policy(int policy, int node);
void run_on(int node);
void begin_thread(unsigned int thread);
void free_thread(void);

/* memory.c */

/* Pages first, first + step, ... */
struct slice {
	unsigned long first, step, count;
};

void map_memory(void);
void move_apart(void);
void map_all(void);
unsigned long nr_pages(void);
unsigned int slice_of_thread(unsigned int thread, unsigned int phase);
struct slice slice(unsigned int n);
void bear_slice(struct slice s);
void bear_row(unsigned int thread);
void work(unsigned int thread, unsigned int phase, unsigned long unit);
void fill_buffer(unsigned long first, unsigned long count);
void check_buffer(unsigned long first, unsigned long count, unsigned long times);
void begin_life(void);
void verify(void);
int change_copies(unsigned int seed);

/* threads.c */
void prepare_to_wait(void);
void *run_thread(void *thread);

/* progress.c */

struct worker {
	unsigned int thread, phase;
	unsigned long units;		/* in this life of its process */
	unsigned long cpu_us, migrations;	/* in earlier lives, less what came before the first unit */
	struct progress *progress;
};

bool go_on(void);
void wait_for_memory(void (*then)(void));
void begin_worker(struct worker *w, unsigned int thread);
void tick(struct worker *w);
void note_usage(struct worker *w);

/* process.c */
void wait_for_birth(void);
unsigned int start_processes(void);
pid_t start_hog(void);

/* supervise.c */
void check(int result, const char *what);
void share_state(void);
void block_signals(sigset_t *signals);
bool supervise(const sigset_t *signals, unsigned int running);
pid_t fork_child(void);
void count_huge_pages(void);

/* report.c */
void take_sample(struct sample *s);
unsigned long read_migrations(void);
void print_report(void);

/* The program's own. */
void report(void);
unsigned long units_per_sweep(void);

#endif
