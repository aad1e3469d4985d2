// SPDX-License-Identifier: GPL-2.0
/*
 * ask strangers: who may ask for what, as a line "stranger WHO WHAT ERRNO" each; and what they are told of, as a line
 * "told WHO WHOM PROCESSES PLANTED" each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

#define USER	1000
#define OTHER	1001
#define GROUP	2000

static pid_t of_root;			/* a process of root's */
static int roots_group, users_group, groups_group;	/* control groups */
static int lent[2];			/* pipe: numbers for who cannot know them */

static void say(const char *who, const char *what, int err)
{
	printf("stranger %s %s %s\n", who, what, name_of(err));
}

/* --- who one is --- */

static void set_caps(uint32_t effective, uint32_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { effective, permitted, 0 } };

	if (syscall(SYS_capset, &head, data))
		die("capset: %m");
}

/* From root to a user with these capabilities, none by default. As if it had been started like that. */
static void become(uid_t uid, uint32_t caps)
{
	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("no user %d: %m", uid);
	set_caps(caps, caps);
	prctl(PR_SET_DUMPABLE, 1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s: %m", path);
	close(fd);
}

/* Root in a user namespace of the user. */
static void become_root_inside(void)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %d 1", geteuid());
	if (unshare(CLONE_NEWUSER))
		die("no user namespace: %m");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);
}

/* --- what one asks --- */

static int numa_maps(pid_t pid)
{
	char path[64], byte;
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &byte, 1) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void ask_target(struct link *l, const char *who, const char *whom, uint16_t type, int fd)
{
	char what[64];

	snprintf(what, sizeof(what), "%s set", whom);
	say(who, what, choose(l, type, fd, AUTONUMA_CHOICE_EXCLUDED));
	snprintf(what, sizeof(what), "%s unset", whom);
	say(who, what, choose(l, type, fd, AUTONUMA_CHOICE_DEFAULT));
	snprintf(what, sizeof(what), "%s get", whom);
	say(who, what, ask_about(l, AUTONUMA_CMD_GET, type, fd));
}

static void ask_process(struct link *l, const char *who, const char *whom, pid_t pid)
{
	char what[64];
	int fd = pidfd(pid, 0);

	ask_target(l, who, whom, AUTONUMA_A_PIDFD, fd);
	snprintf(what, sizeof(what), "%s explain", whom);
	say(who, what, ask_about(l, AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_PIDFD, fd));
	begin(l, AUTONUMA_CMD_EXPLAIN);
	put_u32(l, AUTONUMA_A_PIDFD, fd);
	put_u32(l, AUTONUMA_A_TID, pid);
	snprintf(what, sizeof(what), "%s thread", whom);
	say(who, what, exchange(l));
	snprintf(what, sizeof(what), "%s numa_maps", whom);
	say(who, what, numa_maps(pid));
	close(fd);
}

static void sleep_hidden(void *ready)
{
	prctl(PR_SET_DUMPABLE, 0);
	if (write(*(int *)ready, "", 1) != 1)
		die("not ready: %m");
	while (1)
		pause();
}

static void ask_hidden(struct link *l, const char *who)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready))
		die("pipe: %m");
	child = start_child(sleep_hidden, &ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("not ready: %m");
	ask_process(l, who, "hidden", child);
	end_child(child);
}

static void ask_all(const char *who)
{
	struct link *l = link_open();
	pid_t child = start_sleeper();

	ask_process(l, who, "root's", of_root);
	ask_process(l, who, "self", getpid());
	ask_process(l, who, "child", child);
	ask_hidden(l, who);
	ask_target(l, who, "root's-cgroup", AUTONUMA_A_CGROUP_FD, roots_group);
	ask_target(l, who, "user's-cgroup", AUTONUMA_A_CGROUP_FD, users_group);
	end_child(child);
	link_close(l);
}

/* --- the strangers --- */

static void as_root(void *unused)
{
	(void)unused;
	ask_all("root");
}

static void as_user(void *unused)
{
	(void)unused;
	become(USER, 0);
	ask_all("user");
}

