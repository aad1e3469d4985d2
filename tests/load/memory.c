// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: whose it is, accesses to it, and their verification.
 *
 * An access adds one to a word whose upper half says where it belongs: a page lost or mixed up is seen at once, and in
 * the end every word has to have been added to as often as the threads' progress says, so that no write was lost.
 */
#define _GNU_SOURCE
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "load.h"

#define FORK_PAGES	64		/* a child looks at as many */
#define PIECES		8		/* sleep: a request is for an eighth of a slice; hot: an eighth is hot */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/*
 * All that an access needs besides the word itself is in one cache line: with more of them, those that fell into one
 * set of the meter's two-way cache together with the word's would be counted as misses at every word.
 */
static struct {
	char *memory;
	unsigned long pages, stride;
	uint32_t seed;			/* of this process's signatures */
} here __attribute__((aligned(64)));

static unsigned long units_before[MAX_THREADS][2];	/* of earlier lives */

static unsigned int nr_slices(void)
{
	switch (opt.mode) {
	case PRIVATE: case PHASE: case STRIPE: case SLEEP: case VISIT:
		return opt.threads;
	case PIPE:
		return opt.threads / 2;
	case TREE:
		return opt.procs;
	case SEGMENT:
		return opt.parts ? opt.procs : 1;
	default:
		return 1;
	}
}

/* All processes use the same memory, or copies of the same. */
static bool is_common(void)
{
	return opt.mode == TREE || opt.mode == SEGMENT;
}

unsigned long nr_pages(void)
{
	return here.pages;
}

/* Huge pages have one owner each, except where memory is common: there are many small parts. */
static unsigned long size_of_memory(void)
{
	unsigned long size = opt.mib << 20;

	if (is_common())
		return size / nr_all() / PAGE * PAGE * nr_all();
	return size / opt.procs / opt.threads / HUGE * HUGE * opt.threads;
}

