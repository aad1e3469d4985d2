// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of autonumactl's parts: what comes from a module that is older, newer
 * or broken, lists of nodes, and words for every reason. parts NAME runs one
 * test, parts --list lists them.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "attributes.h"
#include "message.h"
#include "nodes.h"
#include "reason.h"
#include "sentence.h"
#include "target.h"

#define FAMILY	64

static int failed;

#define expect(condition) expected(condition, #condition, __LINE__)

static void expected(bool condition, const char *what, int line)
{
	if (condition)
		return;
	printf("line %d: not so: %s\n", line, what);
	failed = 1;
}

static struct nl_msg *new_answer(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, AUTONUMA_CMD_GET, 1);
	return msg;
}

/*
 * Parses a copy that ends where the message ends, so that the sanitizer sees
 * who reads beyond it.
 */
static int parse(struct nl_msg *msg, struct answer *answer)
{
	struct nlmsghdr *header = nlmsg_hdr(msg), *copy = malloc(header->nlmsg_len);
	int err;

	memcpy(copy, header, header->nlmsg_len);
	err = answer_parse(answer, copy);
	free(copy);
	nlmsg_free(msg);
	return err;
}

static void test_empty_answer(void)
{
	struct answer a;

	expect(parse(new_answer(), &a) == 0);
	expect(!a.has[AUTONUMA_A_SCOPE] && !a.why && !a.nr_decisions);
	expect(a.scope.local_pm == AUTONUMA_UNKNOWN);
	answer_free(&a);
}

static void test_whole_structs(void)
{
	struct autonuma_scope scope = { .cgroup = 7, .state = AUTONUMA_STATE_RESTING,
					.local_pm = 931, .balanced_ns = 1ULL << 40 };
	struct nl_msg *msg = new_answer();
	struct answer a;

	nla_put(msg, AUTONUMA_A_SCOPE, sizeof(scope), &scope);
	nla_put_string(msg, AUTONUMA_A_WHY, "young");
	expect(parse(msg, &a) == 0);
	expect(a.has[AUTONUMA_A_SCOPE]);
	expect(!memcmp(&a.scope, &scope, sizeof(scope)));
	expect(!strcmp(a.why, "young"));
	answer_free(&a);
}

static void test_older_module(void)
{
	struct autonuma_scope scope = { .cgroup = 7, .state = AUTONUMA_STATE_ACTIVE };
	struct autonuma_thread thread = { .node = 3 };
	struct nl_msg *msg = new_answer();
	struct answer a;

	nla_put(msg, AUTONUMA_A_SCOPE, offsetof(struct autonuma_scope, processes), &scope);
	nla_put(msg, AUTONUMA_A_THREAD, sizeof(thread.node), &thread);
	nla_put(msg, AUTONUMA_A_PROCESS, 0, NULL);
	expect(parse(msg, &a) == 0);
	expect(a.scope.cgroup == 7 && a.scope.state == AUTONUMA_STATE_ACTIVE);
	expect(a.scope.local_pm == AUTONUMA_UNKNOWN && a.scope.moved == 0);
	expect(a.thread.node == 3 && a.thread.best == AUTONUMA_NO_NODE);
	expect(a.process.local_pm == AUTONUMA_UNKNOWN);
	answer_free(&a);
}

static void test_newer_module(void)
{
	struct { struct autonuma_scope scope; __u64 more[8]; } scope = {
		.scope = { .moved = 5, .balanced_ns = 6 }, .more = { -1, -1, -1, -1 },
	};
	struct nl_msg *msg = new_answer();
	struct answer a;

	nla_put_string(msg, AUTONUMA_A_MAX + 1, "unknown");
	nla_put(msg, AUTONUMA_A_SCOPE, sizeof(scope), &scope);
	nla_put_u64(msg, AUTONUMA_A_MAX + 100, 1);
	nla_put_string(msg, AUTONUMA_A_WHY, "a_reason_of_tomorrow");
	expect(parse(msg, &a) == 0);
	expect(a.scope.moved == 5 && a.scope.balanced_ns == 6);
	expect(!strcmp(likely_words("stay", a.why), "a_reason_of_tomorrow"));
	expect(!strcmp(in_words("dream", "lock"), "lock"));
	answer_free(&a);
}

static void put_decision(struct nl_msg *msg, const char *why, __u64 time)
{
	struct nlattr *nest = nla_nest_start(msg, AUTONUMA_A_DECISION);

	nla_put_u64(msg, AUTONUMA_D_TIME, time);
	nla_put_string(msg, AUTONUMA_D_ACT, "move");
	nla_put_string(msg, AUTONUMA_D_WHY, why);
	nla_put_u32(msg, AUTONUMA_D_GAIN, 345);
	nla_put_u32(msg, AUTONUMA_D_MAX + 1, 1);
	nla_nest_end(msg, nest);
}

static void test_decisions(void)
{
	struct nl_msg *msg = new_answer();
	struct answer a;

	put_decision(msg, "idle", 1);
	put_decision(msg, "even", 2);
	nla_put(msg, AUTONUMA_A_DECISION, 0, NULL);
	expect(parse(msg, &a) == 0);
	expect(a.nr_decisions == 3);
	expect(!strcmp(a.decisions[0].why, "idle") && a.decisions[0].time == 1);
	expect(!strcmp(a.decisions[1].why, "even") && a.decisions[1].gain == 345);
	expect(!a.decisions[1].has[AUTONUMA_D_FROM]);
	expect(!a.decisions[2].act && !a.decisions[2].has[AUTONUMA_D_TIME]);
	answer_free(&a);
}

