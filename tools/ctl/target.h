/* SPDX-License-Identifier: GPL-2.0 */
/* Who is meant: a process, or a control group. */
#ifndef CTL_TARGET_H
#define CTL_TARGET_H

#include <linux/types.h>
#include <sys/types.h>
#include "attributes.h"
#include "message.h"

enum target_kind { TARGET_NONE, TARGET_PID, TARGET_CGROUP, TARGET_UNIT };

struct target {
	enum target_kind kind;
	const char *name;	/* of a control group or unit, as it was given */
	pid_t pid;
	char *called;		/* "process 12 (redis-server)", for people */
	int fd;
};

/* A number of a process or thread; 0 if it is none. */
pid_t parse_pid(const char *number);

/* The name that a process or thread gave itself, to be freed. */
char *name_of_thread(pid_t pid, pid_t tid);

/* Sets fd and called, or ends the program and says why. */
void target_open(struct target *target);
void target_close(struct target *target);

/* The beginning of a request about it. */
struct request target_request(const struct target *target, enum autonuma_cmd cmd);

/* Why the request was not done, and what to do; ends the program. */
__noreturn void refused(const struct target *target, const struct request *request,
			int err, const char *said);

/* Likewise, for the error of link_open(). */
__noreturn void no_link(int err);

#endif
