// SPDX-License-Identifier: GPL-2.0
/*
 * stall: programs that know how often their threads are stopped, to test the meter with. What counts stands between
 * the marks 10 and 11.
 *	stall faults N		touches N fresh pages, one by one
 *	stall calls N		N system calls
 *	stall spin N		N turns of an empty loop, no page is touched for the first time
 *	stall shootdown N	changes the protection of a page N times, while a thread on the last CPU spins in user mode
 *	stall wait N		N faults on a page whose fault another thread serves (userfaultfd), asleep meanwhile
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../tools/lab/mark.h"

#define PAGE		4096UL
#define MARK_BEGIN	10
#define MARK_END	11

static _Atomic bool started, stop;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static char *fresh_pages(unsigned long n)
{
	char *memory = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, n * PAGE, MADV_NOHUGEPAGE);
	return memory;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void touch(char *memory, unsigned long n)
{
	numalab_mark(MARK_BEGIN);
	for (unsigned long i = 0; i < n; i++)
		((volatile char *)memory)[i * PAGE] = 1;
	numalab_mark(MARK_END);
}

static void call(unsigned long n)
{
	numalab_mark(MARK_BEGIN);
	for (unsigned long i = 0; i < n; i++)
		syscall(SYS_getppid);
	numalab_mark(MARK_END);
}

static void spin(unsigned long n)
{
	numalab_mark(MARK_BEGIN);
	for (unsigned long i = 0; i < n; i++)
		__asm__ volatile("");
	numalab_mark(MARK_END);
}

static void *run_spinner(void *data)
{
	(void)data;
	run_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	started = true;
	while (!stop)
		;
	return NULL;
}

static void *start(void *(*run)(void *), void *data)
{
	static pthread_t thread;

	if (pthread_create(&thread, NULL, run, data))
		fail("pthread_create");
	while (!started)
		sched_yield();
	return &thread;
}

static void shoot_down(unsigned long n)
{
	char *page = fresh_pages(1);
	pthread_t *spinner = start(run_spinner, NULL);

	numalab_mark(MARK_BEGIN);
	for (unsigned long i = 0; i < n; i++) {
		*page = 1;
		if (mprotect(page, PAGE, PROT_READ) || mprotect(page, PAGE, PROT_READ | PROT_WRITE))
			fail("mprotect");
	}
	numalab_mark(MARK_END);
	stop = true;
	pthread_join(*spinner, NULL);
}

static void *serve(void *data)
{
	int fd = (intptr_t)data;
	struct uffd_msg msg;

	run_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	started = true;
	while (read(fd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_zeropage zero = { .range = { msg.arg.pagefault.address & -PAGE, PAGE } };

		if (ioctl(fd, UFFDIO_ZEROPAGE, &zero))
			fail("UFFDIO_ZEROPAGE");
	}
	return NULL;
}

static void wait_for_pages(unsigned long n)
{
	char *memory = fresh_pages(n);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (uintptr_t)memory, n * PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		fail("userfaultfd");
	start(serve, (void *)(intptr_t)fd);
	touch(memory, n);
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	const char *what = n ? argv[1] : "";

	run_on(0);
	if (!strcmp(what, "faults"))
		touch(fresh_pages(n), n);
	else if (!strcmp(what, "calls"))
		call(n);
	else if (!strcmp(what, "spin"))
		spin(n);
	else if (!strcmp(what, "shootdown"))
		shoot_down(n);
	else if (!strcmp(what, "wait"))
		wait_for_pages(n);
	else
		return fputs("usage: stall faults|calls|spin|shootdown|wait N\n", stderr), 2;
	return 0;
}
