// SPDX-License-Identifier: GPL-2.0
/* ask refusals: every error that the interface documents, and what lies next to it and is none. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

/* Larger than any kernel's PID. */
#define NO_TID	0x7ffffff0

static struct link *l;
static int self;	/* pidfd of this process */

static void say(const char *name, int err)
{
	printf("refusal %s %s\n", name, name_of(err));
}

/* --- settings --- */

static int set_raw(const void *settings, size_t len)
{
	begin(l, AUTONUMA_CMD_SET);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put(l, AUTONUMA_A_SETTINGS, settings, len);
	return exchange(l);
}

static int set(uint32_t choice, uint32_t flags, uint32_t rate, uint32_t budget)
{
	struct autonuma_settings s = { choice, flags, rate, budget };

	return set_raw(&s, sizeof(s));
}

static void settings_of_a_size(const char *name, size_t len, unsigned char last)
{
	unsigned char bytes[4096] = { AUTONUMA_CHOICE_ASKED };

	if (len)
		bytes[len - 1] |= last;
	say(name, set_raw(bytes, len));
}

static void sizes(void)
{
	begin(l, AUTONUMA_CMD_SET);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	say("settings-missing", exchange(l));
	settings_of_a_size("settings-0", 0, 0);
	settings_of_a_size("settings-15", 15, 0);
	settings_of_a_size("settings-16", 16, 0);
	settings_of_a_size("settings-17-zero", 17, 0);
	settings_of_a_size("settings-17-set", 17, 1);
	settings_of_a_size("settings-24-zero", 24, 0);
	settings_of_a_size("settings-24-set", 24, 0x80);
	settings_of_a_size("settings-4096-zero", 4096, 0);
	settings_of_a_size("settings-4096-set", 4096, 1);
}

static void values(void)
{
	enum { NONE = AUTONUMA_CHOICE_DEFAULT, YES = AUTONUMA_CHOICE_ASKED, NO = AUTONUMA_CHOICE_EXCLUDED };

	say("choice-unknown", set(NO + 1, 0, 0, 0));
	say("choice-huge", set(~0U, 0, 0, 0));
	say("flag-unknown", set(YES, AUTONUMA_F_ALL + 1, 0, 0));
	say("flag-highest", set(YES, 1U << 31, 0, 0));
	say("flag-known", set(YES, AUTONUMA_F_DRY_RUN, 0, 0));
	say("rate-most", set(YES, 0, 1048576, 0));
	say("rate-beyond", set(YES, 0, 1048577, 0));
	say("budget-most", set(YES, 0, 0, 100));
	say("budget-beyond", set(YES, 0, 0, 101));
	say("default-with-flag", set(NONE, AUTONUMA_F_DRY_RUN, 0, 0));
	say("default-with-rate", set(NONE, 0, 1, 0));
	say("default-with-budget", set(NONE, 0, 0, 1));
	say("excluded-with-flag", set(NO, AUTONUMA_F_DRY_RUN, 0, 0));
	say("excluded-with-rate", set(NO, 0, 1, 0));
	say("excluded-with-budget", set(NO, 0, 0, 1));
	say("excluded", set(NO, 0, 0, 0));
	say("default", set(NONE, 0, 0, 0));
	say("default-again", set(NONE, 0, 0, 0));
}

/* --- home nodes --- */

static void home(const char *name, uint32_t choice, const void *map, size_t len)
{
	begin(l, AUTONUMA_CMD_SET);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put_settings(l, choice);
	put(l, AUTONUMA_A_HOME_NODES, map, len);
	say(name, exchange(l));
}

