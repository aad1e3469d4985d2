/* SPDX-License-Identifier: GPL-2.0 */
/* What the command line says. */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include "target.h"

struct arguments {
	const struct command *command;
	struct target target;
	pid_t tid;				/* explain */
	struct autonuma_settings settings;	/* run, enable */
	struct nodes home;
	bool json;
	char **program;				/* run */
};

struct command {
	const char *name;
	/* Returns the exit status. */
	int (*run)(struct arguments *args);
	const char *operands, *doc;
	const struct argp_child *options;
	enum { NO_OPERAND, PROGRAM, THREAD } takes;
	bool needs_target;
};

/* Ends the program with a message if the arguments are no good. */
void parse_arguments(struct arguments *args, const struct command *commands, int argc,
		     char **argv);

/* Options that commands are made of. */
extern const struct argp settings_argp, target_argp, json_argp, root_argp;

#endif
