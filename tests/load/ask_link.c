// SPDX-License-Identifier: GPL-2.0
/* ask: generic netlink by hand, and what the subcommands share. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"
#include "common.h"

int link_socket(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), large = 1 << 20;

	if (sock < 0 || bind(sock, (struct sockaddr *)&any, sizeof(any)))
		die("no netlink socket: %m");
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	return sock;
}

static void begin_to(struct link *l, uint16_t family, uint16_t flags, uint8_t cmd)
{
	struct genlmsghdr *genl = NLMSG_DATA(&l->request.head);

	memset(&l->request, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	l->request.head.nlmsg_type = family;
	l->request.head.nlmsg_flags = NLM_F_REQUEST | flags;
	l->request.head.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	genl->cmd = cmd;
	genl->version = 1;
}

void begin(struct link *l, uint8_t cmd)
{
	begin_to(l, l->family, NLM_F_ACK, cmd);
}

void put(struct link *l, uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)(l->request.bytes + l->request.head.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memset(attr + 1, 0, NLA_ALIGN(len));
	memcpy(attr + 1, data, len);
	l->request.head.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(len);
}

void put_u32(struct link *l, uint16_t type, uint32_t value)
{
	put(l, type, &value, sizeof(value));
}

void put_settings(struct link *l, uint32_t choice)
{
	struct autonuma_settings s = { .choice = choice };

	put(l, AUTONUMA_A_SETTINGS, &s, sizeof(s));
}

int send_request(struct link *l)
{
	l->request.head.nlmsg_seq++;
	return send(l->sock, &l->request, l->request.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* Whatever answers a request is there when it has been sent. Returns true at its end. */
static bool take(struct link *l, ssize_t len, int *err)
{
	static __thread struct message in;
	struct nlmsghdr *h;

	memcpy(&in, &l->answer, len);
	l->answer.head.nlmsg_len = 0;
	for (h = &in.head; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_ERROR) {
			*err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			return true;
		}
		memcpy(&l->answer, h, h->nlmsg_len);
	}
	return false;
}

/* Sends the request and waits for its end. Returns 0 or an errno; what was answered is in l->answer. */
int exchange(struct link *l)
{
	static __thread struct message last;
	int err = send_request(l);
	ssize_t len;

	last.head.nlmsg_len = 0;
	while (!err) {
		len = recv(l->sock, &l->answer, sizeof(l->answer), 0);
		if (len < 0)
			return -errno;
		if (take(l, len, &err))
			break;
		memcpy(&last, &l->answer, l->answer.head.nlmsg_len);
	}
	memcpy(&l->answer, &last, last.head.nlmsg_len ?: sizeof(last.head));
	return err;
}

/* The attribute of the answer behind this one, or the first behind NULL; NULL at the end. */
static const struct nlattr *next_attr(const struct link *l, const struct nlattr *last)
{
	const char *at = last ? (char *)last + NLA_ALIGN(last->nla_len) :
				l->answer.bytes + NLMSG_HDRLEN + GENL_HDRLEN;
	const struct nlattr *attr = (void *)at;
	size_t left = l->answer.bytes + l->answer.head.nlmsg_len - at;

	if (at >= l->answer.bytes + l->answer.head.nlmsg_len || left < NLA_HDRLEN || attr->nla_len < NLA_HDRLEN ||
	    attr->nla_len > left)
		return NULL;
	return attr;
}

/* An attribute of the answer that has at least that length, or NULL. */
const void *found(const struct link *l, uint16_t type, size_t len)
{
	const struct nlattr *attr = NULL;

	while ((attr = next_attr(l, attr)))
		if ((attr->nla_type & NLA_TYPE_MASK) == type && attr->nla_len >= NLA_HDRLEN + len)
			return attr + 1;
	return NULL;
}

unsigned int count_found(const struct link *l, uint16_t type)
{
	const struct nlattr *attr = NULL;
	unsigned int nr = 0;

	while ((attr = next_attr(l, attr)))
		nr += (attr->nla_type & NLA_TYPE_MASK) == type;
	return nr;
}

int link_resolve(struct link *l)
{
	const uint16_t *id;
	int err;

	begin_to(l, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	put(l, CTRL_ATTR_FAMILY_NAME, AUTONUMA_GENL_NAME, sizeof(AUTONUMA_GENL_NAME));
	err = exchange(l);
	id = found(l, CTRL_ATTR_FAMILY_ID, sizeof(*id));
	if (!err && !id)
		err = -ENOMSG;
	if (!err)
		l->family = *id;
	return err;
}

struct link *link_open(void)
{
	struct link *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		die("no memory");
	l->sock = link_socket();
	err = link_resolve(l);
	if (err)
		die("no family %s: %s", AUTONUMA_GENL_NAME, name_of(err));
	return l;
}

void link_close(struct link *l)
{
	close(l->sock);
	free(l);
}

int choose(struct link *l, uint16_t type, int fd, uint32_t choice)
{
	begin(l, AUTONUMA_CMD_SET);
	put_u32(l, type, fd);
	put_settings(l, choice);
	return exchange(l);
}

int ask_about(struct link *l, uint8_t cmd, uint16_t type, int fd)
{
	begin(l, cmd);
	put_u32(l, type, fd);
	return exchange(l);
}

/* Asks the kernel what requests the module takes, and reads no more than the first part of it. */
int dump_policy(struct link *l)
{
	begin_to(l, GENL_ID_CTRL, NLM_F_DUMP, CTRL_CMD_GETPOLICY);
	put(l, CTRL_ATTR_FAMILY_NAME, AUTONUMA_GENL_NAME, sizeof(AUTONUMA_GENL_NAME));
	return send_request(l);
}

const char *name_of(int err)
{
	return err ? strerrorname_np(-err) : "ok";
}

int pidfd(pid_t pid, unsigned int flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

int directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %m", path);
	return fd;
}

/* Of the control group of that name, made if need be. */
int cgroup_dir(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), CGROUPS "/%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		die("%s: %m", path);
	return directory(path);
}

/* It ends with whoever has started it. */
pid_t start_child(void (*run)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(arg);
	fflush(NULL);
	_exit(0);
}

static void sleep_on(void *unused)
{
	(void)unused;
	while (1)
		pause();
}

pid_t start_sleeper(void)
{
	return start_child(sleep_on, NULL);
}

void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Its failure is the program's. */
void run_child(void (*run)(void *), void *arg)
{
	pid_t pid = start_child(run, arg);
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("a child has failed: %#x", status);
}
