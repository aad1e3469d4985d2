// SPDX-License-Identifier: GPL-2.0
/*
 * load: programs whose best placement is known, for measuring and for testing. See usage().
 *
 * Every thread sweeps over its memory again and again, by itself, until all have done --sweeps; so the fast ones do
 * more. An access adds one to a word whose upper half says where it belongs: a page lost or mixed up is seen at once,
 * and in the end every word has to have been added to once per sweep over it, so that no write was lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/lab/mark.h"

#define PROGRAM "load"
#include "common.h"

#define PAGE		4096UL
#define HUGE		(2UL << 20)
#define MAX_THREADS	256		/* in all */
#define MAX_MARKS	100
#define MAX_NODES	64
#define MARK_BORN	1		/* the meter's labels: of what came before the first sweep, */
#define MARK_PASSED	2		/* and of each interval */
#define FORK_PAGES	64		/* a child looks at as many */

enum mode { PROCS, PRIVATE, PHASE, BIG, TABLE, STRIPE };
enum bind { BIND_NONE, BIND_HARD, BIND_INVERSE };

static const char * const mode_names[] = { "procs", "private", "phase", "big", "table", "stripe" };
static const char * const bind_names[] = { "none", "hard", "inverse" };

/* Read from /proc/vmstat at every mark. */
static const char * const watched[] = {
	"numa_pte_updates", "numa_hint_faults", "numa_hint_faults_local", "numa_pages_migrated",
};
#define NR_WATCHED	(sizeof(watched) / sizeof(watched[0]))

static struct {
	enum mode mode;
	enum bind bind;
	unsigned long mib, sweeps, stride;
	unsigned int procs, threads, marks, shift;
	int born;			/* -1: by first touch */
	bool thp, spill, spread, churn;
} opt = { .mib = 256, .sweeps = 100, .stride = 512, .marks = 30, .born = -1 };

/* One thread's sweeps before and after it changed slices. */
struct progress {
	_Atomic unsigned long swept[2];
} __attribute__((aligned(64)));

/* Common to all processes. */
static struct {
	pthread_barrier_t born;		/* all memory is there */
	_Atomic unsigned int passed;	/* intervals that every thread has finished */
	_Atomic bool stop;
	_Atomic unsigned long corrupt, children, huge_kib;
	_Atomic unsigned int reached[MAX_MARKS];
	unsigned long counters[MAX_MARKS + 1][NR_WATCHED];
	struct progress progress[MAX_THREADS];
} *shared;

/* Pages first, first + step, ... */
struct slice {
	unsigned long first, step, count;
};

static unsigned int nodes[MAX_NODES], nr_nodes;	/* those that have CPUs */

/* This process. */
static unsigned int proc;
static char *memory;
static unsigned long pages;

static void check(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(errno));
}

static unsigned int nr_all(void)
{
	return opt.procs * opt.threads;
}

static bool all_share(void)
{
	return opt.mode == PROCS || opt.mode == BIG || opt.mode == TABLE;
}

/* Where memory is */

static _Atomic uint64_t *word(unsigned long page, unsigned long offset)
{
	return (_Atomic uint64_t *)(memory + page * PAGE + offset);
}

static uint64_t signature(unsigned long page, unsigned long offset)
{
	uint32_t hash = (proc + 1) * 0x9e3779b1u + page * 0x85ebca6bu + offset * 0xc2b2ae35u;

	return (uint64_t)(hash ^ hash >> 15) << 32;
}

static struct slice slice_in_row(unsigned int n)
{
	unsigned long count = pages / opt.threads;

	return (struct slice){ n * count, 1, count };
}

static struct slice slice(unsigned int n)
{
	if (all_share())
		return (struct slice){ 0, 1, pages };
	if (opt.mode == STRIPE)
		return (struct slice){ n, opt.threads, pages / opt.threads };
	return slice_in_row(n);
}

