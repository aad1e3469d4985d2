// SPDX-License-Identifier: GPL-2.0
/*
 * storm: all that a process can do to its memory and to itself, at random and at once, so that whoever walks page
 * tables and tasks meanwhile meets it at the worst moment. See usage().
 *
 * Every page has, in its first and in its last word, a number drawn for it when it was last written, or zero. What is
 * expected there is kept beside it, so a page that was lost or mixed up and a write that was lost are seen.
 *
 * Three kinds of processes: one that stays, sweeps over its memory and has it brought to each node in turn, so there
 * is always something to plant, to queue and to move; workers, whose threads do random steps for a while, and
 * that exit or exec themselves then, in the midst of it; and what these fork.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
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
#include <time.h>
#include <unistd.h>

#include "common.h"

#define PAGE		4096UL
#define WORDS		(PAGE / sizeof(uint64_t))
#define HUGE_PAGES	512u
#define SLOTS		3		/* regions of each thread */
#define MAX_THREADS	64
#define MAX_WORKERS	64
#define STATE_FD	100		/* struct state, across exec */
#define GATHER_US	300000		/* so long the staying memory is left where it was brought */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

enum step { MAP, UNMAP, TRIM, HOLE, RESIZE, MOVE, PROTECT, ADVISE, SPLIT, SWEEP, FORK, THREAD, NR_STEPS };

static const char * const step_names[NR_STEPS] = {
	"map", "unmap", "trim", "hole", "resize", "move", "protect", "advise", "split", "sweep", "fork", "thread",
};

/* Common to all processes. */
struct state {
	_Atomic bool stop;
	_Atomic unsigned long corrupt, sweeps, lives, execs, steps[NR_STEPS];
};

/* A mapping, or what is left of it. */
struct region {
	char *start;			/* NULL: none */
	unsigned int pages, max;
	bool shared;
	uint64_t *want;			/* of each page; 0: never written */
};

/* One thread's world. */
struct world {
	struct region regions[SLOTS];
	uint64_t random;
	bool child;			/* of fork: forks no more */
};

static struct {
	unsigned long mib, seconds, seed;
	unsigned int workers, threads, steps;
	bool life;			/* this process is one of a worker's lives, or a child's */
} opt = { .mib = 128, .workers = 2, .threads = 2, .seed = 1 };

static struct state *state;
static struct world worlds[MAX_THREADS];

