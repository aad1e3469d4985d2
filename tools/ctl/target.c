// SPDX-License-Identifier: GPL-2.0
/* Who is meant: a process, or a control group. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "cgroup.h"
#include "file.h"
#include "output.h"
#include "target.h"

pid_t parse_pid(const char *number)
{
	unsigned long pid;
	char *end;

	if (*number < '0' || *number > '9')
		return 0;
	errno = 0;
	pid = strtoul(number, &end, 10);
	return errno || *end || pid > INT_MAX ? 0 : pid;
}

char *name_of_thread(pid_t pid, pid_t tid)
{
	char *name = read_textf("/proc/%d/task/%d/comm", pid, tid);

	return name ? printable(name) : text("?");
}

/* The process that a thread belongs to; 0 if it is not there. */
static pid_t leader_of(pid_t tid)
{
	char *status = read_textf("/proc/%d/status", tid), *line;
	int leader = 0;

	line = status ? strstr(status, "\nTgid:") : NULL;
	if (line)
		leader = strtol(line + strlen("\nTgid:"), NULL, 10);
	free(status);
	return leader;
}

static void open_process(struct target *target)
{
	pid_t leader = leader_of(target->pid);
	char *name;

	if (leader && leader != target->pid)
		fail("%d is a thread of process %d: name the process, it is asked for as a whole",
		     target->pid, leader);
	target->fd = pidfd_open(target->pid, 0);
	if (target->fd < 0 && errno == ESRCH)
		fail("process %d: there is none (%s)", target->pid, strerror(errno));
	if (target->fd < 0)
		fail("process %d: pidfd_open: %s", target->pid, strerror(errno));
	name = name_of_thread(target->pid, target->pid);
	target->called = text("process %d (%s)", target->pid, name);
	free(name);
}

/* What is given may begin with the mount, or at the mount. */
static const char *below_mount(const char *path, const char *mount)
{
	size_t len = strlen(mount);

	if (!strncmp(path, mount, len) && (!path[len] || path[len] == '/'))
		path += len;
	while (*path == '/')
		path++;
	return path;
}

static void open_cgroup(struct target *target, const char *name)
{
	char *mount = cgroup_mount(), *given, *path;

	if (!mount)
		fail("cgroup v2 is not mounted: boot with systemd.unified_cgroup_hierarchy=1");
	given = text("%s/%s", mount, below_mount(name, mount));
	path = rooted(given);
	target->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->fd < 0)
		fail("control group %s: %s", given, strerror(errno));
	target->called = printable(text("control group /%s", below_mount(name, mount)));
	free(path);
	free(given);
	free(mount);
}

void target_open(struct target *target)
{
	char *path;

	switch (target->kind) {
	case TARGET_PID:
		open_process(target);
		break;
	case TARGET_CGROUP:
		open_cgroup(target, target->name);
		break;
	case TARGET_UNIT:
		path = cgroup_of_unit(target->name);
		open_cgroup(target, path);
		free(path);
		break;
	case TARGET_NONE:
		break;
	}
}

void target_close(struct target *target)
{
	close(target->fd);
	free(target->called);
}

struct request target_request(const struct target *target, enum autonuma_cmd cmd)
{
	return (struct request){
		.cmd = cmd,
		.target = target->kind == TARGET_PID ? AUTONUMA_A_PIDFD : AUTONUMA_A_CGROUP_FD,
		.fd = target->fd,
	};
}

static const char *who_may(const struct request *request)
{
	if (request->target == AUTONUMA_A_CGROUP_FD)
		return "who may write its directory may do this, root for example";
	if (request->cmd == AUTONUMA_CMD_SET)
		return "its owner may do this, and who has CAP_SYS_NICE, root for example";
	return "who may read its numa_maps in /proc may do this: its owner, or root";
}

/* What to make of it; the words of the module say it better. */
static const char *meaning(const struct request *request, int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return who_may(request);
	case ESRCH:
		return request->tid ? "the thread has ended, or is of another process" :
				      "the process has ended";
	case ENODEV:
		return "it has been removed";
	case EBADF:
		return "the module does not take it for a process or a directory of cgroup v2";
	case E2BIG:
	case EOPNOTSUPP:
		return "the loaded module is older than this program";
	case EINVAL:
		return "the module does not accept it; is it older than this program?";
	case ENOENT:
		return "autonuma has been unloaded: modprobe autonuma";
	case ENOMEM:
		return "nothing has changed";
	case EPROTO:
		return "the answer of the module cannot be read";
	}
	return NULL;
}

void refused(const struct target *target, const struct request *request, int err,
	     const char *said)
{
	const char *more = meaning(request, err);

	fail("%s: %s%s%s%s%s", target->called, strerror(-err), more ? ": " : "",
	     more ? more : "", said ? "; the module says: " : "", said ? said : "");
}

void no_link(int err)
{
	if (err != -ENOENT)
		fail("generic netlink: %s", strerror(-err));
	if (exists("/sys/module/autonuma"))
		fail("autonuma is loaded, but takes no requests: it is too old, load a newer one");
	fail("autonuma is not loaded: modprobe autonuma");
}
