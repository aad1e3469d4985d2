// SPDX-License-Identifier: GPL-2.0
/*
 * The interface: the generic netlink family of uapi/autonuma.h. Requests are
 * handled in their sender, several at a time; there are no dumps, so no
 * reference to the module outlives a request.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include "ask.h"
#include "autonuma.h"
#include "choice.h"
#include "scand.h"
#include "uapi/autonuma.h"

static struct genl_family family;

/* Bounds of the settings, those of the parameters of the same name. */
#define MAX_RATE_MBPS	1048576
#define MAX_BUDGET_PCT	100

/*
 * A struct of a request, which may be older or newer than this module. Return:
 * 0, -EINVAL if it is shorter than its first version, -E2BIG if it says what
 * is not known here.
 */
static int get_struct(const struct nlattr *attr, void *to, int known, int first)
{
	int len = nla_len(attr);

	if (len < first)
		return -EINVAL;
	if (len > known && memchr_inv(nla_data(attr) + known, 0, len - known))
		return -E2BIG;
	memset(to, 0, known);
	memcpy(to, nla_data(attr), min(len, known));
	return 0;
}

static bool in_bounds(const struct autonuma_settings *s)
{
	if (s->flags & ~AUTONUMA_F_ALL)
		return false;
	if (s->choice == AUTONUMA_CHOICE_ASKED)
		return s->migrate_rate_mbps <= MAX_RATE_MBPS &&
		       s->scan_budget_pct <= MAX_BUDGET_PCT;
	return s->choice <= AUTONUMA_CHOICE_EXCLUDED && !s->flags &&
	       !s->migrate_rate_mbps && !s->scan_budget_pct;
}

static int get_settings(struct genl_info *info, struct autonuma_settings *s)
{
	struct nlattr *attr = info->attrs[AUTONUMA_A_SETTINGS];
	int err;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "settings are missing");
		return -EINVAL;
	}
	err = get_struct(attr, s, sizeof(*s), AUTONUMA_SETTINGS_SIZE_VER0);
	if (err)
		return err;
	if (in_bounds(s))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "unknown choice or flag, or a value out of bounds");
	return -EINVAL;
}

/* Sets the bits of one word; false if one is not of a node with memory. */
static bool add_nodes(unsigned long *home, u32 first, u64 word)
{
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(word >> bit & 1))
			continue;
		if (first + bit >= nr_node_ids ||
		    !node_state(first + bit, N_MEMORY))
			return false;
		__set_bit(first + bit, home);
	}
	return true;
}

static int get_home(struct genl_info *info, unsigned long *home,
		    const struct autonuma_settings *s)
{
	struct nlattr *attr = info->attrs[AUTONUMA_A_HOME_NODES];
	int i, words;
	u64 word;

	if (!attr)
		return 0;
	words = nla_len(attr) / sizeof(word);
	if (nla_len(attr) % sizeof(word) || s->choice != AUTONUMA_CHOICE_ASKED)
		goto invalid;
	for (i = 0; i < words; i++) {
		memcpy(&word, nla_data(attr) + i * sizeof(word), sizeof(word));
		if (!add_nodes(home, i * 64, word))
			goto invalid;
	}
	return 0;

invalid:
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "home nodes: not a map of nodes that have memory");
	return -EINVAL;
}

static int set_choice(const struct an_target *target, struct an_choice *c)
{
	int err;

	if (target->pid)
		err = an_choice_set_process(target->pid, c);
	else
		err = an_choice_set_cgroup(target->cgroup, c);
	if (!err)
		an_scand_rouse();
	return err;
}

static int choose(const struct an_target *target,
		  const struct autonuma_settings *s, const unsigned long *home)
{
	struct an_choice *c;
	int err;

	if (s->choice == AUTONUMA_CHOICE_DEFAULT)
		return set_choice(target, NULL);
	c = an_choice_alloc(s, home,
			    target->cgroup ? cgroup_id(target->cgroup) : 0);
	if (!c)
		return -ENOMEM;
	err = set_choice(target, c);
	an_choice_put(c);
	return err;
}

static int set_target(struct genl_info *info, const struct an_target *target)
{
	struct autonuma_settings s;
	unsigned long *home;
	int err;

	err = get_settings(info, &s) ?: an_target_may_choose(target);
	if (err)
		return err;
	home = bitmap_zalloc(nr_node_ids, GFP_KERNEL);
	if (!home)
		return -ENOMEM;
	err = get_home(info, home, &s) ?: choose(target, &s, home);
	bitmap_free(home);
	return err;
}