void map_memory(void)
{
	int flags = (opt.mode == SEGMENT || opt.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE;
	unsigned long size = size_of_memory();
	char *start;

	if (!size)
		die("--mem: at least 2 MiB for each thread");
	start = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	check(start == MAP_FAILED ? -1 : 0, "mmap");
	here.memory = (char *)(((uintptr_t)start + HUGE - 1) & -HUGE);
	here.pages = size / PAGE;
	here.stride = opt.stride;
	here.seed = ((is_common() ? 0 : proc) + 1) * 0x9e3779b1u;
	check(madvise(here.memory, size, opt.thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE), "madvise");
}

/* To where its pages are others of their page tables than in any other process. */
void move_apart(void)
{
	unsigned long size = here.pages * PAGE;
	unsigned long phase = (proc + 1) * (HUGE / (opt.procs + 1)) / PAGE * PAGE;
	char *start = mmap(NULL, size + 2 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(start == MAP_FAILED ? -1 : 0, "mmap");
	start = (char *)(((uintptr_t)start + HUGE - 1) & -HUGE) + phase;
	here.memory = mremap(here.memory, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start);
	check(here.memory == MAP_FAILED ? -1 : 0, "mremap");
}

/* What others have filled: so that no interval has the faults of every mapper. */
void map_all(void)
{
	check(madvise(here.memory, here.pages * PAGE, MADV_POPULATE_READ), "madvise");
}

static _Atomic uint64_t *word(unsigned long page, unsigned long offset)
{
	return (_Atomic uint64_t *)(here.memory + page * PAGE + offset);
}

static uint64_t signature(unsigned long page, unsigned long offset)
{
	uint32_t hash = here.seed + page * 0x85ebca6bu + offset * 0xc2b2ae35u;

	return (uint64_t)(hash ^ hash >> 15) << 32;
}

/* Slices */

static struct slice row(unsigned int n, unsigned int of)
{
	return (struct slice){ n * (here.pages / of), 1, here.pages / of };
}

struct slice slice(unsigned int n)
{
	if (opt.mode == STRIPE)
		return (struct slice){ n, opt.threads, here.pages / opt.threads };
	return row(n, nr_slices());
}

static unsigned int slice_of_page(unsigned long page)
{
	if (opt.mode == STRIPE)
		return page % opt.threads;
	return page / (here.pages / nr_slices());
}

static unsigned long index_in_slice(unsigned long page)
{
	if (opt.mode == STRIPE)
		return page / opt.threads;
	return page % (here.pages / nr_slices());
}

unsigned int slice_of_thread(unsigned int thread, unsigned int phase)
{
	switch (opt.mode) {
	case PRIVATE: case PHASE: case STRIPE: case SLEEP: case VISIT:
		return (thread + phase * opt.shift) % opt.threads;
	case PIPE:
		return thread / 2;
	case TREE:
		return proc;
	case SEGMENT:
		return opt.parts ? proc : 0;
	default:
		return 0;
	}
}

static struct slice piece(struct slice s, unsigned int n)
{
	s.count /= PIECES;
	s.first += n * s.count;
	return s;
}

/* hot: what is not is swept in PIECES parts, one in each sweep; page by page in turn. */
static struct slice cold_part(struct slice s, unsigned int n)
{
	unsigned long hot = s.count / PIECES;

	return (struct slice){ s.first + hot + n, PIECES, (s.count - hot) / PIECES };
}

/* Birth */

static unsigned int node_of_page(unsigned long page)
{
	unsigned int n = slice_of_page(page);

	if (opt.mode == TREE) {
		/* What was inherited is read by all but its owner, who has a copy. */
		n = (opt.bind == BIND_HARD ? n + 1 : n) % opt.procs;
		return home_of_thread(n * opt.threads);
	}
	if (!is_common())
		n = (global_number(0) + n * (opt.threads / nr_slices())) / group_size();
	return node_of_group_memory(n, index_in_slice(page), here.pages / nr_slices());
}

void bear_slice(struct slice s)
{
	int bound = -1;

	for (unsigned long i = 0; i < s.count; i++) {
		unsigned long page = s.first + i * s.step;

		if (opt.bind != BIND_NONE && bound != (int)node_of_page(page)) {
			bound = node_of_page(page);
			set_policy(MPOL_BIND, bound);
		}
		for (unsigned long offset = 0; offset < PAGE; offset += here.stride)
			*word(page, offset) = signature(page, offset);
	}
}

/* A thread's part of the work of filling its process's memory. */
void bear_row(unsigned int thread)
{
	if (opt.mode == STRIPE)
		bear_slice(slice(thread));
	else if (opt.mode == SEGMENT)
		bear_slice(row(global_number(thread), nr_all()));
	else
		bear_slice(row(thread, opt.threads));
}

/* Accesses */

static void corrupt(unsigned long page, unsigned long offset, uint64_t value, uint64_t expected)
{
	if (!shared->corrupt++)
		fprintf(stderr, "load: process %u, page %lu, offset %lu: %#lx instead of %#lx\n", proc, page, offset,
			value, expected);
}

/* Whatever was added to the word, its signature is still there. */
static void expect_signature(unsigned long page, unsigned long offset, uint64_t value)
{
	if ((value ^ signature(page, offset)) >> 32)
		corrupt(page, offset, value, signature(page, offset));
}

static void add_to_words(unsigned long page, unsigned long first, unsigned long step)
{
	for (unsigned long offset = first; offset < PAGE; offset += step)
		expect_signature(page, offset, atomic_fetch_add_explicit(word(page, offset), 1, memory_order_relaxed));
}

static void add_to_page(unsigned long page, unsigned int thread)
{
	(void)thread;
	add_to_words(page, 0, here.stride);
}

/* Others add to it meanwhile. */
static void look_at_page(unsigned long page)
{
	for (unsigned long offset = 0; offset < PAGE; offset += here.stride)
		expect_signature(page, offset, atomic_load_explicit(word(page, offset), memory_order_relaxed));
}

static void add_to_own_words(unsigned long page, unsigned int thread)
{
	add_to_words(page, thread * here.stride, opt.threads * here.stride);
}

static void expect_in_word(unsigned long page, unsigned long offset, unsigned long times)
{
	uint64_t value = atomic_load_explicit(word(page, offset), memory_order_relaxed);

	if (value != signature(page, offset) + times)
		corrupt(page, offset, value, signature(page, offset) + times);
}

static void expect_in_page(unsigned long page, unsigned long times)
{
	for (unsigned long offset = 0; offset < PAGE; offset += here.stride)
		expect_in_word(page, offset, times);
}

static void read_page(unsigned long page, unsigned int thread)
{
	(void)thread;
	expect_in_page(page, 0);
}

static unsigned long common_divisor(unsigned long a, unsigned long b)
{
	return b ? common_divisor(b, a % b) : a;
}

/*
 * Threads that went through shared pages in the same order would end up in a convoy, each fault of the first one
 * stopping all: every thread has an order of its own.
 */
static unsigned long step_of(unsigned int thread, unsigned long count)
{
	unsigned long step = count / (global_number(thread) + 2) + 1;

	while (common_divisor(step, count) != 1)
		step++;
	return step;
}

static void each_page(struct slice s, unsigned int thread, void (*visit)(unsigned long page, unsigned int thread))
{
	unsigned long step = opt.in_order ? 1 : step_of(thread, s.count);
	/* In order, the threads of shared memory are a part of it away from each other, as where they share work. */
	unsigned long at = opt.in_order ? s.count / opt.threads * thread : 0;

	for (unsigned long i = 0; i < s.count; i++) {
		visit(s.first + at * s.step, thread);
		at = (at + step) % s.count;
	}
}

static void work_hot(struct slice s, unsigned int thread, unsigned long unit)
{
	for (int i = 0; i < PIECES; i++)
		each_page(piece(s, 0), thread, add_to_page);
	each_page(cold_part(s, unit % PIECES), thread, add_to_page);
}

/* As many passes over what is its own as make up for what it reads of the others'. */
static unsigned int tree_passes(void)
{
	return opt.procs > 1 ? opt.procs - 1 : 1;
}

static void work_tree(struct slice s, unsigned int thread)
{
	unsigned long end = s.first + s.count;

	for (unsigned int i = 0; i < tree_passes(); i++)
		each_page(s, thread, add_to_page);
	each_page((struct slice){ 0, 1, s.first }, thread, read_page);
	each_page((struct slice){ end, 1, here.pages - end }, thread, read_page);
}

#define VISITS_OF	10	/* pages that a thread uses */
#define VISITS		3	/* of these, so many are anybody's */

/* Each page of its own; then, after so many, a look into others' or its own that are drawn at random. */
static void add_and_visit(unsigned long page, unsigned int thread)
{
	static __thread uint64_t state;

	add_to_page(page, thread);
	state = (state + global_number(thread) + 1) * 6364136223846793005;	/* Knuth's MMIX */
	if ((state >> 32) % (VISITS_OF - VISITS) < VISITS)
		look_at_page((state >> 40) % here.pages);
}

/* One unit of a thread's work, its unit-th. */
void work(unsigned int thread, unsigned int phase, unsigned long unit)
{
	struct slice s = slice(slice_of_thread(thread, phase));

	switch (opt.mode) {
	case TABLE:
		each_page(s, thread, read_page);
		break;
	case SUBPAGE:
		each_page(s, thread, add_to_own_words);
		break;
	case HOT:
		work_hot(s, thread, unit);
		break;
	case TREE:
		work_tree(s, thread);
		break;
	case VISIT:
		each_page(s, thread, add_and_visit);
		break;
	case SLEEP:
		each_page(piece(s, unit % PIECES), thread, add_to_page);
		break;
	default:
		each_page(s, thread, add_to_page);
	}
}

void fill_buffer(unsigned long first, unsigned long count)
{
	for (unsigned long page = first; page < first + count; page++)
		add_to_page(page, 0);
}

void check_buffer(unsigned long first, unsigned long count, unsigned long times)
{
	for (unsigned long page = first; page < first + count; page++)
		expect_in_page(page, times);
}

/* Verification */

unsigned long units_per_sweep(void)
{
	return opt.mode == SLEEP ? PIECES : 1;
}

static unsigned long units_in_life(unsigned int thread, unsigned int phase)
{
	return shared->progress[global_number(thread)].units[phase] - units_before[thread][phase];
}

void begin_life(void)
{
	for (unsigned int thread = 0; thread < opt.threads; thread++) {
		for (unsigned int phase = 0; phase < 2; phase++)
			units_before[thread][phase] = shared->progress[global_number(thread)].units[phase];
	}
}

/* Of so many units that take turns in PIECES parts, those for one part. */
static unsigned long turns(unsigned long units, unsigned int part)
{
	return (units + PIECES - 1 - part) / PIECES;
}

static unsigned long times_hot(unsigned long units, unsigned long page)
{
	unsigned long hot = here.pages / PIECES;

	return page < hot ? units * PIECES : turns(units, (page - hot) % PIECES);
}

static unsigned long times_in_phases(unsigned int thread, unsigned long page)
{
	unsigned long sum = 0;

	for (unsigned int phase = 0; phase < 2; phase++) {
		if (slice_of_thread(thread, phase) == slice_of_page(page))
			sum += units_in_life(thread, phase);
	}
	return sum;
}

/* How often a thread of this process has added to a word. */
static unsigned long times_by(unsigned int thread, unsigned long page, unsigned long offset)
{
	unsigned long units = units_in_life(thread, 0);
	bool own = slice_of_page(page) == slice_of_thread(thread, 0);

	switch (opt.mode) {
	case TABLE:
		return 0;
	case SUBPAGE:
		return offset / here.stride % opt.threads == thread ? units : 0;
	case HOT:
		return times_hot(units, page);
	case TREE:
		return own ? units * tree_passes() : 0;
	case SLEEP:
		return own ? turns(units, index_in_slice(page) / (here.pages / nr_slices() / PIECES)) : 0;
	case PIPE:
		return own && thread % 2 == 0 ? units : 0;
	default:
		return times_in_phases(thread, page);
	}
}

static unsigned long times_by_all(unsigned long page, unsigned long offset)
{
	unsigned long sum = 0;

	for (unsigned int thread = 0; thread < opt.threads; thread++)
		sum += times_by(thread, page, offset);
	return sum;
}

static void verify_words(unsigned long page)
{
	for (unsigned long offset = 0; offset < PAGE; offset += here.stride)
		expect_in_word(page, offset, times_by_all(page, offset));
}

static void verify_process(void)
{
	for (unsigned long page = 0; page < here.pages; page++) {
		if (opt.mode == SUBPAGE)
			verify_words(page);
		else
			expect_in_page(page, times_by_all(page, 0));
	}
}

static void verify_segment(void)
{
	unsigned long all = 0;

	for (unsigned int n = 0; n < opt.procs; n++)
		all += shared->progress[n].units[0];
	for (unsigned long page = 0; page < here.pages; page++)
		expect_in_page(page, opt.parts ? shared->progress[slice_of_page(page)].units[0] : all);
}

/* At the end of a process; of a segment, at the end of all. */
void verify(void)
{
	if (opt.mode == SEGMENT)
		verify_segment();
	else
		verify_process();
}

/* A child changes some pages and looks whether it, and only it, sees that. */
int change_copies(unsigned int seed)
{
	for (int i = 0; i < FORK_PAGES; i++) {
		unsigned long page = rand_r(&seed) % here.pages;
		uint64_t before = *word(page, 0);

		if ((before ^ signature(page, 0)) >> 32)
			return 1;
		*word(page, 0) += 1;
		if (*word(page, 0) != before + 1)
			return 1;
	}
	return 0;
}
