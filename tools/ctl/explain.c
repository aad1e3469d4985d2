// SPDX-License-Identifier: GPL-2.0
/* Where a process or a thread is, where it should be, and why: asking. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include "arguments.h"
#include "explain.h"
#include "file.h"
#include "netlink.h"
#include "output.h"

static void add_thread(struct explanation *e, pid_t pid, pid_t tid, const struct answer *answer)
{
	struct thread *t;

	e->threads = need(realloc(e->threads, (e->nr + 1) * sizeof(*t)));
	t = &e->threads[e->nr++];
	t->tid = tid;
	t->name = name_of_thread(pid, tid);
	t->answer = *answer;
}

/* False if the thread has ended, which is nobody's fault while all are asked. */
static bool ask_thread(struct module_link *link, struct arguments *args,
		       struct explanation *e, pid_t tid, bool must)
{
	struct request request = target_request(&args->target, AUTONUMA_CMD_EXPLAIN);
	struct answer answer;
	int err;

	request.tid = tid;
	err = link_ask(link, &request, &answer);
	if (err == -ESRCH && !must)
		return false;
	if (err)
		refused(&args->target, &request, err, link->said);
	add_thread(e, args->target.pid, tid, &answer);
	return true;
}

static void ask_all_threads(struct module_link *link, struct arguments *args,
			    struct explanation *e)
{
	char *proc = text("/proc/%d/task", args->target.pid), *path = rooted(proc);
	struct dirent *entry;
	DIR *dir = opendir(path);
	pid_t tid;

	while (dir && (entry = readdir(dir))) {
		tid = parse_pid(entry->d_name);
		if (tid)
			ask_thread(link, args, e, tid, false);
	}
	if (dir)
		closedir(dir);
	free(path);
	free(proc);
}

static void ask_process(struct module_link *link, struct arguments *args,
			struct explanation *e)
{
	struct request request = target_request(&args->target, AUTONUMA_CMD_EXPLAIN);
	int err = link_ask(link, &request, &e->process);

	if (err)
		refused(&args->target, &request, err, link->said);
	ask_all_threads(link, args, e);
}

static void show(const struct arguments *args, const struct explanation *e)
{
	if (args->json && args->tid)
		print_json(thread_json(&e->threads[0]));
	else if (args->json)
		print_json(all_json(&args->target, e));
	else if (args->tid)
		print_thread(&args->target, &e->threads[0]);
	else
		print_all(&args->target, e);
}

static void forget_all(struct explanation *e)
{
	unsigned int i;

	for (i = 0; i < e->nr; i++) {
		free(e->threads[i].name);
		answer_free(&e->threads[i].answer);
	}
	free(e->threads);
	answer_free(&e->process);
}

int explain(struct arguments *args)
{
	struct explanation e = { };
	struct module_link link;
	int err;

	target_open(&args->target);
	err = link_open(&link);
	if (err)
		no_link(err);
	if (args->tid)
		ask_thread(&link, args, &e, args->tid, true);
	else
		ask_process(&link, args, &e);
	show(args, &e);
	forget_all(&e);
	link_close(&link);
	target_close(&args->target);
	return 0;
}
