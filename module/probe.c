// SPDX-License-Identifier: GPL-2.0
/*
 * Probes on tracepoints of the kernel: what happens to tasks is seen without
 * a change to the kernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/string.h>
#include <linux/tracepoint.h>
#include "probe.h"

struct search {
	const char *name;
	struct tracepoint *found;
};

static void compare(struct tracepoint *tp, void *data)
{
	struct search *search = data;

	if (!strcmp(tp->name, search->name))
		search->found = tp;
}

static struct tracepoint *find_tracepoint(const char *name)
{
	struct search search = { .name = name };

	for_each_kernel_tracepoint(compare, &search);
	return search.found;
}

/**
 * an_probe_attach - call a function at a tracepoint of the kernel
 * @name: of the tracepoint
 * @probe: of the type that check_trace_callback_type_NAME() has checked
 *
 * Context: may sleep. Return: 0, -ENODEV without such a tracepoint, -ENOMEM.
 */
int an_probe_attach(const char *name, void *probe)
{
	struct tracepoint *tp = find_tracepoint(name);

	if (!tp) {
		pr_err("the kernel has no %s tracepoint\n", name);
		return -ENODEV;
	}
	return tracepoint_probe_register(tp, probe, NULL);
}

/* Returns when no call of @probe is under way any more. May sleep. */
void an_probe_detach(const char *name, void *probe)
{
	tracepoint_probe_unregister(find_tracepoint(name), probe, NULL);
	tracepoint_synchronize_unregister();
}