static void as_other(void *unused)
{
	(void)unused;
	become(OTHER, 0);
	ask_all("other");
}

static void as_nice(void *unused)
{
	(void)unused;
	become(USER, 1 << CAP_SYS_NICE);
	ask_all("nice");
}

static void as_ptrace(void *unused)
{
	(void)unused;
	become(USER, 1 << CAP_SYS_PTRACE);
	ask_all("ptrace");
}

static void as_root_inside(void *unused)
{
	(void)unused;
	become(USER, 0);
	become_root_inside();
	ask_all("inside");
}

static void in_net(void *unused)
{
	(void)unused;
	if (unshare(CLONE_NEWNET))
		die("no net namespace: %m");
	become(USER, 0);
	ask_all("net");
}

static void explain(struct link *l, const char *what, uint32_t tid)
{
	begin(l, AUTONUMA_CMD_EXPLAIN);
	put_u32(l, AUTONUMA_A_PIDFD, pidfd(getpid(), 0));
	put_u32(l, AUTONUMA_A_TID, tid);
	say("pidns", what, exchange(l));
}

/* Its threads have two numbers; the one outside is told by a pipe. */
static void in_pid_namespace(void *unused)
{
	struct link *l = link_open();
	pid_t outside;

	(void)unused;
	if (read(lent[0], &outside, sizeof(outside)) != sizeof(outside))
		die("no number: %m");
	printf("stranger pidns is %d\n", getpid());
	explain(l, "inside-tid", getpid());
	explain(l, "outside-tid", outside);
	link_close(l);
}

static void make_pid_namespace(void *unused)
{
	pid_t child;

	(void)unused;
	if (pipe(lent) || unshare(CLONE_NEWPID))
		die("no pid namespace: %m");
	child = start_child(in_pid_namespace, NULL);
	if (write(lent[1], &child, sizeof(child)) != sizeof(child))
		die("no number: %m");
	waitpid(child, NULL, 0);
}

