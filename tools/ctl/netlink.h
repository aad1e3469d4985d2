/* SPDX-License-Identifier: GPL-2.0 */
/* The way to the module: generic netlink. */
#ifndef CTL_NETLINK_H
#define CTL_NETLINK_H

#include "message.h"

struct nl_sock;

struct module_link {
	struct nl_sock *sock;
	int family;
	char *said;	/* what the module said with its last refusal, or NULL */
};

/* 0, or -errno: -ENOENT if there is no module that listens. */
int link_open(struct module_link *link);
void link_close(struct module_link *link);

/*
 * 0, or -errno as the module gave it. @answer may be NULL for a request without
 * one; otherwise it has to be freed if 0 is returned.
 */
int link_ask(struct module_link *link, const struct request *request, struct answer *answer);

#endif
