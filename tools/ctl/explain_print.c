// SPDX-License-Identifier: GPL-2.0
/* Where a process or a thread is, where it should be, and why: for people. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "explain.h"
#include "output.h"
#include "scope.h"
#include "sentence.h"

static void print_node(const char *name, __u32 node, const char *otherwise)
{
	if (node == AUTONUMA_NO_NODE)
		line(name, "%s", otherwise);
	else
		line(name, "node %u", node);
}

static void print_weights(const char *name, const struct weights *weights)
{
	char size[SIZE_TEXT], *list = text("%s", ""), *longer;
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < weights->nr; i++)
		sum += weights->node[i];
	for (i = 0; i < weights->nr; i++) {
		if (!weights->node[i])
			continue;
		longer = text("%s%snode %u: %s (%.0f %%)", list, *list ? ", " : "", i,
			      size_text(size, weights->node[i] * sysconf(_SC_PAGESIZE)),
			      100.0 * weights->node[i] / sum);
		free(list);
		list = longer;
	}
	line(name, "%s", *list ? list : "none seen");
	free(list);
}

static void print_decision(const struct decision *d)
{
	const char *act = d->act ? d->act : "?", *why = d->why ? d->why : "?";
	char share[SHARE_TEXT];

	printf("  [%5llu.%06llu] ", d->time / 1000000000,
	       d->time / 1000 % 1000000);
	if (d->has[AUTONUMA_D_TID])
		printf("thread %u: ", d->tid);
	printf("%s", in_words(act, why));
	if (d->has[AUTONUMA_D_PAGES])
		printf(", %llu pages", d->pages);
	if (d->has[AUTONUMA_D_ADDR])
		printf(" at 0x%llx", d->addr);
	if (d->has[AUTONUMA_D_FROM])
		printf(", from node %u", d->from);
	if (d->has[AUTONUMA_D_TO])
		printf(", to node %u", d->to);
	if (d->has[AUTONUMA_D_GAIN])
		printf(", gain %s", share_text(share, d->gain));
	printf(" (%s %s)\n", act, why);
}

static void print_decisions(const struct answer *a)
{
	unsigned int i;

	puts(a->nr_decisions ? "last decisions, oldest first" : "no decisions lately");
	for (i = 0; i < a->nr_decisions; i++)
		print_decision(&a->decisions[i]);
}

static void print_home(const struct answer *a)
{
	char *nodes = nodes_text(&a->home);

	if (a->has[AUTONUMA_A_HOME] && nodes_count(&a->home))
		line("should be", "shared memory on nodes %s, its home", nodes);
	else
		line("should be", "no home: each page near the thread that uses it");
	free(nodes);
}

static void print_process(const struct answer *a)
{
	char share[SHARE_TEXT];

	if (!a->has[AUTONUMA_A_PROCESS])
		return;
	line("under balance", "%s", a->process.balanced ? "yes" : "no");
	if (!a->process.balanced)
		return;
	if (a->process.local_pm != AUTONUMA_UNKNOWN)
		line("its own share", "%s local", share_text(share, a->process.local_pm));
	if (a->process.forecast_pm != AUTONUMA_UNKNOWN)
		line("its forecast", "%s local", share_text(share, a->process.forecast_pm));
	print_gain("its gain", a->process.local_pm, a->process.forecast_pm);
	line("pass", "number %u; the next one after %u ms of CPU time per running thread",
	     a->process.pass, a->process.period_ms);
	print_weights("memory is", &a->pages);
	print_home(a);
}

/* One line of the list. */
static void print_thread_line(const struct thread *t)
{
	const struct autonuma_thread *th = &t->answer.thread;
	const char *why = t->answer.why;

	printf("  %-7d %-15s ", t->tid, t->name);
	if (!t->answer.has[AUTONUMA_A_THREAD]) {
		puts("nothing is known of it");
		return;
	}
	printf(th->node == AUTONUMA_NO_NODE ? "on no node" : "on node %u", th->node);
	if (th->best != AUTONUMA_NO_NODE)
		printf(", best node %u", th->best);
	if (th->preferred != AUTONUMA_NO_NODE)
		printf(", kept on node %u", th->preferred);
	if (why)
		printf(": %s (%s)", likely_words("stay", why), why);
	putchar('\n');
}

static void print_moves(const struct autonuma_thread *t)
{
	print_node("moved to", t->moved_to, "nowhere, or it has left since");
	if (t->undone)
		line("undone", "%u times in a row it was moved away again", t->undone);
	if (t->preferred != AUTONUMA_NO_NODE)
		line("CPU time", "%llu ms on its preferred node, %llu ms elsewhere",
		     t->on_preferred_ms,
		     t->off_preferred_ms);
}

void print_thread(const struct target *target, const struct thread *t)
{
	const struct autonuma_thread *th = &t->answer.thread;

	printf("thread %d (%s) of %s\n", t->tid, t->name, target->called);
	if (t->answer.has[AUTONUMA_A_THREAD]) {
		print_node("runs on", th->node, "not known");
		print_node("should be on", th->best, "not known yet");
		print_node("is kept on", th->preferred, "no node");
		line("load", "%u.%03u CPUs", th->load / 1000, th->load % 1000);
		print_moves(th);
		print_weights("private memory", &t->answer.private);
		print_weights("shared memory", &t->answer.shared);
	} else {
		line("known", "nothing: its process is not balanced, or it has hardly run");
	}
	if (t->answer.why)
		line("stays because", "%s (%s)", likely_words("stay", t->answer.why),
		     t->answer.why);
	print_decisions(&t->answer);
}

void print_all(const struct target *target, const struct explanation *e)
{
	unsigned int i;

	puts(target->called);
	print_scope(&e->process);
	print_process(&e->process);
	puts("threads");
	for (i = 0; i < e->nr; i++)
		print_thread_line(&e->threads[i]);
	print_decisions(&e->process);
}
