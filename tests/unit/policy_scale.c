// SPDX-License-Identifier: GPL-2.0
/*
 * How the time of a pass of gear 4, homes and balance, grows with the machine:
 *
 *	policy_scale			what can be counted, as a test in TAP
 *	policy_scale table [FILE]	times, too; the figures also to FILE
 *
 * n is what a pass has to look at: tasks and entries that are not zero, of
 * faults and of pages. A pass weighs nodes and partners, and counts them. Those
 * figures are the same on every machine and in every run, so a test can hold
 * them to c * n log n; milliseconds are for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "policy_work.h"
#include "unit.h"

#define PER_TASK	3	/* nodes of a task's faults */
#define PER_PROC	3	/* nodes of a process's pages */
#define SEED		20120530
#define MODULE_STEPS	16	/* what gear 4 does in a round */
#define REPEATS		3	/* the shortest of so many is told */
#define MOST_WEIGHED	6	/* times n log n: what a pass may weigh */
#define MOST_OF_A_TASK	80	/* what one may weigh before others may run */

struct machine {
	u32 nodes, tasks;
	u32 threads;		/* of a process */
	u32 overcommit;		/* threads per CPU */
};

/* CPU time of this process: others on the machine hardly disturb it. */
static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* How long others would have waited for the CPU, were it the kernel's. */
static struct {
	const struct work *work;
	double ms, longest_ms;
	u64 weighed, most_weighed;
} breath;

static void breathe(void)
{
	double ms = cpu_ms();
	u64 weighed = breath.work->weighed;

	if (ms - breath.ms > breath.longest_ms)
		breath.longest_ms = ms - breath.ms;
	if (weighed > breath.weighed && weighed - breath.weighed > breath.most_weighed)
		breath.most_weighed = weighed - breath.weighed;
	breath.ms = ms;
	breath.weighed = weighed;
}

static u32 log_2(u64 n)
{
	return n > 1 ? 64 - __builtin_clzll(n - 1) : 1;
}

/* Nodes in groups of four, groups in pairs, as sockets on boards. */
static u8 board_distance(u32 a, u32 b)
{
	if (a == b)
		return 10;
	if (a / 4 == b / 4)
		return 12;
	return a / 8 == b / 8 ? 20 : 32;
}

static void make_nodes(struct an_snapshot *s, const struct machine *m)
{
	u32 cpus = (m->tasks / m->overcommit + m->nodes - 1) / m->nodes;
	u8 *distance = need((size_t)m->nodes * m->nodes, 1);
	u32 a, b;

	s->nr_nodes = m->nodes;
	s->nodes = need(m->nodes, sizeof(*s->nodes));
	s->distance = distance;
	for (a = 0; a < m->nodes; a++) {
		s->nodes[a].capacity = cpus * AN_LOAD_ONE;
		s->nodes[a].idle_cpus = cpus;
		s->nodes[a].room = 1 << 20;
		for (b = 0; b < m->nodes; b++)
			distance[a * m->nodes + b] = board_distance(a, b);
	}
}

static void make_procs(struct an_snapshot *s, const struct machine *m)
{
	u32 words = map_words(m->nodes);
	struct an_pages *pages;
	unsigned long *homes;
	u32 p, i;

	s->nr_procs = (m->tasks + m->threads - 1) / m->threads;
	s->procs = need(s->nr_procs, sizeof(*s->procs));
	pages = need(s->nr_procs * PER_PROC, sizeof(*pages));
	homes = need((size_t)s->nr_procs * words, sizeof(*homes));
	s->pages = pages;
	for (p = 0; p < s->nr_procs; p++) {
		u32 first = rnd(m->nodes);

		s->procs[p].home = homes + (size_t)p * words;
		s->procs[p].pages = p * PER_PROC;
		s->procs[p].nr_pages = m->nodes < PER_PROC ? m->nodes :
							     PER_PROC;
		for (i = 0; i < s->procs[p].nr_pages; i++) {
			pages[p * PER_PROC + i].node =
				(first + i) % m->nodes;
			pages[p * PER_PROC + i].pages = 1 + rnd(1000);
		}
	}
}

