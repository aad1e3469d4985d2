// SPDX-License-Identifier: GPL-2.0
/*
 * cost: a fixed amount of work that is nearly all the kernel's, to count what a change to the kernel costs. What counts
 * stands between the marks 10 and 11; the rounds of "fault" end with mark 12, as a round without a timer tick is always
 * the same.
 *	cost fault N [PHASE]	N rounds on the first CPU: fresh pages are touched and given back, guarded pages are
 *				opened by a signal handler, and memory that stays, of another node at first, is read
 *				(in-tree balancing makes that fault)
 *	cost switch N [PHASE]	pairs of processes wake each other N times by pipes, while more threads than CPUs yield
 *				N times each
 * PHASE turns of an empty loop come first, to begin elsewhere between two timer ticks. Prints "faults N" or "switches
 * N": how many operations that were. In-tree hinting faults are not among them.
 */
#define _GNU_SOURCE
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/lab/mark.h"
#include "common.h"

#define PAGE		4096UL
#define FRESH_PAGES	64
#define GUARDED_PAGES	16
#define STAYING_PAGES	1024
#define MAX_CPUS	64
#define THREADS_PER_CPU	2
#define MARK_BEGIN	10
#define MARK_END	11
#define MARK_ROUND	12

static unsigned long rounds;

static void check(long result, const char *what)
{
	if (result < 0)
		die("%s failed", what);
}

static char *map_pages(size_t n)
{
	char *memory = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory == MAP_FAILED ? -1 : 0, "mmap");
	madvise(memory, n * PAGE, MADV_NOHUGEPAGE);
	return memory;
}

static void spin(unsigned long turns)
{
	for (unsigned long i = 0; i < turns; i++)
		__asm__ volatile("");
}

/* --- fault --- */

static void write_each(volatile char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
}

static void read_each(volatile char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		(void)memory[i * PAGE];
}

static void open_page(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (mprotect((void *)((uintptr_t)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE))
		_exit(2);
}

static void handle_faults(void)
{
	struct sigaction action = { .sa_sigaction = open_page, .sa_flags = SA_SIGINFO };

	check(sigaction(SIGSEGV, &action, NULL), "sigaction");
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* Born as far away as there is, and without a policy that would keep it there. */
static char *staying_pages(void)
{
	char *memory = map_pages(STAYING_PAGES);

	run_on(numa_num_configured_cpus() - 1);
	write_each(memory, STAYING_PAGES);
	run_on(0);
	return memory;
}

static void one_round(char *guarded, char *staying)
{
	char *fresh = map_pages(FRESH_PAGES);

	write_each(fresh, FRESH_PAGES);
	check(munmap(fresh, FRESH_PAGES * PAGE), "munmap");
	check(mprotect(guarded, GUARDED_PAGES * PAGE, PROT_NONE), "mprotect");
	write_each(guarded, GUARDED_PAGES);
	read_each(staying, STAYING_PAGES);
}

static void fault(unsigned long phase)
{
	char *staying = staying_pages(), *guarded = map_pages(GUARDED_PAGES);

	handle_faults();
	one_round(guarded, staying);
	spin(phase);
	numalab_mark(MARK_BEGIN);
	for (unsigned long i = 0; i < rounds; i++) {
		one_round(guarded, staying);
		numalab_mark(MARK_ROUND);
	}
	numalab_mark(MARK_END);
	printf("faults %lu\n", rounds * (FRESH_PAGES + GUARDED_PAGES));
}

/* --- switch --- */

static int gate[2];		/* everyone begins when its other end is closed */

static void wait_for_gate(void)
{
	char byte;

	check(read(gate[0], &byte, 1), "read");
}

static void bounce(int in, int out)
{
	char byte = 0;

	for (unsigned long i = 0; i < rounds; i++) {
		check(write(out, &byte, 1), "write");
		check(read(in, &byte, 1), "read");
	}
}

static void start_one(int in, int out)
{
	pid_t pid = fork();

	check(pid, "fork");
	if (pid)
		return;
	close(gate[1]);
	wait_for_gate();
	bounce(in, out);
	_exit(0);
}

static void start_pair(void)
{
	int there[2], back[2];

	check(pipe(there), "pipe");
	check(pipe(back), "pipe");
	start_one(back[0], there[1]);
	start_one(there[0], back[1]);
}

static void *yield(void *data)
{
	wait_for_gate();
	for (unsigned long i = 0; i < rounds; i++)
		sched_yield();
	return data;
}

static void await_pairs(unsigned int pairs)
{
	int status;

	for (unsigned int i = 0; i < 2 * pairs; i++) {
		check(wait(&status), "wait");
		if (status)
			die("a process failed");
	}
}

static void switch_tasks(unsigned long phase)
{
	unsigned int cpus = numa_num_configured_cpus(), threads = THREADS_PER_CPU * cpus;
	pthread_t thread[THREADS_PER_CPU * MAX_CPUS];

	if (cpus > MAX_CPUS)
		die("more than %d CPUs", MAX_CPUS);
	check(pipe(gate), "pipe");
	for (unsigned int i = 0; i < cpus; i++)
		start_pair();
	for (unsigned int i = 0; i < threads; i++)
		check(-pthread_create(&thread[i], NULL, yield, NULL), "pthread_create");
	usleep(100000);
	spin(phase);
	numalab_mark(MARK_BEGIN);
	close(gate[1]);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	await_pairs(cpus);
	numalab_mark(MARK_END);
	printf("switches %lu\n", rounds * (2 * cpus + threads));
}

int main(int argc, char **argv)
{
	unsigned long phase = argc == 4 ? number(argv[3], 0, 1UL << 40) : 0;

	if (argc != 3 && argc != 4)
		die("usage: cost fault|switch N [PHASE]");
	rounds = number(argv[2], 1, 1 << 30);
	if (!strcmp(argv[1], "fault"))
		fault(phase);
	else if (!strcmp(argv[1], "switch"))
		switch_tasks(phase);
	else
		die("usage: cost fault|switch N [PHASE]");
	return 0;
}
