// SPDX-License-Identifier: GPL-2.0
/* autonumactl: asks autonuma to balance programs, and tells what it does. */
#define _GNU_SOURCE
#include "arguments.h"
#include "choose.h"
#include "doctor.h"
#include "explain.h"
#include "output.h"
#include "status.h"

const char *argp_program_version = "autonumactl " VERSION;

static const struct argp_child run_options[] = {
	{ .argp = &settings_argp }, { }
};

static const struct argp_child enable_options[] = {
	{ .argp = &target_argp }, { .argp = &settings_argp }, { .argp = &root_argp }, { }
};

static const struct argp_child choice_options[] = {
	{ .argp = &target_argp }, { .argp = &root_argp }, { }
};

static const struct argp_child status_options[] = {
	{ .argp = &target_argp }, { .argp = &json_argp }, { .argp = &root_argp }, { }
};

static const struct argp_child look_options[] = {
	{ .argp = &json_argp }, { .argp = &root_argp }, { }
};

static const struct command commands[] = {
	{ .name = "run", .run = run_program, .takes = PROGRAM, .options = run_options,
	  .operands = "[--] PROGRAM [ARGUMENT...]",
	  .doc = "Run a program and have it balanced" },
	{ .name = "enable", .run = enable, .needs_target = true, .options = enable_options,
	  .doc = "Have a process or a control group balanced" },
	{ .name = "disable", .run = disable, .needs_target = true, .options = choice_options,
	  .doc = "Have it left alone" },
	{ .name = "default", .run = forget, .needs_target = true, .options = choice_options,
	  .doc = "Forget what was chosen for it" },
	{ .name = "status", .run = status, .options = status_options,
	  .doc = "Tell what holds for it, or for the whole machine" },
	{ .name = "explain", .run = explain, .takes = THREAD, .options = look_options,
	  .operands = "PID[/TID]",
	  .doc = "Tell where a process or a thread is, where it should be, and why" },
	{ .name = "doctor", .run = doctor, .options = look_options,
	  .doc = "Look for what keeps autonuma from working on this machine" },
	{ }
};

int main(int argc, char **argv)
{
	struct arguments args;
	int status;

	parse_arguments(&args, commands, argc, argv);
	status = args.command->run(&args);
	end_output();
	return status;
}
