/* SPDX-License-Identifier: GPL-2.0 */
/* Where a process or a thread is, where it should be, and why. */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include "message.h"
#include "target.h"

struct arguments;
struct json_object;

struct thread {
	pid_t tid;
	char *name;
	struct answer answer;
};

/* All that is asked before anything is printed. */
struct explanation {
	struct answer process;
	struct thread *threads;
	unsigned int nr;
};

int explain(struct arguments *args);

/* For people. */
void print_thread(const struct target *target, const struct thread *t);
void print_all(const struct target *target, const struct explanation *e);

/* For programs. */
struct json_object *thread_json(const struct thread *t);
struct json_object *all_json(const struct target *target, const struct explanation *e);

#endif
