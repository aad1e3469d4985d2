// SPDX-License-Identifier: GPL-2.0
/* What keeps autonuma from working on this machine: the module and its kernel. */
#include <stdlib.h>
#include <string.h>
#include "arguments.h"
#include "doctor.h"
#include "file.h"
#include "findings.h"
#include "machine.h"

#define TIERING	2	/* NUMA_BALANCING_MEMORY_TIERING */

/* Without a choice of nodes nobody needs them. */
static void check_hooks(struct findings *f, bool choice)
{
	char *release = read_text("/proc/sys/kernel/osrelease");
	const char *name = release ? release : "this kernel";

	switch (kernel_has_hooks()) {
	case YES:
		find(f, "hooks", FIND_OK, NULL, "%s has autonuma's hooks", name);
		break;
	case NO:
		find(f, "hooks", choice ? FIND_BAD : FIND_INFO,
		     "boot a kernel with core-hooks.patch and CONFIG_AUTONUMA_HOOKS=y",
		     "%s has no hooks: autonuma cannot be loaded", name);
		break;
	case UNKNOWN:
		find(f, "hooks", FIND_WARN,
		     "make /proc/kallsyms or the config of the kernel in /boot readable",
		     "%s does not tell whether it has autonuma's hooks", name);
		break;
	}
	free(release);
}

static void check_loaded(struct findings *f, bool choice)
{
	char *version = module_version();

	if (module_is_loaded())
		find(f, "module", FIND_OK, NULL, "loaded, version %s",
		     version ? version : "unknown");
	else if (!choice)
		find(f, "module", FIND_INFO, NULL, "not loaded; it would have nothing to do");
	else if (kernel_has_hooks() == NO)
		find(f, "module", FIND_BAD, "boot a kernel with the hooks first",
		     "autonuma is not loaded");
	else
		find(f, "module", FIND_BAD, "modprobe autonuma; if that fails, look at dmesg",
		     "autonuma is not loaded");
	free(version);
}

static void check_switches(struct findings *f)
{
	if (parameter_is_off("enabled"))
		find(f, "gears", FIND_BAD, "echo 1 >" PARAMETERS_DIR "/enabled",
		     "the module is switched off: enabled is 0");
	else if (parameter_is_off("scan"))
		find(f, "gears", FIND_BAD, "echo 1 >" PARAMETERS_DIR "/scan",
		     "the module is switched off: scan is 0");
	else
		find(f, "gears", FIND_OK, NULL, "switched on");
}

static void check_gears(struct findings *f)
{
	char *migrate = parameter("migrate"), *scope = parameter("scope");

	check_switches(f);
	if (migrate && !strcmp(migrate, "off"))
		find(f, "migrate", FIND_WARN, "echo async >" PARAMETERS_DIR "/migrate",
		     "no memory is moved: migrate is off");
	if (parameter_is_off("balance"))
		find(f, "balance", FIND_WARN, "echo 1 >" PARAMETERS_DIR "/balance",
		     "no task is moved: balance is 0");
	if (scope && !strcmp(scope, "asked"))
		find(f, "scope", FIND_INFO, NULL,
		     "only what was asked for is balanced: autonumactl run, autonumactl enable");
	free(migrate);
	free(scope);
}

static void check_requests(struct findings *f)
{
	switch (module_listens()) {
	case YES:
		find(f, "requests", FIND_OK, NULL, "the module takes requests");
		break;
	case NO:
		find(f, "requests", FIND_BAD, "load the module that belongs to this program",
		     "the module takes no requests: run, enable and explain do not work");
		break;
	case UNKNOWN:
		find(f, "requests", FIND_INFO, NULL, "not tried");
		break;
	}
}

static void check_in_tree(struct findings *f, bool choice)
{
	bool in_charge = choice && module_is_on();
	long mode;

	if (!read_number("/proc/sys/kernel/numa_balancing", &mode))
		find(f, "in-tree", FIND_INFO, NULL, "this kernel has no NUMA balancing of its own");
	else if (mode & TIERING)
		find(f, "in-tree", FIND_BAD, "sysctl kernel.numa_balancing=0",
		     "memory tiering is on (kernel.numa_balancing %ld): autonuma does not load",
		     mode);
	else if (mode && in_charge)
		find(f, "in-tree", FIND_BAD, "look at dmesg for why autonuma did not take over",
		     "kernel.numa_balancing reads %ld: autonuma is not in charge", mode);
	else if (mode)
		find(f, "in-tree", FIND_INFO, NULL, "the kernel's own balancing is on");
	else
		find(f, "in-tree", FIND_OK, NULL, in_charge ? "autonuma is in charge" :
		     "the kernel's own balancing is off");
}

/* For people only: nothing depends on it. */
static void check_debugfs(struct findings *f)
{
	if (module_is_loaded() && !exists("/sys/kernel/debug/autonuma"))
		find(f, "debugfs", FIND_INFO, NULL,
		     "no counters to be seen: debugfs is not mounted, or you are not root");
}

int doctor(struct arguments *args)
{
	struct findings *f = findings_new();
	bool choice, sick;

	choice = check_nodes(f);
	check_hooks(f, choice);
	check_loaded(f, choice);
	if (module_is_loaded()) {
		check_gears(f);
		check_requests(f);
	}
	check_in_tree(f, choice);
	check_debugfs(f);
	check_rivals(f);
	check_limits(f);
	if (args->json)
		findings_print_json(f);
	else
		findings_print(f);
	sick = findings_worst(f) == FIND_BAD;
	findings_free(f);
	return sick ? 1 : 0;
}
