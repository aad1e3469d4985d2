// SPDX-License-Identifier: GPL-2.0
/* Choosing: run, enable, disable, default. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arguments.h"
#include "choose.h"
#include "netlink.h"
#include "output.h"

/* As env and timeout have them. */
enum { RUN_FAILED = 125, RUN_NOT_EXECUTABLE = 126, RUN_NOT_FOUND = 127 };

/* The module would say no more than "Invalid argument". */
static void check_home(const struct nodes *home)
{
	struct nodes with_memory;
	unsigned int node;

	if (!nodes_read(&with_memory, "has_memory"))
		return;
	for (node = nodes_next(home, 0); node < MAX_NODES; node = nodes_next(home, node + 1)) {
		if (!nodes_have(&with_memory, node))
			fail("--home: node %u has no memory; these have: %s", node,
			     nodes_text(&with_memory));
	}
}

static void choose(struct arguments *args, enum autonuma_choice choice)
{
	struct module_link link;
	struct request request;
	int err;

	check_home(&args->home);
	target_open(&args->target);
	err = link_open(&link);
	if (err)
		no_link(err);
	request = target_request(&args->target, AUTONUMA_CMD_SET);
	request.settings = args->settings;
	request.settings.choice = choice;
	request.home = args->home;
	err = link_ask(&link, &request, NULL);
	if (err)
		refused(&args->target, &request, err, link.said);
	link_close(&link);
	target_close(&args->target);
}

int run_program(struct arguments *args)
{
	failure_status = RUN_FAILED;
	args->target.kind = TARGET_PID;
	args->target.pid = getpid();
	choose(args, AUTONUMA_CHOICE_ASKED);
	execvp(args->program[0], args->program);
	failure_status = errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
	fail("%s: %s", args->program[0], strerror(errno));
}

int enable(struct arguments *args)
{
	choose(args, AUTONUMA_CHOICE_ASKED);
	return 0;
}

int disable(struct arguments *args)
{
	choose(args, AUTONUMA_CHOICE_EXCLUDED);
	return 0;
}

int forget(struct arguments *args)
{
	choose(args, AUTONUMA_CHOICE_DEFAULT);
	return 0;
}