/* The machine has memory on the nodes 0 and 1, and none on node 2. */
static void homes(void)
{
	uint64_t map[32] = { 3 };

	home("home-7-bytes", AUTONUMA_CHOICE_ASKED, map, 7);
	home("home-9-bytes", AUTONUMA_CHOICE_ASKED, map, 9);
	home("home-two", AUTONUMA_CHOICE_ASKED, map, 8);
	home("home-zero-tail", AUTONUMA_CHOICE_ASKED, map, sizeof(map));
	home("home-excluded", AUTONUMA_CHOICE_EXCLUDED, map, 8);
	home("home-default", AUTONUMA_CHOICE_DEFAULT, map, 8);
	map[31] = 1ULL << 63;
	home("home-far-beyond", AUTONUMA_CHOICE_ASKED, map, sizeof(map));
	map[0] = 4;
	home("home-no-memory", AUTONUMA_CHOICE_ASKED, map, 8);
	map[0] = 1 | 1ULL << 63;
	home("home-beyond", AUTONUMA_CHOICE_ASKED, map, 8);
	map[0] = 0;
	home("home-zero", AUTONUMA_CHOICE_ASKED, map, 8);
	home("home-empty", AUTONUMA_CHOICE_ASKED, map, 0);
}

/* --- attributes and headers --- */

static void with(const char *name, uint8_t cmd, uint16_t type, size_t len)
{
	const char zero[64] = "";

	begin(l, cmd);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	if (cmd == AUTONUMA_CMD_SET && type != AUTONUMA_A_SETTINGS)
		put_settings(l, AUTONUMA_CHOICE_EXCLUDED);
	put(l, type, zero, len);
	say(name, exchange(l));
}

static void attributes(void)
{
	with("attribute-0", AUTONUMA_CMD_SET, AUTONUMA_A_UNSPEC, 4);
	with("attribute-next", AUTONUMA_CMD_SET, AUTONUMA_A_MAX + 1, 4);
	with("attribute-next-get", AUTONUMA_CMD_GET, AUTONUMA_A_MAX + 1, 4);
	with("attribute-next-explain", AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_MAX + 1, 4);
	with("attribute-huge", AUTONUMA_CMD_SET, 0x3fff, 4);
	with("attribute-of-answers", AUTONUMA_CMD_SET, AUTONUMA_A_SCOPE, sizeof(struct autonuma_scope));
	with("pad-in-set", AUTONUMA_CMD_SET, AUTONUMA_A_PAD, 0);
	with("tid-in-set", AUTONUMA_CMD_SET, AUTONUMA_A_TID, 4);
	with("tid-in-get", AUTONUMA_CMD_GET, AUTONUMA_A_TID, 4);
	with("settings-in-get", AUTONUMA_CMD_GET, AUTONUMA_A_SETTINGS, 16);
	with("home-in-explain", AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_HOME_NODES, 8);
	with("nested", AUTONUMA_CMD_SET, AUTONUMA_A_HOME_NODES | NLA_F_NESTED, 8);
	with("byte-order", AUTONUMA_CMD_SET, AUTONUMA_A_HOME_NODES | NLA_F_NET_BYTEORDER, 8);
	with("tid-2-bytes", AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_TID, 2);
	with("tid-8-bytes", AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_TID, 8);
}

static void target_of_a_size(const char *name, uint16_t type, size_t len)
{
	const int fds[2] = { self, 0 };

	begin(l, AUTONUMA_CMD_GET);
	put(l, type, fds, len);
	say(name, exchange(l));
}

static void targets(void)
{
	begin(l, AUTONUMA_CMD_SET);
	put_settings(l, AUTONUMA_CHOICE_EXCLUDED);
	say("target-none", exchange(l));
	begin(l, AUTONUMA_CMD_GET);
	say("target-none-get", exchange(l));
	begin(l, AUTONUMA_CMD_SET);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put_u32(l, AUTONUMA_A_CGROUP_FD, directory(CGROUPS));
	put_settings(l, AUTONUMA_CHOICE_EXCLUDED);
	say("target-both", exchange(l));
	target_of_a_size("pidfd-0-bytes", AUTONUMA_A_PIDFD, 0);
	target_of_a_size("pidfd-2-bytes", AUTONUMA_A_PIDFD, 2);
	target_of_a_size("pidfd-8-bytes", AUTONUMA_A_PIDFD, 8);
	target_of_a_size("cgroup-3-bytes", AUTONUMA_A_CGROUP_FD, 3);
}

