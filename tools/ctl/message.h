/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the module and its answers, as netlink messages. The module may
 * be older or newer: of a struct what both sides know is read, what is missing
 * is unknown, and attributes that are not known are passed over.
 */
#ifndef CTL_MESSAGE_H
#define CTL_MESSAGE_H

#include <stdbool.h>
#include <linux/types.h>
#include "nodes.h"
#include "uapi/autonuma.h"

struct nl_msg;
struct nlmsghdr;

struct request {
	enum autonuma_cmd cmd;
	enum autonuma_attr target;	/* AUTONUMA_A_PIDFD or _CGROUP_FD */
	int fd;
	__u32 tid;			/* EXPLAIN: 0 is the process */
	struct autonuma_settings settings;
	struct nodes home;		/* none: nothing is suggested */
};

struct decision {
	bool has[AUTONUMA_D_MAX + 1];
	__u64 time, addr, pages;
	__u32 tid, from, to, gain;
	char *act, *why;
};

/* A number for each node. */
struct weights {
	__u64 *node;
	unsigned int nr;
};

struct answer {
	bool has[AUTONUMA_A_MAX + 1];
	struct autonuma_settings settings;
	struct autonuma_scope scope;
	struct autonuma_process process;
	struct autonuma_thread thread;
	struct nodes home_nodes, home;
	struct weights pages, private, shared;
	struct decision *decisions;
	unsigned int nr_decisions;
	char *why;
};

/* To be freed by nlmsg_free(). */
struct nl_msg *request_message(const struct request *request, int family);

/* Fills @answer, which has to be freed; -EPROTO if it cannot be read. */
int answer_parse(struct answer *answer, struct nlmsghdr *header);
void answer_free(struct answer *answer);

#endif