static uint64_t draw(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

/* 0 to n - 1 */
static unsigned int below(struct world *w, unsigned int n)
{
	return (draw(w) >> 16) % n;
}

static void seed_world(struct world *w, uint64_t seed)
{
	w->random = (seed + 1) * 0x9e3779b97f4a7c15u;
	draw(w);
}

/* Contents */

static volatile uint64_t *words(struct region *r, unsigned int page)
{
	return (volatile uint64_t *)(r->start + page * PAGE);
}

static void write_page(struct world *w, struct region *r, unsigned int page)
{
	volatile uint64_t *p = words(r, page);

	r->want[page] = draw(w);
	p[0] = r->want[page];
	p[WORDS - 1] = r->want[page];
}

static void check_page(struct region *r, unsigned int page)
{
	volatile uint64_t *p = words(r, page);
	uint64_t first = p[0], last = p[WORDS - 1];

	if (first == r->want[page] && last == r->want[page])
		return;
	if (!state->corrupt++)
		fprintf(stderr, "storm: page %u of %u at %p%s: %#lx and %#lx instead of %#lx\n", page, r->pages,
			(void *)p, r->shared ? ", shared" : "", first, last, r->want[page]);
}

static void forget_pages(struct region *r, unsigned int from, unsigned int nr)
{
	memset(r->want + from, 0, nr * sizeof(*r->want));
}

/* Looks at each page, and writes one in as many. */
static void sweep(struct world *w, struct region *r, unsigned int one_in)
{
	for (unsigned int page = 0; page < r->pages; page++) {
		check_page(r, page);
		if (!below(w, one_in))
			write_page(w, r, page);
	}
}

/* Regions */

static void *map_anonymous(unsigned long size, int flags)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	if (start == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return start;
}

static void init_region(struct region *r, unsigned int max)
{
	r->start = NULL;
	r->max = max;
	r->want = map_anonymous(max * sizeof(*r->want), MAP_PRIVATE);
}

static void map_region(struct region *r, unsigned int pages, bool shared)
{
	r->start = map_anonymous(pages * PAGE, shared ? MAP_SHARED : MAP_PRIVATE);
	r->pages = pages;
	r->shared = shared;
	forget_pages(r, 0, pages);
}

static void unmap_region(struct region *r)
{
	munmap(r->start, r->pages * PAGE);
	r->start = NULL;
}

/* Part of a region, of one page at least. */
static void draw_part(struct world *w, struct region *r, unsigned int *from, unsigned int *nr)
{
	*from = below(w, r->pages);
	*nr = 1 + below(w, r->pages - *from);
}

/* Steps; the region is there, but for MAP. */

static void do_map(struct world *w, struct region *r)
{
	static const int advice[] = { MADV_HUGEPAGE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_NORMAL };

	map_region(r, below(w, 2) ? r->max : 1 + below(w, r->max), !below(w, 4));
	madvise(r->start, r->pages * PAGE, advice[below(w, 4)]);
	sweep(w, r, 1);
}

static void do_unmap(struct world *w, struct region *r)
{
	(void)w;
	unmap_region(r);
}

/* Its begin or its end goes: huge pages across the border are split. */
static void do_trim(struct world *w, struct region *r)
{
	unsigned int nr = below(w, r->pages);

	if (!nr)
		return;
	r->pages -= nr;
	if (below(w, 2)) {
		munmap(r->start + r->pages * PAGE, nr * PAGE);
		return;
	}
	munmap(r->start, nr * PAGE);
	r->start += nr * PAGE;
	memmove(r->want, r->want + nr, r->pages * sizeof(*r->want));
}

/* New memory in the place of a part. */
static void do_hole(struct world *w, struct region *r)
{
	unsigned int from, nr;

	if (r->shared)
		return;
	draw_part(w, r, &from, &nr);
	if (mmap(r->start + from * PAGE, nr * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	forget_pages(r, from, nr);
}

/* Refused where parts have got different flags. */
static void do_resize(struct world *w, struct region *r)
{
	unsigned int pages = 1 + below(w, r->max);
	char *start;

	if (r->shared)
		return;
	start = mremap(r->start, r->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);
	if (start == MAP_FAILED)
		return;
	if (pages > r->pages)
		forget_pages(r, r->pages, pages - r->pages);
	r->start = start;
	r->pages = pages;
}

/* The same pages in another place, always. */
static void do_move(struct world *w, struct region *r)
{
	unsigned long size = r->pages * PAGE;
	char *start = mremap(r->start, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);

	(void)w;
	if (start == MAP_FAILED)
		return;
	munmap(r->start, size);
	r->start = start;
}

static void do_protect(struct world *w, struct region *r)
{
	unsigned int from, nr, page;
	char *start;

	draw_part(w, r, &from, &nr);
	start = r->start + from * PAGE;
	if (below(w, 2)) {
		mprotect(start, nr * PAGE, PROT_NONE);
		usleep(below(w, 1000));
	}
	mprotect(start, nr * PAGE, PROT_READ);
	for (page = from; page < from + nr; page++)
		check_page(r, page);
	if (mprotect(start, nr * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect: %s", strerror(errno));
	sweep(w, r, 2);
}

static void do_advise(struct world *w, struct region *r)
{
	static const int advice[] = {
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLLAPSE, MADV_COLLAPSE, MADV_DONTNEED, MADV_FREE, MADV_COLD,
		MADV_PAGEOUT,
	};
	int what = advice[below(w, sizeof(advice) / sizeof(advice[0]))];
	unsigned int from, nr, page;

	draw_part(w, r, &from, &nr);
	if (madvise(r->start + from * PAGE, nr * PAGE, what))
		return;
	if (what == MADV_DONTNEED && !r->shared)
		forget_pages(r, from, nr);
	for (page = from; what == MADV_FREE && page < from + nr; page++)
		write_page(w, r, page);
}

/* Huge pages themselves, where all else splits their mapping alone. Without that file there is none. */
static void do_split(struct world *w, struct region *r)
{
	int fd = open("/sys/kernel/debug/split_huge_pages", O_WRONLY);

	(void)w;
	if (fd < 0)
		return;
	dprintf(fd, "%d,%#lx,%#lx", getpid(), (unsigned long)r->start, (unsigned long)r->start + r->pages * PAGE);
	close(fd);
}

static void do_sweep(struct world *w, struct region *r)
{
	sweep(w, r, 2);
}

static void run_steps(struct world *w, unsigned int steps);

__attribute__((noreturn))
static void exec_self(uint64_t seed, unsigned int steps)
{
	char texts[5][24];
	char *args[] = { "storm", "--life", "--seed", texts[0], "--steps", texts[1], "--mem", texts[2],
			 "--workers", texts[3], "--threads", texts[4], NULL };

	snprintf(texts[0], sizeof(texts[0]), "%lu", seed >> 16);
	snprintf(texts[1], sizeof(texts[1]), "%u", steps);
	snprintf(texts[2], sizeof(texts[2]), "%lu", opt.mib);
	snprintf(texts[3], sizeof(texts[3]), "%u", opt.workers);
	snprintf(texts[4], sizeof(texts[4]), "%u", opt.threads);
	state->execs++;
	execv("/proc/self/exe", args);
	_exit(3);
}

/* Its copies, and nobody else's; other threads' regions are in the midst of something. */
__attribute__((noreturn))
static void run_child(struct world *w)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w->child = true;
	for (int i = 0; i < SLOTS; i++) {
		if (w->regions[i].start && w->regions[i].shared)
			unmap_region(&w->regions[i]);
	}
	draw(w);
	run_steps(w, 1 + below(w, 10));
	if (!state->stop && !below(w, 4))
		exec_self(draw(w), 1 + below(w, 30));
	_exit(0);
}

static void do_fork(struct world *w, struct region *r)
{
	pid_t pid = w->child ? -1 : fork();
	int status;

	(void)r;
	if (!pid)
		run_child(w);
	if (pid < 0)
		return;
	if (waitpid(pid, &status, 0) == pid && status && !state->corrupt++)
		fprintf(stderr, "storm: a child ended with status %#x\n", status);
}

static void *run_short_thread(void *arg)
{
	struct world *w = arg;
	struct region r;

	init_region(&r, HUGE_PAGES);
	do_map(w, &r);
	sweep(w, &r, 2);
	unmap_region(&r);
	munmap(r.want, HUGE_PAGES * sizeof(*r.want));
	return NULL;
}

/* One that comes, uses memory and goes. */
static void do_thread(struct world *w, struct region *r)
{
	struct world other = { };
	pthread_t thread;

	(void)r;
	seed_world(&other, draw(w));
	if (w->child || pthread_create(&thread, NULL, run_short_thread, &other))
		return;
	pthread_join(thread, NULL);
}

static void (* const step_functions[NR_STEPS])(struct world *, struct region *) = {
	do_map, do_unmap, do_trim, do_hole, do_resize, do_move, do_protect, do_advise, do_split, do_sweep, do_fork,
	do_thread,
};

/* Mostly sweeping: what is never used is of no interest to a balancer. */
static enum step draw_step(struct world *w, struct region *r)
{
	enum step step = below(w, 2 * NR_STEPS);

	if (!r->start)
		return MAP;
	if (step >= NR_STEPS || step == MAP)
		return SWEEP;
	return step;
}

static void run_steps(struct world *w, unsigned int steps)
{
	while (steps-- && !state->stop) {
		struct region *r = &w->regions[below(w, SLOTS)];
		enum step step = draw_step(w, r);

		step_functions[step](w, r);
		state->steps[step]++;
	}
}

/* The lives of workers */

static unsigned int max_pages(void)
{
	return (opt.mib << 20) / 2 / PAGE / opt.workers / opt.threads / SLOTS;
}

static void init_world(struct world *w, uint64_t seed)
{
	seed_world(w, seed);
	for (int i = 0; i < SLOTS; i++)
		init_region(&w->regions[i], max_pages());
}

static void *run_thread(void *arg)
{
	run_steps(arg, -1);
	return NULL;
}

/* Ends while the other threads are in the midst of their steps. */
__attribute__((noreturn))
static void run_life(void)
{
	pthread_t thread;

	state->lives++;
	for (unsigned int i = 0; i < opt.threads; i++)
		init_world(&worlds[i], opt.seed * MAX_THREADS + i);
	for (unsigned int i = 1; i < opt.threads; i++) {
		if (pthread_create(&thread, NULL, run_thread, &worlds[i]))
			die("pthread_create failed");
	}
	run_steps(&worlds[0], opt.steps);
	if (!state->stop && below(&worlds[0], 2))
		exec_self(draw(&worlds[0]), 50 + below(&worlds[0], 500));
	_exit(0);
}

/* The process that stays */

static void *run_sweeper(void *arg)
{
	unsigned int n = (uintptr_t)arg, pages = (opt.mib << 20) / 2 / PAGE / opt.threads;
	struct region *r = &worlds[n].regions[0];

	seed_world(&worlds[n], opt.seed * MAX_THREADS + n);
	init_region(r, pages);
	map_region(r, pages, false);
	madvise(r->start, pages * PAGE, n % 2 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	while (!state->stop) {
		sweep(&worlds[n], r, 4);
		state->sweeps++;
	}
	return NULL;
}

__attribute__((noreturn))
static void run_sweepers(void)
{
	unsigned long all = -1UL, node = 1;
	pthread_t threads[MAX_THREADS];

	for (unsigned int i = 0; i < opt.threads; i++) {
		if (pthread_create(&threads[i], NULL, run_sweeper, (void *)(uintptr_t)i))
			die("pthread_create failed");
	}
	while (!state->stop) {
		migrate_pages(0, 8 * sizeof(all), &all, &node);
		node = node >> numa_max_node() ? 1 : node << 1;
		usleep(GATHER_US);
	}
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* Supervision */

static pid_t start_process(bool worker)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (worker)
		run_life();
	run_sweepers();
}

static void start_worker(void)
{
	opt.seed++;
	opt.steps = 50 + opt.seed * 7919 % 500;
	start_process(true);
}

/* Returns how many ended; a worker has a successor. */
static unsigned int reap(void)
{
	unsigned int ended = 0;
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		if (status && !state->corrupt++)
			fprintf(stderr, "storm: a process ended with status %#x\n", status);
		if (state->stop)
			ended++;
		else
			start_worker();
	}
	return ended;
}

static void report(void)
{
	printf("{\"corrupt\":%lu,\"sweeps\":%lu,\"lives\":%lu,\"execs\":%lu", state->corrupt, state->sweeps,
	       state->lives, state->execs);
	for (int i = 0; i < NR_STEPS; i++)
		printf(",\"%s\":%lu", step_names[i], state->steps[i]);
	puts("}");
	fflush(stdout);
}

/* Until TERM or the end of the time; USR1 prints how far it is. */
static void supervise(void)
{
	struct timespec left = { .tv_sec = opt.seconds ? opt.seconds : 1000000 };
	unsigned int running = opt.workers + 1;
	time_t end = time(NULL) + left.tv_sec;
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	start_process(false);
	for (unsigned int i = 0; i < opt.workers; i++)
		start_worker();
	while (running) {
		signal = sigtimedwait(&signals, NULL, &left);
		if (signal == SIGUSR1)
			report();
		left.tv_sec = end - time(NULL);
		if (signal == SIGTERM || left.tv_sec <= 0) {
			state->stop = true;
			left.tv_sec = 1;
		}
		running -= reap();
	}
}

/* A file without a name, so that it outlives exec. */
static void share_state(void)
{
	if (!opt.life) {
		int fd = memfd_create("storm", 0);

		if (fd < 0 || ftruncate(fd, sizeof(*state)) || dup2(fd, STATE_FD) < 0)
			die("memfd: %s", strerror(errno));
		close(fd);
	}
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, STATE_FD, 0);
	if (state == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

static void usage(FILE *f)
{
	fputs("usage: storm [OPTION...]\n"
	      "  --mem MiB      in all: half for the process that stays, half for the workers (128)\n"
	      "  --workers N    processes that fork, exec, exit and change their mappings at random (2)\n"
	      "  --threads N    of each process (2)\n"
	      "  --seconds S    how long; else until signal TERM\n"
	      "  --seed N       of all that is random (1)\n"
	      "Prints what it did in JSON at signal USR1 and in the end. Status 1: memory was not what it should be.\n",
	      f);
}

static void parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mem", 1, NULL, 'm' }, { "workers", 1, NULL, 'w' }, { "threads", 1, NULL, 't' },
		{ "seconds", 1, NULL, 's' }, { "seed", 1, NULL, 'r' }, { "help", 0, NULL, 'H' },
		{ "life", 0, NULL, 'l' }, { "steps", 1, NULL, 'n' }, { }	/* those two for itself */
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm': opt.mib = number(optarg, 8, 1 << 20); break;
		case 'w': opt.workers = number(optarg, 1, MAX_WORKERS); break;
		case 't': opt.threads = number(optarg, 1, MAX_THREADS); break;
		case 's': opt.seconds = number(optarg, 1, 1000000); break;
		case 'r': opt.seed = number(optarg, 0, -1UL); break;
		case 'l': opt.life = true; break;
		case 'n': opt.steps = number(optarg, 1, -1U); break;
		case 'H': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (optind != argc || !max_pages()) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	share_state();
	if (opt.life)
		run_life();
	supervise();
	report();
	return state->corrupt != 0;
}
