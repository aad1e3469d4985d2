// SPDX-License-Identifier: GPL-2.0
/*
 * For LD_PRELOAD: a generic netlink family "autonuma" without a kernel behind
 * it, to see what autonumactl asks for and what it makes of the answers.
 *	FAKE_LOG	file that every request is written to, one line each
 *	FAKE_ERRNO	refuse every request with this error
 *	FAKE_TID_ERRNO	refuse those about a thread
 *	FAKE_SAID	words that go with a refusal
 */
#define _GNU_SOURCE
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "message.h"

#define FAMILY	64
#define NODES	2

/* What is to be received yet. */
static struct nl_msg *queue[4];
static unsigned int first, last;

static struct nl_msg *reply(const struct nlmsghdr *to, int type, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, to->nlmsg_pid, to->nlmsg_seq, type, 0, flags);
	queue[last++ % 4] = msg;
	return msg;
}

static void put_header(struct nl_msg *msg, int cmd)
{
	struct genlmsghdr header = { .cmd = cmd, .version = AUTONUMA_GENL_VERSION };

	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
}

/* As the kernel does it: the whole request comes back with an error, and words if wanted. */
static void acknowledge(const struct nlmsghdr *to, int err)
{
	const char *said = err ? getenv("FAKE_SAID") : NULL;
	struct nl_msg *msg = reply(to, NLMSG_ERROR, said ? NLM_F_ACK_TLVS : 0);

	nlmsg_append(msg, &err, sizeof(err), 0);
	nlmsg_append(msg, (void *)to, err ? to->nlmsg_len : sizeof(*to), NLMSG_ALIGNTO);
	if (said)
		nla_put_string(msg, NLMSGERR_ATTR_MSG, said);
}

static void answer_family(const struct nlmsghdr *to)
{
	struct nl_msg *msg = reply(to, GENL_ID_CTRL, 0);

	put_header(msg, CTRL_CMD_NEWFAMILY);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, FAMILY);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, AUTONUMA_GENL_NAME);
	acknowledge(to, 0);
}

static void put_settings(struct nl_msg *msg)
{
	struct autonuma_settings settings = {
		.choice = AUTONUMA_CHOICE_ASKED, .flags = AUTONUMA_F_DRY_RUN,
		.migrate_rate_mbps = 100, .scan_budget_pct = 2,
	};
	__u64 home = 1;

	nla_put(msg, AUTONUMA_A_SETTINGS, sizeof(settings), &settings);
	nla_put(msg, AUTONUMA_A_HOME_NODES, sizeof(home), &home);
}

static void put_scope(struct nl_msg *msg)
{
	struct autonuma_scope scope = {
		.source = AUTONUMA_BY_PROCESS, .state = AUTONUMA_STATE_DRY_RUN, .processes = 3,
		.local_pm = 500, .forecast_pm = 970, .planted = 1000, .faults = 900,
		.would_move = 400, .scand_ns = 12000000,
	};

	nla_put(msg, AUTONUMA_A_SCOPE, sizeof(scope), &scope);
}

static void put_decision(struct nl_msg *msg, const char *act, const char *why)
{
	struct nlattr *nest = nla_nest_start(msg, AUTONUMA_A_DECISION);

	nla_put_u64(msg, AUTONUMA_D_TIME, 12345678901);
	nla_put_string(msg, AUTONUMA_D_ACT, act);
	nla_put_string(msg, AUTONUMA_D_WHY, why);
	nla_put_u32(msg, AUTONUMA_D_FROM, 0);
	nla_put_u32(msg, AUTONUMA_D_TO, 1);
	nla_put_u32(msg, AUTONUMA_D_GAIN, 345);
	nla_nest_end(msg, nest);
}

static void put_process(struct nl_msg *msg)
{
	struct autonuma_process process = {
		.balanced = 1, .pass = 17, .period_ms = 250, .local_pm = 480,
		.forecast_pm = AUTONUMA_UNKNOWN,
	};
	__u64 pages[NODES] = { 262144, 1024 }, home = 2;

	nla_put(msg, AUTONUMA_A_PROCESS, sizeof(process), &process);
	nla_put(msg, AUTONUMA_A_PAGES, sizeof(pages), pages);
	nla_put(msg, AUTONUMA_A_HOME, sizeof(home), &home);
	put_decision(msg, "move", "idle");
	put_decision(msg, "dream", "of_tomorrow");
}

