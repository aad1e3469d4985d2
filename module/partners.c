// SPDX-License-Identifier: GPL-2.0
/*
 * Who could change places with a task: lists of the movable tasks of each node,
 * and for each pair of nodes of those on one that would be better off on the
 * other. So a partner who wants to come is found at once, however many tasks
 * there are. Like all of the policy it never touches the kernel: no kernel call,
 * no recursion, no floating point, nothing on the stack that grows with the
 * machine.
 */
#include "policy_work.h"

/**
 * an_partners_start - empty all lists
 * @s: the snapshot
 * @w: its sums
 */
void an_partners_start(const struct an_snapshot *s, struct work *w)
{
	an_list_start(w, s->nr_nodes);
	memset(w->pair, 0xff, w->nr_pairs * sizeof(*w->pair));
}

static void node_list_add(struct work *w, u32 n, u32 t)
{
	struct node_sum *node = &w->node[n];

	w->task[t].prev = node->tail;
	w->task[t].next = AN_NO_TASK;
	if (node->tail == AN_NO_TASK)
		node->head = t;
	else
		w->task[node->tail].next = t;
	node->tail = t;
}

static void node_list_del(struct work *w, u32 n, u32 t)
{
	struct task_sum *task = &w->task[t];

	if (task->prev == AN_NO_TASK)
		w->node[n].head = task->next;
	else
		w->task[task->prev].next = task->next;
	if (task->next == AN_NO_TASK)
		w->node[n].tail = task->prev;
	else
		w->task[task->next].prev = task->prev;
}

static void wish_add(struct work *w, u32 i, u32 from, u32 to)
{
	struct wish *wish = &w->wish[i];
	struct pair *pair;

	wish->from = from;
	wish->to = to;
	pair = &w->pair[hash_pair(w, from, to)];
	wish->prev = pair->tail;
	wish->next = AN_NO_TASK;
	if (pair->tail == AN_NO_TASK)
		pair->head = i;
	else
		w->wish[pair->tail].next = i;
	pair->tail = i;
}

static void wish_del(struct work *w, u32 i)
{
	const struct wish *wish = &w->wish[i];
	struct pair *pair = &w->pair[hash_pair(w, wish->from, wish->to)];

	if (wish->prev == AN_NO_TASK)
		pair->head = wish->next;
	else
		w->wish[wish->prev].next = wish->next;
	if (wish->next == AN_NO_TASK)
		pair->tail = wish->prev;
	else
		w->wish[wish->next].prev = wish->prev;
}

/**
 * an_partner_add - put a task at the end of the lists of the node it is on
 * @s: the snapshot
 * @w: its sums, the choices and the mean of the task found
 * @t: index of the task, in no list
 */
void an_partner_add(const struct an_snapshot *s, struct work *w, u32 t)
{
	const struct choice *list = &w->choice[(size_t)t * CHOICES];
	struct task_sum *task = &w->task[t];
	u32 n = s->tasks[t].node;

	node_list_add(w, n, t);
	for (task->nr_wishes = 0; task->nr_wishes < WISHES;
	     task->nr_wishes++) {
		const struct choice *to = &list[task->nr_wishes];

		if (to->node == s->nr_nodes || to->mean >= task->mean)
			break;
		wish_add(w, t * WISHES + task->nr_wishes, n, to->node);
	}
}

/**
 * an_partner_del - take a task out of the lists of the node it is on
 * @s: the snapshot
 * @w: its sums
 * @t: index of the task
 */
void an_partner_del(const struct an_snapshot *s, struct work *w, u32 t)
{
	u32 i;

	node_list_del(w, s->tasks[t].node, t);
	for (i = 0; i < w->task[t].nr_wishes; i++)
		wish_del(w, t * WISHES + i);
}
