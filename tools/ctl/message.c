// SPDX-License-Identifier: GPL-2.0
/* Requests to the module and its answers, as netlink messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"
#include "output.h"

static int put_home(struct nl_msg *msg, const struct nodes *home)
{
	unsigned int words = NODE_WORDS;

	while (words && !home->words[words - 1])
		words--;
	if (!words)
		return 0;
	return nla_put(msg, AUTONUMA_A_HOME_NODES, words * sizeof(home->words[0]), home->words);
}

struct nl_msg *request_message(const struct request *request, int family)
{
	struct nl_msg *msg = need(nlmsg_alloc());
	int err = 0;

	need(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, request->cmd,
			 AUTONUMA_GENL_VERSION));
	err |= nla_put_u32(msg, request->target, request->fd);
	if (request->tid)
		err |= nla_put_u32(msg, AUTONUMA_A_TID, request->tid);
	if (request->cmd == AUTONUMA_CMD_SET) {
		err |= nla_put(msg, AUTONUMA_A_SETTINGS, sizeof(request->settings),
			       &request->settings);
		err |= put_home(msg, &request->home);
	}
	return need(err ? NULL : msg);
}

static void get_struct(void *to, size_t size, const struct nlattr *attr)
{
	size_t len = nla_len(attr);

	memcpy(to, nla_data(attr), len < size ? len : size);
}

/* Whether it ends with a zero byte or not. */
static char *get_text(const struct nlattr *attr)
{
	return need(strndup(nla_data(attr), nla_len(attr)));
}

static __u64 get_number(const struct nlattr *attr)
{
	__u32 narrow = 0;
	__u64 wide = 0;

	if (nla_len(attr) >= (int)sizeof(wide)) {
		get_struct(&wide, sizeof(wide), attr);
		return wide;
	}
	get_struct(&narrow, sizeof(narrow), attr);
	return narrow;
}

static void get_weights(struct weights *weights, const struct nlattr *attr)
{
	size_t nr = nla_len(attr) / sizeof(weights->node[0]);

	if (nr > MAX_NODES)
		nr = MAX_NODES;
	weights->nr = nr;
	weights->node = need(calloc(nr + 1, sizeof(weights->node[0])));
	get_struct(weights->node, nr * sizeof(weights->node[0]), attr);
}

static void decision_attr(struct decision *d, const struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case AUTONUMA_D_TIME:
		d->time = get_number(attr);
		break;
	case AUTONUMA_D_ACT:
		d->act = get_text(attr);
		break;
	case AUTONUMA_D_WHY:
		d->why = get_text(attr);
		break;
	case AUTONUMA_D_TID:
		d->tid = get_number(attr);
		break;
	case AUTONUMA_D_FROM:
		d->from = get_number(attr);
		break;
	case AUTONUMA_D_TO:
		d->to = get_number(attr);
		break;
	case AUTONUMA_D_ADDR:
		d->addr = get_number(attr);
		break;
	case AUTONUMA_D_PAGES:
		d->pages = get_number(attr);
		break;
	case AUTONUMA_D_GAIN:
		d->gain = get_number(attr);
		break;
	}
}

static void add_decision(struct answer *answer, struct nlattr *nest)
{
	struct decision *d;
	struct nlattr *attr;
	int rest;

	answer->decisions = need(realloc(answer->decisions,
					 (answer->nr_decisions + 1) * sizeof(*d)));
	d = &answer->decisions[answer->nr_decisions++];
	memset(d, 0, sizeof(*d));
	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) > AUTONUMA_D_MAX || d->has[nla_type(attr)])
			continue;
		d->has[nla_type(attr)] = true;
		decision_attr(d, attr);
	}
}

static void answer_attr(struct answer *a, struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case AUTONUMA_A_SETTINGS:
		get_struct(&a->settings, sizeof(a->settings), attr);
		break;
	case AUTONUMA_A_HOME_NODES:
		get_struct(&a->home_nodes, sizeof(a->home_nodes), attr);
		break;
	case AUTONUMA_A_SCOPE:
		get_struct(&a->scope, sizeof(a->scope), attr);
		break;
	case AUTONUMA_A_PROCESS:
		get_struct(&a->process, sizeof(a->process), attr);
		break;
	case AUTONUMA_A_THREAD:
		get_struct(&a->thread, sizeof(a->thread), attr);
		break;
	case AUTONUMA_A_WHY:
		a->why = get_text(attr);
		break;
	case AUTONUMA_A_PAGES:
		get_weights(&a->pages, attr);
		break;
	case AUTONUMA_A_HOME:
		get_struct(&a->home, sizeof(a->home), attr);
		break;
	case AUTONUMA_A_PRIVATE:
		get_weights(&a->private, attr);
		break;
	case AUTONUMA_A_SHARED:
		get_weights(&a->shared, attr);
		break;
	}
}

/* What an older module does not tell is unknown, which is not always zero. */
static void nothing_known(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->scope.local_pm = AUTONUMA_UNKNOWN;
	answer->scope.forecast_pm = AUTONUMA_UNKNOWN;
	answer->process.local_pm = AUTONUMA_UNKNOWN;
	answer->process.forecast_pm = AUTONUMA_UNKNOWN;
	answer->thread.node = AUTONUMA_NO_NODE;
	answer->thread.preferred = AUTONUMA_NO_NODE;
	answer->thread.best = AUTONUMA_NO_NODE;
	answer->thread.moved_to = AUTONUMA_NO_NODE;
}

int answer_parse(struct answer *answer, struct nlmsghdr *header)
{
	struct nlattr *attr;
	int rest, type;

	nothing_known(answer);
	if (!genlmsg_valid_hdr(header, 0))
		return -EPROTO;
	attr = genlmsg_attrdata(genlmsg_hdr(header), 0);
	rest = genlmsg_attrlen(genlmsg_hdr(header), 0);
	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		type = nla_type(attr);
		if (type == AUTONUMA_A_DECISION) {
			answer->has[type] = true;
			add_decision(answer, attr);
		} else if (type <= AUTONUMA_A_MAX && !answer->has[type]) {
			answer->has[type] = true;
			answer_attr(answer, attr);
		}
	}
	return 0;
}

void answer_free(struct answer *answer)
{
	unsigned int i;

	for (i = 0; i < answer->nr_decisions; i++) {
		free(answer->decisions[i].act);
		free(answer->decisions[i].why);
	}
	free(answer->decisions);
	free(answer->pages.node);
	free(answer->private.node);
	free(answer->shared.node);
	free(answer->why);
	memset(answer, 0, sizeof(*answer));
}