/* A control group in a file system that may only be read here. */
static void read_only(void *unused)
{
	struct link *l = link_open();

	(void)unused;
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(CGROUPS, "/run", NULL, MS_BIND, NULL) ||
	    mount("", "/run", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		die("no mount: %m");
	say("read-only", "mkdir", mkdir("/run/ask-root/new", 0755) ? -errno : 0);
	ask_target(l, "read-only", "root's-cgroup", AUTONUMA_A_CGROUP_FD, directory("/run/ask-root"));
	link_close(l);
}

/* --- a process that has the number of one that was balanced --- */

static void use_memory(void *unused)
{
	const size_t size = 8 << 20;
	volatile char *memory = malloc(size);

	(void)unused;
	for (size_t i = 0; memory; i++)
		memory[i * 64 % size]++;
}

static pid_t start_with_number(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		die("no process %d: %m", number);
	while (!pid)
		pause();
	return pid;
}

static unsigned int decisions_about(struct link *l, pid_t pid)
{
	int fd = pidfd(pid, 0), err = ask_about(l, AUTONUMA_CMD_EXPLAIN, AUTONUMA_A_PIDFD, fd);

	if (err)
		die("explain: %s", name_of(err));
	close(fd);
	return count_found(l, AUTONUMA_A_DECISION);
}

static void recycle(void *unused)
{
	pid_t first = start_child(use_memory, NULL), second;
	struct link *l = link_open();
	unsigned int before = 0;

	(void)unused;
	for (int i = 0; i < 600 && !before; i++) {
		usleep(100000);
		before = decisions_about(l, first);
	}
	end_child(first);
	second = start_with_number(first);
	printf("stranger recycled decisions %u %u\n", before, decisions_about(l, second));
	end_child(second);
	link_close(l);
}

/* --- sockets that somebody else has opened --- */

static void use(const char *who, struct link *l)
{
	ask_process(l, who, "root's", of_root);
	ask_process(l, who, "self", getpid());
	ask_target(l, who, "user's-cgroup", AUTONUMA_A_CGROUP_FD, users_group);
}

static void user_opens_root_uses(void *unused)
{
	struct link *l;

	(void)unused;
	if (seteuid(USER))
		die("no user: %m");
	l = link_open();
	if (seteuid(0))
		die("not root again: %m");
	use("root-by-user's", l);
}

static void root_opens_user_uses(void *unused)
{
	struct link *l = link_open();

	(void)unused;
	become(USER, 0);
	use("user-by-root's", l);
}

static void capable_use(void *unused)
{
	const uint32_t nice = 1 << CAP_SYS_NICE;
	struct link *without, *with;

	(void)unused;
	become(USER, nice);
	with = link_open();
	set_caps(0, nice);
	without = link_open();
	use("user-by-nice's", with);
	set_caps(nice, nice);
	use("nice-by-user's", without);
}

static void inside_uses(void *unused)
{
	struct link *l;

	(void)unused;
	become(USER, 0);
	l = link_open();
	become_root_inside();
	use("inside-by-user's", l);
}

static void join_group(const uint32_t setgid)
{
	const gid_t group = GROUP;

	set_caps(setgid, setgid);
	if (setgroups(1, &group))
		die("setgroups: %m");
	set_caps(0, setgid);
}

/* The same user, who has groups that the socket's opener did not have. */
static void group_uses(void *unused)
{
	const uint32_t setgid = 1 << CAP_SETGID;
	struct link *before, *after;

	(void)unused;
	become(USER, setgid);
	set_caps(0, setgid);
	before = link_open();
	join_group(setgid);
	after = link_open();
	ask_target(after, "group", "group's-cgroup", AUTONUMA_A_CGROUP_FD, groups_group);
	ask_target(before, "group-by-user's", "group's-cgroup", AUTONUMA_A_CGROUP_FD, groups_group);
	ask_target(before, "group-by-user's", "user's-cgroup", AUTONUMA_A_CGROUP_FD, users_group);
	set_caps(setgid, setgid);
	setfsgid(GROUP);
	set_caps(0, setgid);
	ask_process(before, "fsgid-by-user's", "self", getpid());
}

/* --- what is told of others whom the same choice covers: nothing --- */

static unsigned int say_told(struct link *l, const char *who, const char *whom, uint16_t type, int fd)
{
	const struct autonuma_scope *scope;
	int err = ask_about(l, AUTONUMA_CMD_GET, type, fd);

	scope = found(l, AUTONUMA_A_SCOPE, sizeof(*scope));
	if (err || !scope)
		die("%s asks about %s: %s", who, whom, name_of(err));
	if (*who)
		printf("told %s %s %u %s\n", who, whom, scope->processes, scope->planted ? "some" : "none");
	return scope->processes;
}

static void join(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), CGROUPS "/%s/cgroup.procs", cgroup);
	write_file(path, "0");
}

static void use_memory_in(void *cgroup)
{
	join(cgroup);
	use_memory(NULL);
}

static void user_is_told(void *inner)
{
	struct link *l;

	join("ask-sum/inner");
	become(USER, 0);
	l = link_open();
	say_told(l, "user", "self", AUTONUMA_A_PIDFD, pidfd(getpid(), 0));
	say_told(l, "user", "inner", AUTONUMA_A_CGROUP_FD, *(int *)inner);
	link_close(l);
}

static void say_decided(struct link *l, const char *when, const char *whom, uint16_t type, int fd)
{
	const struct autonuma_scope *scope;
	int err = ask_about(l, AUTONUMA_CMD_GET, type, fd);

	scope = found(l, AUTONUMA_A_SCOPE, sizeof(*scope));
	if (err || !scope)
		die("%s: %s", when, name_of(err));
	printf("decided %s %s %s %u\n", when, whom, scope->state == AUTONUMA_STATE_OUT ? "out" : "in", scope->source);
}

static void decide_as(struct link *l, const char *when, int outers_choice, int outer, int inner)
{
	choose(l, AUTONUMA_A_CGROUP_FD, outer, outers_choice);
	say_decided(l, when, "self", AUTONUMA_A_PIDFD, pidfd(getpid(), 0));
	say_decided(l, when, "inner", AUTONUMA_A_CGROUP_FD, inner);
}