static unsigned int slice_of_page(unsigned long page)
{
	if (all_share())
		return 0;
	if (opt.mode == STRIPE)
		return page % opt.threads;
	return page / (pages / opt.threads);
}

static unsigned int slice_of_thread(unsigned int thread, unsigned int phase)
{
	if (all_share())
		return 0;
	return (thread + phase * opt.shift) % opt.threads;
}

/* Where threads and their memory are born */

static void set_policy(int policy, int node)
{
	unsigned long mask[MAX_NODES / 64] = { 1UL << node };

	check(set_mempolicy(policy, policy == MPOL_DEFAULT ? NULL : mask, MAX_NODES + 1), "set_mempolicy");
}

static void run_on(int node)
{
	check(numa_run_on_node(node), "numa_run_on_node");
}

static unsigned int home_of_thread(unsigned int thread)
{
	if (all_share())
		return nodes[proc % nr_nodes];
	return nodes[thread * nr_nodes / opt.threads];
}

static unsigned int next_node(unsigned int node)
{
	for (unsigned int i = 0; i < nr_nodes; i++) {
		if (nodes[i] == node)
			return nodes[(i + 1) % nr_nodes];
	}
	return node;
}

static void bind_thread(unsigned int thread)
{
	unsigned int node = home_of_thread(thread);

	run_on(node);
	set_policy(MPOL_BIND, opt.bind == BIND_HARD ? node : next_node(node));
}

static void begin_thread(unsigned int thread)
{
	if (opt.bind != BIND_NONE) {
		bind_thread(thread);
		return;
	}
	if (opt.spread)
		run_on(nodes[(proc * opt.threads + thread) % nr_nodes]);
	if (opt.born >= 0)
		set_policy(opt.spill ? MPOL_PREFERRED : MPOL_BIND, opt.born);
}

/* Nothing of the beginning remains: no policy, no affinity. */
static void free_thread(void)
{
	if (opt.bind != BIND_NONE)
		return;
	if (opt.born >= 0)
		set_policy(MPOL_DEFAULT, 0);
	if (opt.spread)
		run_on(-1);
}

static void bear_memory(unsigned int thread)
{
	struct slice s = all_share() ? slice_in_row(thread) : slice(thread);

	for (unsigned long i = 0; i < s.count; i++) {
		unsigned long page = s.first + i * s.step;

		for (unsigned long offset = 0; offset < PAGE; offset += opt.stride)
			*word(page, offset) = signature(page, offset);
	}
}

/* Sweeps */

static void corrupt(unsigned long page, unsigned long offset, uint64_t value, uint64_t expected)
{
	if (!shared->corrupt++)
		fprintf(stderr, "load: process %u, page %lu, offset %lu: %#lx instead of %#lx\n", proc, page, offset,
			value, expected);
}

static void add_to_page(unsigned long page)
{
	for (unsigned long offset = 0; offset < PAGE; offset += opt.stride) {
		uint64_t value = atomic_fetch_add_explicit(word(page, offset), 1, memory_order_relaxed);

		if ((value ^ signature(page, offset)) >> 32)
			corrupt(page, offset, value, signature(page, offset));
	}
}

static void expect_in_page(unsigned long page, unsigned long times)
{
	for (unsigned long offset = 0; offset < PAGE; offset += opt.stride) {
		uint64_t value = atomic_load_explicit(word(page, offset), memory_order_relaxed);

		if (value != signature(page, offset) + times)
			corrupt(page, offset, value, signature(page, offset) + times);
	}
}

static unsigned long common_divisor(unsigned long a, unsigned long b)
{
	return b ? common_divisor(b, a % b) : a;
}

/*
 * Threads that went through shared pages in the same order would end up in a convoy, each fault of the first one
 * stopping all: every thread has an order of its own.
 */
