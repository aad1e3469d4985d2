// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=later.so PROGRAM: the machine has been up for an hour longer, as far as the program can tell.
 *
 * numad evaluates no process in the first 300 s: it takes 0, the time at which it last bound a process that it never
 * bound, for a time after boot (message: "because done too recently"). Machines here do not live that long.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LATER_S	3600

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = syscall(SYS_clock_gettime, clock, time);

	if (!result && clock == CLOCK_MONOTONIC)
		time->tv_sec += LATER_S;
	return result;
}