/* Every other process shares its memory, the others' threads have their own. */
static void make_task(struct an_snapshot *s, const struct machine *m, u32 t,
		      struct an_faults *faults)
{
	struct an_task *task = &s->tasks[t];
	struct an_node *node;
	u32 first, i;

	task->proc = t / m->threads;
	task->node = rnd(m->nodes);
	task->load = AN_LOAD_ONE;
	task->faults = t * PER_TASK;
	task->nr_faults = m->nodes < PER_TASK ? m->nodes : PER_TASK;
	first = rnd(m->nodes);
	for (i = 0; i < task->nr_faults; i++) {
		struct an_faults *f = &faults[task->faults + i];

		f->node = (first + i) % m->nodes;
		f->private = rnd(i ? 100 : 1000);
		f->shared = task->proc % 2 ? rnd(1000) : rnd(20);
	}
	node = &s->nodes[task->node];
	if (node->idle_cpus)
		node->idle_cpus--;
}

static struct an_snapshot *make(const struct machine *m)
{
	struct an_snapshot *s = need(1, sizeof(*s));
	struct an_faults *faults = need(m->tasks * PER_TASK, sizeof(*faults));
	u32 t;

	make_nodes(s, m);
	make_procs(s, m);
	s->nr_tasks = m->tasks;
	s->tasks = need(m->tasks, sizeof(*s->tasks));
	s->faults = faults;
	for (t = 0; t < m->tasks; t++)
		make_task(s, m, t, faults);
	s->min_faults = 64;
	s->min_gain = 51;
	s->imbalance_pct = 117;
	s->breathe = breathe;
	s->scratch = need(1, an_policy_scratch(s->nr_nodes, s->nr_tasks,
					       s->nr_procs));
	return s;
}

static void destroy(struct an_snapshot *s)
{
	free(s->nodes);
	free((void *)s->distance);
	free(s->procs[0].home);
	free(s->procs);
	free((void *)s->pages);
	free(s->tasks);
	free((void *)s->faults);
	free(s->scratch);
	free(s);
}

static u64 entries(const struct an_snapshot *s)
{
	u64 n = s->nr_tasks;
	u32 i;

	for (i = 0; i < s->nr_tasks; i++)
		n += s->tasks[i].nr_faults;
	for (i = 0; i < s->nr_procs; i++)
		n += s->procs[i].nr_pages;
	return n;
}

struct pass {
	double ms;
	double breath_ms;	/* the longest without letting others run */
	u64 weighed;
	u64 breath_weighed;	/* the most in that time */
	u32 steps;
};

static struct pass run_pass(struct an_snapshot *s, u32 max_steps)
{
	const struct work *w = s->scratch;
	double start = cpu_ms();
	struct pass pass;

	memset(&breath, 0, sizeof(breath));
	breath.work = w;
	breath.ms = start;
	s->max_steps = max_steps;
	an_policy_homes(s);
	pass.weighed = w->weighed;
	pass.steps = an_policy_balance(s, NULL);
	pass.weighed += w->weighed;
	breathe();
	pass.ms = breath.ms - start;
	pass.breath_ms = breath.longest_ms;
	pass.breath_weighed = breath.most_weighed;
	return pass;
}

struct result {
	u64 n;			/* tasks and entries */
	u64 n_log_n;
	struct pass round;	/* all misplaced, the steps of one round */
	struct pass misplaced;	/* all misplaced, to rest in one pass */
	struct pass settled;
	u32 passes;		/* until nothing is left to do */
};

/* From all misplaced to rest, each time the same machine. */
static struct result run_machine(const struct machine *m, u64 seed)
{
	struct an_snapshot *s;
	struct result r = { 0 };

	rnd_state = seed;
	s = make(m);
	r.n = entries(s);
	r.n_log_n = r.n * log_2(r.n);
	r.round = run_pass(s, MODULE_STEPS);
	destroy(s);
	rnd_state = seed;
	s = make(m);
	r.misplaced = run_pass(s, ~0U);
	for (r.passes = 1; r.passes < 20; r.passes++) {
		r.settled = run_pass(s, ~0U);
		if (!r.settled.steps)
			break;
	}
	destroy(s);
	return r;
}