static void put_thread(struct nl_msg *msg)
{
	struct autonuma_thread thread = {
		.node = 0, .preferred = AUTONUMA_NO_NODE, .best = 1, .load = 998,
		.moved_to = AUTONUMA_NO_NODE, .undone = 2,
	};
	__u64 private[NODES] = { 10, 30 }, shared[NODES] = { 0, 5 };

	nla_put(msg, AUTONUMA_A_THREAD, sizeof(thread), &thread);
	nla_put_string(msg, AUTONUMA_A_WHY, "no_room");
	nla_put(msg, AUTONUMA_A_PRIVATE, sizeof(private), private);
	nla_put(msg, AUTONUMA_A_SHARED, sizeof(shared), shared);
	put_decision(msg, "undone", "pull");
}

/* The process that a pidfd stands for. */
static int process_of(int fd)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Pid:", 4))
			pid = strtol(line + 4, NULL, 10);
	}
	if (f)
		fclose(f);
	return pid;
}

static void write_down(int cmd, struct nlattr **attrs)
{
	FILE *f = getenv("FAKE_LOG") ? fopen(getenv("FAKE_LOG"), "a") : NULL;
	struct autonuma_settings *s;

	if (!f)
		return;
	fprintf(f, "cmd %d", cmd);
	if (attrs[AUTONUMA_A_PIDFD])
		fprintf(f, " pid %d", process_of(nla_get_u32(attrs[AUTONUMA_A_PIDFD])));
	if (attrs[AUTONUMA_A_CGROUP_FD])
		fputs(" cgroup", f);
	if (attrs[AUTONUMA_A_TID])
		fprintf(f, " tid %u", nla_get_u32(attrs[AUTONUMA_A_TID]));
	s = attrs[AUTONUMA_A_SETTINGS] ? nla_data(attrs[AUTONUMA_A_SETTINGS]) : NULL;
	if (s)
		fprintf(f, " choice %u flags %u rate %u budget %u", s->choice, s->flags,
			s->migrate_rate_mbps, s->scan_budget_pct);
	if (attrs[AUTONUMA_A_HOME_NODES])
		fprintf(f, " home 0x%llx", nla_get_u64(attrs[AUTONUMA_A_HOME_NODES]) + 0ULL);
	fputc('\n', f);
	fclose(f);
}

static int refusal(bool of_thread)
{
	const char *err = getenv("FAKE_ERRNO");

	if (of_thread && getenv("FAKE_TID_ERRNO"))
		err = getenv("FAKE_TID_ERRNO");
	return err ? -strtol(err, NULL, 10) : 0;
}

static void answer_request(struct nlmsghdr *to)
{
	struct nlattr *attrs[AUTONUMA_A_MAX + 1];
	int cmd = genlmsg_hdr(to)->cmd;
	struct nl_msg *msg;

	genlmsg_parse(to, 0, attrs, AUTONUMA_A_MAX, NULL);
	write_down(cmd, attrs);
	if (refusal(attrs[AUTONUMA_A_TID])) {
		acknowledge(to, refusal(attrs[AUTONUMA_A_TID]));
		return;
	}
	if (cmd != AUTONUMA_CMD_SET) {
		msg = reply(to, FAMILY, 0);
		put_header(msg, cmd);
		if (!attrs[AUTONUMA_A_TID]) {
			put_settings(msg);
			put_scope(msg);
		}
		if (cmd == AUTONUMA_CMD_EXPLAIN && attrs[AUTONUMA_A_TID])
			put_thread(msg);
		else if (cmd == AUTONUMA_CMD_EXPLAIN)
			put_process(msg);
	}
	acknowledge(to, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct nlmsghdr *header = msg->msg_iov[0].iov_base;

	(void)fd;
	(void)flags;
	if (header->nlmsg_type == GENL_ID_CTRL)
		answer_family(header);
	else
		answer_request(header);
	return header->nlmsg_len;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct nl_msg *next = queue[first % 4];
	struct nlmsghdr *header = nlmsg_hdr(next);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t len = header->nlmsg_len, room = msg->msg_iov[0].iov_len;

	(void)fd;
	memcpy(msg->msg_iov[0].iov_base, header, len < room ? len : room);
	memcpy(msg->msg_name, &kernel, sizeof(kernel));
	msg->msg_namelen = sizeof(kernel);
	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	if (!(flags & MSG_PEEK)) {
		first++;
		nlmsg_free(next);
	}
	return len;
}