static void sweep(struct slice s, unsigned int thread)
{
	unsigned long step = s.count / (thread + 2) + 1, at = 0;

	while (common_divisor(step, s.count) != 1)
		step++;
	for (unsigned long i = 0; i < s.count; i++) {
		unsigned long page = s.first + at * s.step;

		at = (at + step) % s.count;
		if (opt.mode == TABLE)
			expect_in_page(page, 0);
		else
			add_to_page(page);
	}
}

static void read_counters(unsigned long *counters)
{
	char name[64];
	unsigned long value;
	FILE *f = fopen("/proc/vmstat", "r");

	if (!f)
		die("/proc/vmstat: %s", strerror(errno));
	while (fscanf(f, "%63s %lu", name, &value) == 2) {
		for (size_t i = 0; i < NR_WATCHED; i++) {
			if (!strcmp(name, watched[i]))
				counters[i] = value;
		}
	}
	fclose(f);
}

/* Until all memory of all processes is there, which the parent reports. */
static void wait_for_memory(void)
{
	if (pthread_barrier_wait(&shared->born) != PTHREAD_BARRIER_SERIAL_THREAD)
		return;
	numalab_mark(MARK_BORN);
	read_counters(shared->counters[0]);
	kill(getppid(), SIGUSR1);
}

/* The last thread to come ends the interval for all. */
static void reach(unsigned int interval)
{
	if (++shared->reached[interval] < nr_all())
		return;
	numalab_mark(MARK_PASSED);
	read_counters(shared->counters[interval + 1]);
	shared->passed = interval + 1;
}

static bool go_on(void)
{
	return shared->passed < opt.marks && !shared->stop;
}

static void *run_thread(void *arg)
{
	unsigned int thread = (uintptr_t)arg, reached = 0;
	unsigned long swept = 0;
	struct progress *progress = &shared->progress[proc * opt.threads + thread];

	begin_thread(thread);
	bear_memory(thread);
	wait_for_memory();
	free_thread();
	while (go_on()) {
		unsigned int phase = opt.mode == PHASE && shared->passed >= opt.marks / 2;

		sweep(slice(slice_of_thread(thread, phase)), thread);
		progress->swept[phase]++;
		swept++;
		while (reached < opt.marks && swept * opt.marks >= (reached + 1) * opt.sweeps)
			reach(reached++);
	}
	return NULL;
}

static unsigned long times_swept(unsigned int slice)
{
	unsigned long sum = 0;

	if (opt.mode == TABLE)
		return 0;
	for (unsigned int thread = 0; thread < opt.threads; thread++) {
		struct progress *progress = &shared->progress[proc * opt.threads + thread];

		for (unsigned int phase = 0; phase < 2; phase++) {
			if (slice_of_thread(thread, phase) == slice)
				sum += progress->swept[phase];
		}
	}
	return sum;
}

static void verify(void)
{
	unsigned long times[MAX_THREADS];

	for (unsigned int n = 0; n < opt.threads; n++)
		times[n] = times_swept(n);
	for (unsigned long page = 0; page < pages; page++)
		expect_in_page(page, times[slice_of_page(page)]);
}

/* Children that change some pages and look whether they, and only they, see it. */

static int run_child(unsigned int seed)
{
	for (int i = 0; i < FORK_PAGES; i++) {
		unsigned long page = rand_r(&seed) % pages;
		uint64_t before = *word(page, 0);

		if ((before ^ signature(page, 0)) >> 32)
			return 1;
		*word(page, 0) += 1;
		if (*word(page, 0) != before + 1)
			return 1;
	}
	return 0;
}

static void *run_churn(void *arg)
{
	unsigned int seed = proc;
	int status;

	(void)arg;
	while (go_on()) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid)
			_exit(run_child(seed));
		check(waitpid(pid, &status, 0), "waitpid");
		if (status)
			shared->corrupt++;
		shared->children++;
		seed = rand_r(&seed);
	}
	return NULL;
}

/* Processes */

