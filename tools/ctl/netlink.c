// SPDX-License-Identifier: GPL-2.0
/* The way to the module: generic netlink. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "netlink.h"
#include "output.h"

/* libnl has no option for it; without it the module's words are lost, no more. */
static void want_words(struct nl_sock *sock)
{
	int on = 1;

	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
}

int link_open(struct module_link *link)
{
	int err;

	link->said = NULL;
	link->sock = need(nl_socket_alloc());
	/* Errors of libnl itself; those that matter have an errno behind them. */
	errno = 0;
	err = genl_connect(link->sock);
	if (err) {
		err = errno ? -errno : -EIO;
	} else {
		nl_socket_enable_msg_peek(link->sock);
		link->family = genl_ctrl_resolve(link->sock, AUTONUMA_GENL_NAME);
		err = link->family < 0 ? -ENOENT : 0;
	}
	if (err)
		nl_socket_free(link->sock);
	else
		want_words(link->sock);
	return err;
}

void link_close(struct module_link *link)
{
	free(link->said);
	nl_socket_free(link->sock);
}

struct exchange {
	struct answer *answer;
	bool answered, done;
	int err;
	char **said;
};

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	if (x->answer && !x->answered) {
		x->answered = true;
		x->err = answer_parse(x->answer, nlmsg_hdr(msg));
	}
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->done = true;
	return NL_STOP;
}

/* The module's words follow the head of the request, or all of it. */
static char *words_of(struct nlmsgerr *refusal)
{
	struct nlmsghdr *header = (struct nlmsghdr *)refusal - 1;
	int skip = sizeof(*refusal), rest;
	struct nlattr *attr;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(refusal->msg.nlmsg_len) - sizeof(refusal->msg);
	rest = (int)header->nlmsg_len - NLMSG_HDRLEN - skip;
	attr = (struct nlattr *)((char *)refusal + skip);
	for (; rest > 0 && nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			return strndup(nla_data(attr), nla_len(attr));
	}
	return NULL;
}

static int on_refusal(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *arg)
{
	struct exchange *x = arg;

	(void)from;
	x->err = refusal->error;
	x->done = true;
	*x->said = words_of(refusal);
	return NL_STOP;
}

static int receive(struct nl_sock *sock, struct exchange *x)
{
	struct nl_cb *cb = need(nl_cb_alloc(NL_CB_DEFAULT));
	int err = 0;

	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_err(cb, NL_CB_CUSTOM, on_refusal, x);
	errno = 0;
	while (!x->done && err >= 0)
		err = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (!x->done)
		return errno ? -errno : -EPROTO;
	return x->err;
}

int link_ask(struct module_link *link, const struct request *request, struct answer *answer)
{
	struct exchange x = { .answer = answer, .said = &link->said };
	struct nl_msg *msg = request_message(request, link->family);
	int err;

	free(link->said);
	link->said = NULL;
	errno = 0;
	err = nl_send_auto(link->sock, msg);
	nlmsg_free(msg);
	if (err < 0)
		return errno ? -errno : -EIO;
	err = receive(link->sock, &x);
	if (!err && answer && !x.answered)
		err = -EPROTO;
	if (err && x.answered)
		answer_free(answer);
	return err;
}