/* What a request is answered with. */
static int fill(const struct an_target *target, struct genl_info *info,
		struct sk_buff *msg)
{
	struct nlattr *tid = info->attrs[AUTONUMA_A_TID];

	if (info->genlhdr->cmd == AUTONUMA_CMD_GET)
		return an_answer_get(target, msg);
	if (tid)
		return an_answer_thread(target, nla_get_u32(tid), msg);
	return an_answer_explain(target, msg);
}

static int answer(const struct an_target *target, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(an_answer_size(), GFP_KERNEL);
	void *header;
	int err;

	if (!msg)
		return -ENOMEM;
	header = genlmsg_put_reply(msg, info, &family, 0, info->genlhdr->cmd);
	err = header ? fill(target, info, msg) : -EMSGSIZE;
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);
}

static int tell(struct genl_info *info, const struct an_target *target)
{
	return an_target_may_read(target) ?: answer(target, info);
}

static const struct nla_policy set_policy[AUTONUMA_A_HOME_NODES + 1] = {
	[AUTONUMA_A_PIDFD]	= { .type = NLA_U32 },
	[AUTONUMA_A_CGROUP_FD]	= { .type = NLA_U32 },
	[AUTONUMA_A_TID]	= { .type = NLA_REJECT },
	[AUTONUMA_A_SETTINGS]	= { .type = NLA_BINARY },
	[AUTONUMA_A_HOME_NODES]	= { .type = NLA_BINARY },
};

static const struct nla_policy get_policy[AUTONUMA_A_CGROUP_FD + 1] = {
	[AUTONUMA_A_PIDFD]	= { .type = NLA_U32 },
	[AUTONUMA_A_CGROUP_FD]	= { .type = NLA_U32 },
};

static const struct nla_policy explain_policy[AUTONUMA_A_TID + 1] = {
	[AUTONUMA_A_PIDFD]	= { .type = NLA_U32 },
	[AUTONUMA_A_CGROUP_FD]	= { .type = NLA_REJECT },
	[AUTONUMA_A_TID]	= { .type = NLA_U32 },
};

static const struct request {
	const struct nla_policy *policy;
	int max;
	int (*act)(struct genl_info *info, const struct an_target *target);
} requests[] = {
	[AUTONUMA_CMD_SET] = {
		set_policy, ARRAY_SIZE(set_policy) - 1, set_target
	},
	[AUTONUMA_CMD_GET] = {
		get_policy, ARRAY_SIZE(get_policy) - 1, tell
	},
	[AUTONUMA_CMD_EXPLAIN] = {
		explain_policy, ARRAY_SIZE(explain_policy) - 1, tell
	},
};

#define KNOWN_FLAGS	(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)

/* As generic netlink does it if it is given the policy: see ops. */
static int parse(const struct request *r, struct nlattr **attrs,
		 const struct genl_info *info)
{
	if (info->genlhdr->reserved || info->nlhdr->nlmsg_flags & ~KNOWN_FLAGS)
		return -EINVAL;
	return genlmsg_parse(info->nlhdr, &family, attrs, r->max, r->policy,
			     info->extack);
}

static int handle(struct sk_buff *skb, struct genl_info *info)
{
	const struct request *r = &requests[info->genlhdr->cmd];
	struct nlattr *attrs[AUTONUMA_A_HOME_NODES + 1] = {};
	struct an_target target;
	int err;

	if (fatal_signal_pending(current))	/* one message may hold thousands */
		return -EINTR;
	err = parse(r, attrs, info);
	if (err)
		return err;
	info->attrs = attrs;
	err = an_target_get(&target, skb, info);
	if (err)
		return err;
	err = r->act(info, &target);
	an_target_put(&target);
	return err;
}

/*
 * Without policy: whoever asked generic netlink for it, and left the answer
 * unread, would hold the module.
 */
static const struct genl_ops ops[] = {
	{ .cmd = AUTONUMA_CMD_SET, .doit = handle },
	{ .cmd = AUTONUMA_CMD_GET, .doit = handle },
	{ .cmd = AUTONUMA_CMD_EXPLAIN, .doit = handle },
};

static struct genl_family family __ro_after_init = {
	.name = AUTONUMA_GENL_NAME,
	.version = AUTONUMA_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,		/* what they change has locks of its own */
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = __AUTONUMA_CMD_MAX,	/* parse() checks */
};

int __init an_ask_init(void)
{
	return genl_register_family(&family);
}

/* Returns when no request is under way any more. */
void an_ask_exit(void)
{
	genl_unregister_family(&family);
}
