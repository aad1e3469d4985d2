// SPDX-License-Identifier: GPL-2.0
/*
 * load: programs whose best placement is known, for measuring and for testing. See usage() in options.c, and load.h
 * for what is where.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "load.h"

/* Whoever runs next finds its memory free. */
static void end_hog(pid_t hog)
{
	kill(hog, SIGKILL);
	check(waitpid(hog, NULL, 0), "waitpid");
}

void report(void)
{
	print_report();
	puts("}");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	sigset_t signals;
	pid_t hog = 0;

	parse_options(argc, argv);
	find_nodes();
	fill_defaults();
	make_plan();
	share_state();
	block_signals(&signals);
	if (opt.mode == SEGMENT)
		map_memory();
	if (opt.fill)
		hog = start_hog();
	if (!supervise(&signals, start_processes()))
		die("a process failed");
	if (opt.mode == SEGMENT)
		verify();
	if (hog)
		end_hog(hog);
	report();
	return shared->corrupt != 0;
}
