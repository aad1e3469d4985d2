/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_ASK_H
#define _AUTONUMA_ASK_H

#include <linux/err.h>
#include <linux/sched.h>
#include <net/genetlink.h>

struct cgroup;
struct pid;

/*
 * struct an_target - whom a request is about
 *
 * Held from an_target_get() to an_target_put(). Of a process, its group leader
 * is referenced; it may have ended, but not be another one.
 */
struct an_target {
	struct pid *pid;		/* NULL: a cgroup */
	struct task_struct *leader;
	struct cgroup *cgroup;
};

int an_target_get(struct an_target *target, struct sk_buff *skb,
		  const struct genl_info *info);
void an_target_put(struct an_target *target);
int an_target_may_choose(const struct an_target *target);
int an_target_may_read(const struct an_target *target);

int an_answer_get(const struct an_target *target, struct sk_buff *msg);
int an_answer_explain(const struct an_target *target, struct sk_buff *msg);
int an_answer_thread(const struct an_target *target, u32 tid,
		     struct sk_buff *msg);
size_t an_answer_size(void);

int an_ask_init(void);
void an_ask_exit(void);

#endif /* _AUTONUMA_ASK_H */