static void take_shorter(struct pass *pass, const struct pass *other)
{
	if (other->ms < pass->ms)
		pass->ms = other->ms;
	if (other->breath_ms < pass->breath_ms)
		pass->breath_ms = other->breath_ms;
}

/* Others on the machine make it look slower, never faster. */
static struct result time_machine(const struct machine *m, u64 seed)
{
	struct result r = run_machine(m, seed);
	u32 i;

	for (i = 1; i < REPEATS; i++) {
		struct result again = run_machine(m, seed);

		take_shorter(&r.round, &again.round);
		take_shorter(&r.misplaced, &again.misplaced);
		take_shorter(&r.settled, &again.settled);
	}
	return r;
}

static const struct machine machines[] = {
	{ 2, 1000, 4, 1 }, { 2, 10000, 4, 1 }, { 2, 100000, 4, 1 },
	{ 4, 1000, 4, 1 }, { 8, 10000, 4, 1 }, { 16, 10000, 4, 1 },
	{ 32, 10000, 4, 1 }, { 64, 1000, 4, 1 }, { 64, 10000, 4, 1 },
	{ 64, 10000, 4, 2 }, { 64, 10000, 100, 1 }, { 64, 10000, 1000, 1 },
	{ 64, 10000, 1, 1 }, { 64, 100000, 4, 1 }, { 256, 10000, 4, 1 },
	{ 256, 100000, 4, 1 }, { 1024, 10000, 4, 1 }, { 1024, 100000, 1, 1 },
	{ 1024, 100000, 8, 1 }, { 1024, 100000, 8, 2 },
	{ 1024, 100000, 1000, 1 },
};

static double times(const struct pass *pass, const struct result *r)
{
	return (double)pass->weighed / r->n_log_n;
}

static int print_table(const char *file)
{
	FILE *plot = file ? fopen(file, "w") : NULL;
	u32 i;

	if (file && !plot) {
		perror(file);
		return 1;
	}
	puts("                                     |  ms of CPU per pass                  |  weighed / n log n |");
	puts("nodes  tasks  threads  load  entries | settled  16 steps  to rest  breath | settled  to rest   |  steps  passes  ns / n log n");
	for (i = 0; i < ARRAY_SIZE(machines); i++) {
		const struct machine *m = &machines[i];
		struct result r = time_machine(m, SEED + i);

		printf("%5u %6u %8u %4ux %8llu | %7.1f %9.1f %8.1f %7.2f | %7.2f %8.2f   | %6u %7u %8.1f\n",
		       m->nodes, m->tasks, m->threads, m->overcommit, r.n,
		       r.settled.ms, r.round.ms, r.misplaced.ms,
		       r.misplaced.breath_ms, times(&r.settled, &r), times(&r.misplaced, &r),
		       r.misplaced.steps, r.passes,
		       r.misplaced.ms * 1e6 / r.n_log_n);
		fflush(stdout);
		if (plot)
			fprintf(plot, "%u %llu %llu %f %f %f\n", m->nodes, r.n,
				r.n_log_n, r.settled.ms, r.round.ms,
				r.misplaced.ms);
	}
	if (plot)
		fclose(plot);
	return 0;
}

static int count(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(machines); i++) {
		const struct machine *m = &machines[i];
		struct result r;

		if (m->tasks > 10000)
			continue;
		r = run_machine(m, SEED + i);
		ok(r.misplaced.weighed <= MOST_WEIGHED * r.n_log_n &&
		   r.settled.weighed <= MOST_WEIGHED * r.n_log_n,
		   "scale: %u nodes, %u tasks of %u, %ux: weighs %.2f n log n misplaced, %.2f settled",
		   m->nodes, m->tasks, m->threads, m->overcommit,
		   times(&r.misplaced, &r), times(&r.settled, &r));
		ok(r.misplaced.breath_weighed <= MOST_OF_A_TASK * (BREATH + m->threads),
		   "scale: weighs %llu before others may run", r.misplaced.breath_weighed);
		ok(!r.settled.steps, "scale: at rest after %u passes",
		   r.passes);
	}
	return done();
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "table"))
		return print_table(argc > 2 ? argv[2] : NULL);
	return count();
}
