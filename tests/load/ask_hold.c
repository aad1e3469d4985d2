// SPDX-License-Identifier: GPL-2.0
/* ask hold: sockets that outlive the module. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

/* An answer unread, a question to the kernel about the module half answered, or nothing. */
static void leave_unread(struct link *l, unsigned int i, int self)
{
	if (i % 3 == 1) {
		begin(l, AUTONUMA_CMD_EXPLAIN);
		put_u32(l, AUTONUMA_A_PIDFD, self);
		send_request(l);
	} else if (i % 3 == 2) {
		dump_policy(l);
	}
}

/* Returns how many messages there were. */
static unsigned int drain(struct link *l)
{
	unsigned int nr = 0;

	while (recv(l->sock, &l->answer, sizeof(l->answer), MSG_DONTWAIT) >= 0)
		nr++;
	return nr;
}

static void wait_for_signal(const sigset_t *set)
{
	int nr;

	fflush(stdout);
	sigwait(set, &nr);
}

/* Asks by each socket; as many as are answered alike are told of together. */
static void ask_by_all(const char *when, struct link **links, unsigned int nr, int self, bool resolve)
{
	unsigned int i, alike = 0;
	int err = 0, last = 0;

	for (i = 0; i < nr; i++) {
		err = resolve ? link_resolve(links[i]) : 0;
		if (!err)
			err = ask_about(links[i], AUTONUMA_CMD_GET, AUTONUMA_A_PIDFD, self);
		if (i && err != last) {
			printf("%s %s %u\n", when, name_of(last), alike);
			alike = 0;
		}
		last = err;
		alike++;
	}
	printf("%s %s %u\n", when, name_of(last), alike);
}

int ask_hold(unsigned int nr)
{
	struct link **links = calloc(nr, sizeof(*links));
	int self = pidfd(getpid(), 0);
	unsigned int i, unread = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < nr; i++) {
		links[i] = link_open();
		leave_unread(links[i], i, self);
	}
	puts("holding");
	wait_for_signal(&set);
	for (i = 0; i < nr; i++)
		unread += drain(links[i]);
	printf("unread %u\n", unread);
	ask_by_all("old", links, nr, self, false);
	wait_for_signal(&set);
	ask_by_all("anew", links, nr, self, true);
	return 0;
}