/* The user asks for himself and for his control group, root excludes the one above, then asks for that of the user. */
static void overruled(void *unused)
{
	int outer = cgroup_dir("ask-sum"), inner = cgroup_dir("ask-sum/inner");
	struct link *l = link_open();

	(void)unused;
	join("ask-sum/inner");
	set_caps(~(1U << CAP_SYS_NICE), ~0U);
	say("unprivileged", "asks", choose(l, AUTONUMA_A_PIDFD, pidfd(getpid(), 0), AUTONUMA_CHOICE_ASKED));
	say("unprivileged", "asks", choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_ASKED));
	decide_as(l, "excluded-by-the-same", AUTONUMA_CHOICE_EXCLUDED, outer, inner);
	set_caps(~0U, ~0U);
	decide_as(l, "excluded-by-root", AUTONUMA_CHOICE_EXCLUDED, outer, inner);
	choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_ASKED);
	decide_as(l, "asked-by-root", AUTONUMA_CHOICE_EXCLUDED, outer, inner);
	decide_as(l, "not-excluded", AUTONUMA_CHOICE_DEFAULT, outer, inner);
	choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_EXCLUDED);
	set_caps(~(1U << CAP_SYS_NICE), ~0U);
	say("excluded", "asks", choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_ASKED));
	say("excluded", "takes-back", choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_DEFAULT));
	set_caps(~0U, ~0U);
	choose(l, AUTONUMA_A_CGROUP_FD, inner, AUTONUMA_CHOICE_DEFAULT);
	choose(l, AUTONUMA_A_PIDFD, pidfd(getpid(), 0), AUTONUMA_CHOICE_DEFAULT);
	link_close(l);
}

/* Root asks for a control group, in which others are, too; below is one of the user's. */
static void covered(void *unused)
{
	int outer = cgroup_dir("ask-sum"), inner = cgroup_dir("ask-sum/inner");
	struct link *l = link_open();
	pid_t roots, inners;

	(void)unused;
	if (fchown(inner, USER, USER))
		die("chown: %m");
	choose(l, AUTONUMA_A_CGROUP_FD, outer, AUTONUMA_CHOICE_ASKED);
	roots = start_child(use_memory_in, "ask-sum");
	inners = start_child(use_memory_in, "ask-sum/inner");
	for (int i = 0; i < 600 && say_told(l, "", "", AUTONUMA_A_CGROUP_FD, outer) < 2; i++)
		usleep(100000);
	usleep(1000000);
	say_told(l, "root", "outer", AUTONUMA_A_CGROUP_FD, outer);
	say_told(l, "root", "inner", AUTONUMA_A_CGROUP_FD, inner);
	say_told(l, "root", "process", AUTONUMA_A_PIDFD, pidfd(roots, 0));
	run_child(user_is_told, &inner);
	end_child(roots);
	end_child(inners);
	link_close(l);
	run_child(overruled, NULL);
	rmdir(CGROUPS "/ask-sum/inner");
	rmdir(CGROUPS "/ask-sum");
}

static void (*const strangers[])(void *) = {
	as_root, as_user, as_other, as_nice, as_ptrace, as_root_inside, in_net, make_pid_namespace, read_only, recycle,
	user_opens_root_uses, root_opens_user_uses, capable_use, inside_uses, group_uses, covered,
};

int ask_strangers(void)
{
	of_root = start_sleeper();
	roots_group = cgroup_dir("ask-root");
	users_group = cgroup_dir("ask-user");
	groups_group = cgroup_dir("ask-group");
	if (fchown(users_group, USER, USER) || fchown(groups_group, 0, GROUP) || fchmod(groups_group, 0775))
		die("chown: %m");
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		run_child(strangers[i], NULL);
	end_child(of_root);
	rmdir(CGROUPS "/ask-root");
	rmdir(CGROUPS "/ask-user");
	rmdir(CGROUPS "/ask-group");
	return 0;
}