/* A proper question whose header was changed. */
static struct genlmsghdr *question(void)
{
	begin(l, AUTONUMA_CMD_GET);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	return NLMSG_DATA(&l->request.head);
}

static void headers(void)
{
	question()->cmd = AUTONUMA_CMD_UNSPEC;
	say("command-0", exchange(l));
	question()->cmd = AUTONUMA_CMD_MAX + 1;
	say("command-next", exchange(l));
	question()->cmd = 255;
	say("command-255", exchange(l));
	question()->reserved = 1;
	say("header-reserved", exchange(l));
	question();
	l->request.head.nlmsg_flags |= NLM_F_DUMP;
	say("flags-dump", exchange(l));
	question();
	l->request.head.nlmsg_flags |= NLM_F_EXCL;
	say("flags-unknown", exchange(l));
	question();
	memset(l->request.bytes + l->request.head.nlmsg_len, 0xff, 4);
	l->request.head.nlmsg_len += 4;
	say("rest-behind", exchange(l));
	question();
	say("question", exchange(l));
}

/* --- processes --- */

static void process(const char *name, int fd)
{
	say(name, ask_about(l, AUTONUMA_CMD_GET, AUTONUMA_A_PIDFD, fd));
}

static void no_processes(void)
{
	int closed = dup(0);

	close(closed);
	process("pidfd-closed", closed);
	process("pidfd-negative", -1);
	process("pidfd-huge", 0x7fffffff);
	process("pidfd-file", open("/proc/self/exe", O_RDONLY));
	process("pidfd-directory", directory("/tmp"));
	process("pidfd-proc", directory("/proc/self"));
	process("pidfd-cgroup", directory(CGROUPS));
	process("pidfd-socket", l->sock);
	process("pidfd-path", open("/proc/self/exe", O_PATH));
	process("pidfd-kernel-thread", pidfd(2, 0));
}

static void *wait_for_end(void *arg)
{
	int *fds = arg;
	char byte;

	*(pid_t *)(fds + 2) = gettid();
	return (void *)read(fds[0], &byte, 1);
}

static void threads(void)
{
	int fds[3] = {}, thread;
	pthread_t t;

	if (pipe(fds) || pthread_create(&t, NULL, wait_for_end, fds))
		die("no thread: %m");
	while (!__atomic_load_n(&fds[2], __ATOMIC_ACQUIRE))
		usleep(1000);
	thread = pidfd(fds[2], O_EXCL);	/* PIDFD_THREAD */
	process("pidfd-thread", thread);
	process("pidfd-leader-as-thread", pidfd(getpid(), O_EXCL));
	begin(l, AUTONUMA_CMD_EXPLAIN);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put_u32(l, AUTONUMA_A_TID, fds[2]);
	say("tid-of-thread", exchange(l));
	close(fds[1]);
	pthread_join(t, NULL);
	usleep(100000);	/* it ends behind what join waits for */
	process("pidfd-thread-ended", thread);
	begin(l, AUTONUMA_CMD_EXPLAIN);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put_u32(l, AUTONUMA_A_TID, fds[2]);
	say("tid-ended", exchange(l));
}

static void ask_dead(const char *how, int fd)
{
	static const char * const choices[] = { "default", "asked", "excluded" };
	char name[64];

	for (unsigned int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s-%s", how, choices[i]);
		say(name, choose(l, AUTONUMA_A_PIDFD, fd, i));
	}
	snprintf(name, sizeof(name), "%s-get", how);
	say(name, ask_about(l, AUTONUMA_CMD_GET, AUTONUMA_A_PIDFD, fd));
	snprintf(name, sizeof(name), "%s-explain", how);
	say(name, ask_about(l, AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_PIDFD, fd));
}

