// SPDX-License-Identifier: GPL-2.0
/* What nice values make of loads. Plain C, like the policy. */
#include "policy.h"

/*
 * A call's notes: the heaviest task of each group that wants half a CPU or more. One
 * that hardly runs, be it as heavy as can be, takes nothing from the others.
 */
struct weights {
	u32 heaviest[AN_WEIGHT_GROUPS];
};

static void find_heaviest(const struct an_snapshot *s, struct weights *w)
{
	u32 t;

	for (t = 0; t < s->nr_tasks; t++) {
		const struct an_task *task = &s->tasks[t];

		if (task->group < AN_WEIGHT_GROUPS &&
		    task->load >= AN_LOAD_ONE / 2 &&
		    task->weight > w->heaviest[task->group])
			w->heaviest[task->group] = task->weight;
	}
}

/* @load at the weight of @task. */
static u64 weighed(const struct weights *w, const struct an_task *task, u32 load)
{
	if (!task->weight || task->group >= AN_WEIGHT_GROUPS ||
	    task->weight >= w->heaviest[task->group])
		return load;
	return (u64)load * task->weight / w->heaviest[task->group];
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

/* @load, less @part of @whole of what its weight takes off; never nothing. */
static u32 lighter(const struct weights *w, const struct an_task *task, u32 load,
		   u64 part, u64 whole)
{
	u32 less = (load - weighed(w, task, load)) * part / whole;

	if (!less)
		return load;
	return load > less ? load - less : 1;
}

/**
 * an_policy_weigh - where CPUs are short, let tasks count by their weight
 * @s: the snapshot; the loads of its tasks are overwritten
 *
 * A task of nice 5 gets a third of what one of nice 0 of its group gets beside it. Were
 * they alike here, those of nice 0 could all be brought to one node, to share its CPUs,
 * and those of nice 5 to another one, where they have as much. But weights take off only
 * what the machine as a whole cannot run: whatever a task's weight, no CPU is to be left
 * idle for it. Between groups it is not the tasks' weights that count; one of mixed
 * weights counts for less than one of equal ones.
 *
 * Context: any; linear in tasks and nodes.
 */
void an_policy_weigh(struct an_snapshot *s)
{
	u64 left = capacity_left(s), all = 0, light = 0, less;
	struct weights w = {};
	u32 t;

	find_heaviest(s, &w);
	for (t = 0; t < s->nr_tasks; t++) {
		all += s->tasks[t].load;
		light += weighed(&w, &s->tasks[t], s->tasks[t].load);
	}
	if (all <= left || all == light)
		return;
	less = all - (light > left ? light : left);
	for (t = 0; t < s->nr_tasks; t++) {
		struct an_task *task = &s->tasks[t];

		task->busy = task->load;
		task->load = lighter(&w, task, task->load, less, all - light);
		task->want = lighter(&w, task, task->want, less, all - light);
	}
}
