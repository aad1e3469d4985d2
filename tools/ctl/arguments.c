// SPDX-License-Identifier: GPL-2.0
/* What the command line says. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arguments.h"
#include "file.h"
#include "output.h"

#define MAX_RATE_MBPS	1048576
#define MAX_BUDGET_PCT	100

enum { DRY_RUN = 256, RATE, BUDGET, HOME, PID, CGROUP, UNIT, JSON, ROOT };

static const struct argp_option settings_options[] = {
	{ "dry-run", DRY_RUN, NULL, 0, "Look at it and learn, move nothing", 0 },
	{ "rate", RATE, "MIB/S", 0, "Move at most so much of its memory per second", 0 },
	{ "budget", BUDGET, "PERCENT", 0, "Scan it with at most so much of all CPUs' time", 0 },
	{ "home", HOME, "NODES", 0, "Suggest these nodes for its memory: 0,2-3", 0 },
	{ }
};

static const struct argp_option target_options[] = {
	{ "pid", PID, "PID", 0, "A process and its future children", 0 },
	{ "cgroup", CGROUP, "PATH", 0,
	  "A control group (v2) and all below it; PATH with or without the mount point", 0 },
	{ "unit", UNIT, "NAME", 0, "The control group of a systemd unit", 0 },
	{ }
};

static const struct argp_option json_options[] = {
	{ "json", JSON, NULL, 0, "Print JSON", 0 },
	{ }
};

static const struct argp_option root_options[] = {
	{ "root", ROOT, "DIR", 0, "Look at the files in DIR instead of /", 0 },
	{ }
};

static __u32 bounded(struct argp_state *state, const char *option, const char *arg,
		     unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || value > max)
		argp_error(state, "%s: '%s' is no number from 0 to %lu", option, arg, max);
	return value;
}

static void choose_target(struct argp_state *state, enum target_kind kind)
{
	struct arguments *args = state->input;

	if (args->target.kind)
		argp_error(state, "only one of --pid, --cgroup and --unit can be given");
	args->target.kind = kind;
}

static void set_pid(struct argp_state *state, const char *arg)
{
	struct arguments *args = state->input;

	args->target.pid = parse_pid(arg);
	if (!args->target.pid)
		argp_error(state, "'%s' is no process number", arg);
}

static void set_name(struct argp_state *state, const char *arg)
{
	struct arguments *args = state->input;

	if (!*arg)
		argp_error(state, "an empty name");
	args->target.name = arg;
}

static void set_home(struct argp_state *state, const char *arg)
{
	struct arguments *args = state->input;

	if (!nodes_parse(&args->home, arg))
		argp_error(state, "--home: '%s' is no list of nodes such as 0,2-3", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case DRY_RUN:
		args->settings.flags |= AUTONUMA_F_DRY_RUN;
		return 0;
	case RATE:
		args->settings.migrate_rate_mbps = bounded(state, "--rate", arg, MAX_RATE_MBPS);
		return 0;
	case BUDGET:
		args->settings.scan_budget_pct = bounded(state, "--budget", arg, MAX_BUDGET_PCT);
		return 0;
	case HOME:
		set_home(state, arg);
		return 0;
	case PID:
		choose_target(state, TARGET_PID);
		set_pid(state, arg);
		return 0;
	case CGROUP:
		choose_target(state, TARGET_CGROUP);
		set_name(state, arg);
		return 0;
	case UNIT:
		choose_target(state, TARGET_UNIT);
		set_name(state, arg);
		return 0;
	case JSON:
		args->json = true;
		return 0;
	case ROOT:
		set_root(arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp settings_argp = { .options = settings_options, .parser = parse_option };
const struct argp target_argp = { .options = target_options, .parser = parse_option };
const struct argp json_argp = { .options = json_options, .parser = parse_option };
const struct argp root_argp = { .options = root_options, .parser = parse_option };

/* PID, or PID/TID. */
static void set_thread(struct argp_state *state, char *arg)
{
	struct arguments *args = state->input;
	char *slash = strchr(arg, '/');

	choose_target(state, TARGET_PID);
	if (slash) {
		args->tid = parse_pid(slash + 1);
		if (!args->tid)
			argp_error(state, "'%s' is no thread number", slash + 1);
		*slash = '\0';
	}
	set_pid(state, arg);
}

static error_t take_operand(struct argp_state *state, char *arg)
{
	struct arguments *args = state->input;

	switch (args->command->takes) {
	case PROGRAM:
		args->program = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case THREAD:
		if (args->target.kind)
			argp_error(state, "only one process can be given");
		set_thread(state, arg);
		return 0;
	default:
		argp_error(state, "unexpected argument '%s'", arg);
		return ARGP_ERR_UNKNOWN;
	}
}

static void check_complete(struct argp_state *state)
{
	struct arguments *args = state->input;

	if (args->command->takes == PROGRAM && !args->program)
		argp_error(state, "no program to run");
	if (args->command->takes == THREAD && !args->target.kind)
		argp_error(state, "no process given");
	if (args->command->needs_target && !args->target.kind)
		argp_error(state, "one of --pid, --cgroup and --unit has to be given");
}

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	struct arguments *args = state->input;
	int i;

	switch (key) {
	case ARGP_KEY_INIT:
		for (i = 0; args->command->options && args->command->options[i].argp; i++)
			state->child_inputs[i] = args;
		return 0;
	case ARGP_KEY_ARG:
		return take_operand(state, arg);
	case ARGP_KEY_END:
		check_complete(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

struct choice {
	const struct command *commands, *chosen;
	int next;
};

static error_t parse_first(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;
	const struct command *c;

	switch (key) {
	case ARGP_KEY_ARG:
		for (c = choice->commands; c->name && !choice->chosen; c++) {
			if (!strcmp(c->name, arg))
				choice->chosen = c;
		}
		if (!choice->chosen)
			argp_error(state, "there is no command '%s'", arg);
		choice->next = state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return ARGP_ERR_UNKNOWN;
	}
	return ARGP_ERR_UNKNOWN;
}

static char *list_commands(const struct command *commands)
{
	const struct command *c;
	char *list = text("%s", ""), *longer;

	for (c = commands; c->name; c++) {
		longer = text("%s  %-10s %s\n", list, c->name, c->doc);
		free(list);
		list = longer;
	}
	return list;
}

static const struct command *choose_command(const struct command *commands, int argc,
					    char **argv, int *next)
{
	struct choice choice = { .commands = commands };
	char *list = list_commands(commands);
	char *doc = text("%s\vCommands:\n%s\nautonumactl COMMAND --help tells more.",
			 "Asks autonuma to balance programs, and tells what it does.", list);
	struct argp argp = { .parser = parse_first, .args_doc = "COMMAND [ARGUMENT...]",
			     .doc = doc };

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	*next = choice.next;
	free(doc);
	free(list);
	return choice.chosen;
}

void parse_arguments(struct arguments *args, const struct command *commands, int argc,
		     char **argv)
{
	struct argp argp = { .parser = parse_command };
	unsigned int flags = 0;
	char *name;
	int next;

	memset(args, 0, sizeof(*args));
	argp_err_exit_status = 2;
	args->command = choose_command(commands, argc, argv, &next);
	if (args->command->takes == PROGRAM) {
		argp_err_exit_status = 125;
		flags = ARGP_IN_ORDER;
	}
	argp.args_doc = args->command->operands;
	argp.doc = args->command->doc;
	argp.children = args->command->options;
	name = text("autonumactl %s", args->command->name);
	argv[next - 1] = name;
	argp_parse(&argp, argc - next + 1, argv + next - 1, flags, NULL, args);
	free(name);
}