static void ended(void)
{
	pid_t child = start_sleeper();
	int fd = pidfd(child, 0);
	siginfo_t info;

	kill(child, SIGKILL);
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	ask_dead("zombie", fd);
	waitpid(child, NULL, 0);
	ask_dead("reaped", fd);
}

static void explain(const char *name, uint32_t tid)
{
	begin(l, AUTONUMA_CMD_EXPLAIN);
	put_u32(l, AUTONUMA_A_PIDFD, self);
	put_u32(l, AUTONUMA_A_TID, tid);
	say(name, exchange(l));
}

static void tids(void)
{
	pid_t child = start_sleeper();

	explain("tid-own", gettid());
	explain("tid-of-another", child);
	explain("tid-0", 0);
	explain("tid-none", NO_TID);
	explain("tid-negative", -1);
	end_child(child);
}

/* --- control groups --- */

static void cgroup(const char *name, int fd)
{
	say(name, ask_about(l, AUTONUMA_CMD_GET, AUTONUMA_A_CGROUP_FD, fd));
}

static void cgroups(void)
{
	int gone = cgroup_dir("ask-gone"), made = cgroup_dir("ask-made"), root = directory(CGROUPS), closed = dup(0);

	rmdir(CGROUPS "/ask-gone");
	close(closed);
	cgroup("cgroup", made);
	say("cgroup-asked", choose(l, AUTONUMA_A_CGROUP_FD, made, AUTONUMA_CHOICE_ASKED));
	say("cgroup-explain", ask_about(l, AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_CGROUP_FD, made));
	cgroup("cgroup-root", root);
	cgroup("cgroup-closed", closed);
	cgroup("cgroup-negative", -1);
	cgroup("cgroup-file", open(CGROUPS "/ask-made/cgroup.procs", O_RDONLY));
	cgroup("cgroup-directory", directory("/tmp"));
	cgroup("cgroup-sys", directory("/sys"));
	cgroup("cgroup-proc", directory("/proc/self"));
	cgroup("cgroup-pidfd", self);
	cgroup("cgroup-socket", l->sock);
	cgroup("cgroup-path", open(CGROUPS "/ask-made", O_PATH));
	cgroup("removed-get", gone);
	say("removed-asked", choose(l, AUTONUMA_A_CGROUP_FD, gone, AUTONUMA_CHOICE_ASKED));
	say("removed-default", choose(l, AUTONUMA_A_CGROUP_FD, gone, AUTONUMA_CHOICE_DEFAULT));
	rmdir(CGROUPS "/ask-made");
	say("removed-later", choose(l, AUTONUMA_A_CGROUP_FD, made, AUTONUMA_CHOICE_ASKED));
}

/* What was refused has changed nothing: what holds is what was chosen last. */
static void nothing_changed(void)
{
	const struct autonuma_settings *s;

	say("chosen", set(AUTONUMA_CHOICE_ASKED, AUTONUMA_F_DRY_RUN, 7, 9));
	say("refused", set(AUTONUMA_CHOICE_ASKED, 0, 1048577, 0));
	say("asked", ask_about(l, AUTONUMA_CMD_GET, AUTONUMA_A_PIDFD, self));
	s = found(l, AUTONUMA_A_SETTINGS, sizeof(*s));
	printf("holds %d %u %u %u\n", s ? (int)s->choice : -1, s ? s->flags : 0,
	       s ? s->migrate_rate_mbps : 0, s ? s->scan_budget_pct : 0);
	set(AUTONUMA_CHOICE_DEFAULT, 0, 0, 0);
}

int ask_refusals(void)
{
	l = link_open();
	self = pidfd(getpid(), 0);
	sizes();
	values();
	homes();
	attributes();
	targets();
	headers();
	no_processes();
	threads();
	ended();
	tids();
	cgroups();
	nothing_changed();
	link_close(l);
	return 0;
}
