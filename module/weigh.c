// SPDX-License-Identifier: GPL-2.0
/* What nice values make of loads. Plain C, like the policy. */
#include "policy.h"

static u64 weighed(u64 load, u32 weight, u32 heaviest)
{
	return weight ? load * weight / heaviest : load;
}

static u32 heaviest_of(const struct an_snapshot *s)
{
	u32 heaviest = 0;
	u32 t;

	for (t = 0; t < s->nr_tasks; t++) {
		if (s->tasks[t].weight > heaviest)
			heaviest = s->tasks[t].weight;
	}
	return heaviest;
}

/* What others leave of all CPUs. */
static u64 capacity_left(const struct an_snapshot *s)
{
	u64 left = 0;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		const struct an_node *node = &s->nodes[n];

		if (node->capacity > node->other_load)
			left += node->capacity - node->other_load;
	}
	return left;
}

/* @load, less so much of what its weight may take off: @part of @whole; never nothing. */
static u32 lighter(u32 load, u32 weight, u32 heaviest, u64 part, u64 whole)
{
	u32 less = (load - weighed(load, weight, heaviest)) * part / whole;

	if (!less)
		return load;
	return load > less ? load - less : 1;
}

/**
 * an_policy_weigh - where CPUs are short, let tasks count by their weight
 * @s: the snapshot; the loads of its tasks are overwritten
 *
 * A task of nice 5 gets a third of what one of nice 0 beside it gets. Were they alike
 * here, those of nice 0 could all be brought to one node, to share its CPUs, and those
 * of nice 5 to another one, where they have as much. But weights take off only what
 * the machine cannot run: whatever a task's weight, no CPU is to be left idle for it.
 *
 * Context: any; linear in tasks and nodes.
 */
void an_policy_weigh(struct an_snapshot *s)
{
	u32 heaviest = heaviest_of(s), t;
	u64 left = capacity_left(s), all = 0, light = 0, less;

	for (t = 0; t < s->nr_tasks; t++) {
		all += s->tasks[t].load;
		light += weighed(s->tasks[t].load, s->tasks[t].weight, heaviest);
	}
	if (all <= left || all == light)
		return;
	less = all - (light > left ? light : left);
	for (t = 0; t < s->nr_tasks; t++) {
		struct an_task *task = &s->tasks[t];

		task->load = lighter(task->load, task->weight, heaviest, less,
				     all - light);
		task->want = lighter(task->want, task->weight, heaviest, less,
				     all - light);
	}
}
