/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was asked for, for whom: choices of processes, which their children
 * inherit, and of cgroups, which cover all below them.
 */
#ifndef _AUTONUMA_CHOICE_H
#define _AUTONUMA_CHOICE_H

#include <linux/atomic.h>
#include <linux/cgroup.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include "uapi/autonuma.h"
#include "watch.h"

/*
 * struct an_account - what was done for a process, or for all of a choice
 *
 * Each field has one writer; readers take what they find.
 */
struct an_account {
	u64 planted;			/* pages; knuma_scand */
	u64 faults;			/* in pages; knuma_scand */
	u64 moved;			/* pages */
	u64 scand_ns, migrated_ns, balanced_ns;
};

/* The watchdog's, of a process or of all of a choice. knuma_scand's own. */
struct an_rest {
	struct an_watch watch;
	enum an_reason why;		/* of the last rest */
};

/*
 * struct an_choice - one answer to "shall this be balanced, and how"
 *
 * What was asked for never changes: asking again makes a new one. Lifetime:
 * counted; held by the table entries that name it (a process's children share
 * their parent's) and by the processes that are balanced under it. Found in
 * the tables under RCU, until a grace period after its last entry went.
 */
struct an_choice {
	refcount_t refs;
	struct autonuma_settings asked;
	u64 cgroup;			/* id, 0: of processes */
	bool privileged;		/* chosen with CAP_SYS_NICE */

	/* Of any worker and fault: time up to which the rate is spent, ns */
	atomic64_t rate_ns;

	/* knuma_scand's own; others read */
	u64 scan_ns;			/* time up to which the budget is spent */
	struct an_rest rest;
	struct an_account ended;	/* of processes that are gone */
	u32 processes;			/* balanced under it now */

	unsigned long home[];		/* suggested nodes; none: no suggestion */
};

void an_choice_exit(void);

struct an_choice *an_choice_alloc(const struct autonuma_settings *asked,
				  const unsigned long *home, u64 cgroup);
void an_choice_put(struct an_choice *c);
int an_choice_set_process(struct pid *tgid, struct an_choice *c);
int an_choice_set_cgroup(struct cgroup *cgrp, struct an_choice *c);
struct an_choice *an_choice_of(struct task_struct *leader);
struct an_choice *an_choice_of_cgroup(struct cgroup *cgrp);
struct an_choice *an_choice_get(struct an_choice *c);

bool an_choice_rate_spent(struct an_choice *c);
void an_choice_rate_spend(struct an_choice *c, unsigned long pages);

#endif /* _AUTONUMA_CHOICE_H */
