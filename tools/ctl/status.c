// SPDX-License-Identifier: GPL-2.0
/* What holds for a process, a control group, or the whole machine. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "arguments.h"
#include "file.h"
#include "machine.h"
#include "netlink.h"
#include "output.h"
#include "scope.h"
#include "status.h"

static void print_parameter(const char *name, const char *value, void *unused)
{
	(void)unused;
	printf("  %-20s %s\n", name, value);
}

static const char *known_text(enum known known)
{
	return known == UNKNOWN ? "not known" : known == YES ? "yes" : "no";
}

static void print_in_tree(void)
{
	long mode;

	if (!read_number("/proc/sys/kernel/numa_balancing", &mode))
		line("in-tree", "this kernel has no NUMA balancing");
	else
		line("in-tree", "kernel.numa_balancing is %ld: %s", mode, mode ? "on" : "off");
}

static void print_machine(void)
{
	char *version = module_version();

	puts("autonuma");
	line("kernel hooks", "%s", known_text(kernel_has_hooks()));
	line("loaded", "%s%s%s", known_text(module_is_loaded()), version ? ", version " : "",
	     version ? version : "");
	if (module_is_loaded()) {
		line("takes requests", "%s", known_text(module_listens()));
		line("switched on", "%s", known_text(module_is_on()));
	}
	print_in_tree();
	if (module_is_loaded()) {
		puts("parameters");
		each_parameter(print_parameter, NULL);
	}
	free(version);
}

static struct json_object *known_json(enum known known)
{
	return known == UNKNOWN ? NULL : json_object_new_boolean(known == YES);
}

static void add_parameter(const char *name, const char *value, void *arg)
{
	json_object_object_add(arg, name, json_text(value));
}

static struct json_object *machine_json(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *parameters = json_object_new_object();
	char *version = module_version();
	long mode;

	json_object_object_add(o, "hooks", known_json(kernel_has_hooks()));
	json_object_object_add(o, "loaded", json_object_new_boolean(module_is_loaded()));
	json_object_object_add(o, "version", json_text(version));
	json_object_object_add(o, "takes_requests", known_json(module_listens()));
	json_object_object_add(o, "on", json_object_new_boolean(module_is_on()));
	json_object_object_add(o, "numa_balancing",
			       read_number("/proc/sys/kernel/numa_balancing", &mode) ?
			       json_object_new_int64(mode) : NULL);
	each_parameter(add_parameter, parameters);
	json_object_object_add(o, "parameters", parameters);
	free(version);
	return o;
}

static void target_status(struct arguments *args)
{
	struct module_link link;
	struct request request;
	struct json_object *o;
	struct answer answer;
	int err;

	target_open(&args->target);
	err = link_open(&link);
	if (err)
		no_link(err);
	request = target_request(&args->target, AUTONUMA_CMD_GET);
	err = link_ask(&link, &request, &answer);
	if (err)
		refused(&args->target, &request, err, link.said);
	if (args->json) {
		o = json_object_new_object();
		json_object_object_add(o, "target", json_text(args->target.called));
		add_scope_json(o, &answer);
		print_json(o);
	} else {
		puts(args->target.called);
		print_scope(&answer);
	}
	answer_free(&answer);
	link_close(&link);
	target_close(&args->target);
}

int status(struct arguments *args)
{
	if (args->target.kind)
		target_status(args);
	else if (args->json)
		print_json(machine_json());
	else
		print_machine();
	return 0;
}