static void test_weights(void)
{
	__u64 pages[3] = { 1, 2, 1ULL << 40 }, many[MAX_NODES + 1] = { 9 };
	struct nl_msg *msg = new_answer();
	struct answer a;

	nla_put(msg, AUTONUMA_A_PAGES, sizeof(pages), pages);
	nla_put(msg, AUTONUMA_A_PRIVATE, sizeof(pages) - 1, pages);
	nla_put(msg, AUTONUMA_A_SHARED, 0, NULL);
	expect(parse(msg, &a) == 0);
	expect(a.pages.nr == 3 && a.pages.node[2] == 1ULL << 40);
	expect(a.private.nr == 2 && a.private.node[1] == 2);
	expect(a.shared.nr == 0);
	answer_free(&a);

	msg = nlmsg_alloc_size(3 * sizeof(many));
	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, AUTONUMA_CMD_GET, 1);
	nla_put(msg, AUTONUMA_A_PAGES, sizeof(many), many);
	nla_put(msg, AUTONUMA_A_HOME, sizeof(many), many);
	expect(parse(msg, &a) == 0);
	expect(a.pages.nr == MAX_NODES && a.pages.node[0] == 9);
	expect(nodes_have(&a.home, 0) && nodes_have(&a.home, 3) && nodes_count(&a.home) == 2);
	answer_free(&a);
}

static void test_broken_answers(void)
{
	struct nl_msg *msg = new_answer();
	struct nlattr *attr;
	struct answer a;

	nla_put(msg, AUTONUMA_A_WHY, 3, "old");		/* ends without a zero byte */
	nla_put_string(msg, AUTONUMA_A_WHY, "twice");
	attr = nla_reserve(msg, AUTONUMA_A_PAGES, 8);
	attr->nla_len = 4000;				/* beyond the message */
	expect(parse(msg, &a) == 0);
	expect(!strcmp(a.why, "old"));
	expect(!a.has[AUTONUMA_A_PAGES]);
	answer_free(&a);

	msg = new_answer();
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN + 1;	/* no room for its own header */
	expect(parse(msg, &a) == -EPROTO);
	answer_free(&a);
}

/* Whatever comes, nothing beyond it is read. */
static void test_random_answers(void)
{
	struct nl_msg *msg;
	struct answer a;
	unsigned int i, round;
	unsigned char *at;

	srandom(1);
	for (round = 0; round < 20000; round++) {
		msg = new_answer();
		at = nlmsg_data(nlmsg_hdr(msg));
		nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + random() % 400;
		for (i = GENL_HDRLEN; i < 400; i++)
			at[i] = random() % (round % 2 ? 256 : 20);
		parse(msg, &a);
		answer_free(&a);
	}
}

static void test_request(void)
{
	struct request r = {
		.cmd = AUTONUMA_CMD_SET, .target = AUTONUMA_A_CGROUP_FD, .fd = 5,
		.settings = { .choice = AUTONUMA_CHOICE_ASKED, .scan_budget_pct = 2 },
	};
	struct nl_msg *msg;
	struct nlattr *home;

	nodes_add(&r.home, 70);
	msg = request_message(&r, FAMILY);
	expect(nlmsg_hdr(msg)->nlmsg_type == FAMILY);
	expect(genlmsg_hdr(nlmsg_hdr(msg))->cmd == AUTONUMA_CMD_SET);
	expect(nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, AUTONUMA_A_CGROUP_FD));
	expect(!nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, AUTONUMA_A_PIDFD));
	expect(!nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, AUTONUMA_A_TID));
	home = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, AUTONUMA_A_HOME_NODES);
	expect(home && nla_len(home) == 2 * sizeof(__u64));
	nlmsg_free(msg);
}

static void is_list(const char *list, const char *same)
{
	struct nodes nodes;
	char *again;

	expect(nodes_parse(&nodes, list));
	again = nodes_text(&nodes);
	expect(!strcmp(again, same));
	free(again);
}

static void test_node_lists(void)
{
	static const char * const wrong[] = {
		"", ",", "0,", ",0", "-1", "1-", "2-1", "0--1", "0-1-2", "x", "0 1", " 0", "0x1",
		"1024", "0-1024", "99999999999999999999", "+1",
	};
	struct nodes nodes;
	unsigned int i;

	is_list("0", "0");
	is_list("0,2-3", "0,2-3");
	is_list("3,2,1", "1-3");
	is_list("0-1023", "0-1023");
	is_list("63,64", "63-64");
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		expect(!nodes_parse(&nodes, wrong[i]));
}

static void test_process_numbers(void)
{
	static const char * const wrong[] = {
		"", "0", "-1", "+1", " 1", "1 ", "x", "1x", "2147483648", "99999999999999999999",
	};
	unsigned int i;

	expect(parse_pid("1") == 1);
	expect(parse_pid("2147483647") == 2147483647);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		expect(!parse_pid(wrong[i]));
}

static void test_every_reason(void)
{
	enum an_reason why;

	for (why = AN_R_NONE; why < AN_R_NR; why++) {
		if (sentence(an_act_name(an_reason_act(why)), an_reason_name(why)))
			continue;
		printf("no sentence for %s of %s\n", an_reason_name(why),
		       an_act_name(an_reason_act(why)));
		failed = 1;
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "empty answer", test_empty_answer },
	{ "whole structs", test_whole_structs },
	{ "older module", test_older_module },
	{ "newer module", test_newer_module },
	{ "decisions", test_decisions },
	{ "weights", test_weights },
	{ "broken answers", test_broken_answers },
	{ "random answers", test_random_answers },
	{ "request", test_request },
	{ "node lists", test_node_lists },
	{ "process numbers", test_process_numbers },
	{ "a sentence for every reason", test_every_reason },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (argc != 2 || !strcmp(argv[1], "--list"))
			puts(tests[i].name);
		else if (!strcmp(argv[1], tests[i].name))
			tests[i].run();
	}
	return failed;
}