static void map_memory(void)
{
	unsigned long size = opt.mib << 20;
	char *start;

	size = size / opt.procs / opt.threads / HUGE * HUGE * opt.threads;
	if (!size)
		die("--mem: at least 2 MiB for each thread");
	start = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	memory = (char *)(((uintptr_t)start + HUGE - 1) & -HUGE);
	pages = size / PAGE;
	check(madvise(memory, size, opt.thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
}

static void count_huge_pages(void)
{
	unsigned long kib;
	char line[256];
	FILE *f = fopen("/proc/self/smaps_rollup", "r");

	if (!f)
		die("smaps_rollup: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			shared->huge_kib += kib;
	}
	fclose(f);
}

static void start_thread(pthread_t *thread, void *(*run)(void *), unsigned int n)
{
	if (pthread_create(thread, NULL, run, (void *)(uintptr_t)n))
		die("pthread_create failed");
}

static void run_process(void)
{
	pthread_t threads[MAX_THREADS], churn;

	map_memory();
	for (unsigned int i = 0; i < opt.threads; i++)
		start_thread(&threads[i], run_thread, i);
	wait_for_memory();
	count_huge_pages();
	if (opt.churn)
		start_thread(&churn, run_churn, 0);
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
	if (opt.churn)
		pthread_join(churn, NULL);
	verify();
}

static unsigned long swept(unsigned int thread)
{
	return shared->progress[thread].swept[0] + shared->progress[thread].swept[1];
}

static void print_counters(void)
{
	for (size_t i = 0; i < NR_WATCHED; i++) {
		printf(",\"%s\":[", watched[i]);
		for (unsigned int n = 0; n <= shared->passed; n++)
			printf("%s%lu", n ? "," : "", shared->counters[n][i]);
		putchar(']');
	}
}

static void report(void)
{
	unsigned long sum = 0, min = -1UL, max = 0;

	for (unsigned int i = 0; i < nr_all(); i++) {
		unsigned long n = swept(i);

		sum += n;
		if (n < min)
			min = n;
		if (n > max)
			max = n;
	}
	printf("{\"mode\":\"%s\",\"procs\":%u,\"threads\":%u,\"marks\":%u,\"sweeps\":%lu,\"min\":%lu,\"max\":%lu",
	       mode_names[opt.mode], opt.procs, opt.threads, shared->passed, sum, min, max);
	printf(",\"corrupt\":%lu,\"children\":%lu,\"huge_mib\":%lu", shared->corrupt, shared->children,
	       shared->huge_kib >> 10);
	print_counters();
	puts("}");
	fflush(stdout);
}

static void start_processes(void)
{
	for (proc = 0; proc < opt.procs; proc++) {
		pid_t pid = fork();

		check(pid, "fork");
		if (!pid) {
			check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
			run_process();
			_exit(0);
		}
	}
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
static bool supervise(const sigset_t *signals)
{
	unsigned int running = opt.procs;

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

static void share_state(void)
{
	pthread_barrierattr_t attr;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->born, &attr, nr_all() + opt.procs);
}

static void find_nodes(void)
{
	struct bitmask *cpus = numa_allocate_cpumask();

	if (numa_available() < 0)
		die("no NUMA here");
	for (int node = 0; node <= numa_max_node(); node++) {
		if (!numa_node_to_cpus(node, cpus) && numa_bitmask_weight(cpus))
			nodes[nr_nodes++] = node;
	}
	numa_free_cpumask(cpus);
}

/* Options */

static void usage(FILE *f)
{
	fputs("usage: load MODE [OPTION...]\n"
	      "  procs    processes whose threads share all memory of their process (one process per node)\n"
	      "  private  one process, each thread has its own slice\n"
	      "  phase    as private; half way the threads change slices\n"
	      "  big      one process larger than a node, its threads share everything\n"
	      "  table    one process, a table all threads read\n"
	      "  stripe   one process, threads own 4 KiB pages in turn\n"
	      "  --mem MiB        in all (256)\n"
	      "  --procs N        processes\n"
	      "  --threads N      threads of each process\n"
	      "  --sweeps N       until every thread has swept so often (100)\n"
	      "  --stride BYTES   one access in as many (512)\n"
	      "  --marks N        intervals, each ended for numalab's meter when all threads are through (30)\n"
	      "  --shift N        phase: go on with the slice that many further (half the threads)\n"
	      "  --born NODE      all memory is first touched there; no policy remains\n"
	      "  --spill          --born: elsewhere once that node is full\n"
	      "  --spread         threads start on the nodes in turn, and are free then\n"
	      "  --bind none|hard|inverse  everything local, or everything remote, by affinity and policy\n"
	      "  --thp            huge pages\n"
	      "  --fork           children come and go that write copies of some pages\n"
	      "Prints its state in JSON when it begins to sweep, at signal USR1, and in the end, which signal TERM brings\n"
	      "about early. Status 1: memory was not what it should be.\n", f);
}

static int find_name(const char *name, const char * const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return i;
	}
	die("unknown word %s; see --help", name);
}
#define FIND(name, names) find_name(name, names, sizeof(names) / sizeof((names)[0]))

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mem", 1, NULL, 'm' }, { "procs", 1, NULL, 'p' }, { "threads", 1, NULL, 't' },
		{ "sweeps", 1, NULL, 's' }, { "stride", 1, NULL, 'r' }, { "marks", 1, NULL, 'k' },
		{ "shift", 1, NULL, 'i' }, { "born", 1, NULL, 'b' }, { "spill", 0, NULL, 'l' },
		{ "spread", 0, NULL, 'd' }, { "bind", 1, NULL, 'n' }, { "thp", 0, NULL, 'h' },
		{ "fork", 0, NULL, 'f' }, { "help", 0, NULL, 'H' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm': opt.mib = number(optarg, 2, 1 << 20); break;
		case 'p': opt.procs = number(optarg, 1, MAX_THREADS); break;
		case 't': opt.threads = number(optarg, 1, MAX_THREADS); break;
		case 's': opt.sweeps = number(optarg, 1, 1 << 30); break;
		case 'r': opt.stride = number(optarg, 8, PAGE); break;
		case 'k': opt.marks = number(optarg, 1, MAX_MARKS); break;
		case 'i': opt.shift = number(optarg, 1, MAX_THREADS); break;
		case 'b': opt.born = number(optarg, 0, MAX_NODES - 1); break;
		case 'l': opt.spill = true; break;
		case 'd': opt.spread = true; break;
		case 'n': opt.bind = FIND(optarg, bind_names); break;
		case 'h': opt.thp = true; break;
		case 'f': opt.churn = true; break;
		case 'H': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind != argc - 1) {
		usage(stderr);
		exit(2);
	}
	opt.mode = FIND(argv[optind], mode_names);
}

static void fill_defaults(void)
{
	unsigned int cpus = numa_num_configured_cpus();

	if (!opt.procs)
		opt.procs = opt.mode == PROCS ? nr_nodes : 1;
	if (!opt.threads)
		opt.threads = opt.mode == BIG ? 2 * cpus / nr_nodes : cpus / opt.procs;
	if (!opt.threads)
		opt.threads = 1;
	if (!opt.shift)
		opt.shift = opt.threads > 1 ? opt.threads / 2 : 1;
	if (opt.marks > opt.sweeps)
		opt.marks = opt.sweeps;
	if (nr_all() > MAX_THREADS)
		die("at most %d threads", MAX_THREADS);
	if (opt.stride % 8 || PAGE % opt.stride)
		die("--stride: not a power of two from 8 to 4096");
}

int main(int argc, char **argv)
{
	sigset_t signals;

	parse_options(argc, argv);
	find_nodes();
	fill_defaults();
	share_state();
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	start_processes();
	if (!supervise(&signals))
		die("a process failed");
	report();
	return shared->corrupt != 0;
}
