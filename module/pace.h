/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_PACE_H
#define _AUTONUMA_PACE_H

#include <linux/sched.h>
#include <linux/types.h>

struct an_process;

bool an_pace_collect(struct an_process *p, struct task_struct *leader);
void an_pace_pass_begins(struct an_process *p, struct task_struct *leader);
bool an_pace_tasks_first(const struct an_process *p);
void an_pace_look(struct an_process *p);
void an_pace_rearm(struct an_process *p);
void an_pace_pass_ended(struct an_process *p, struct task_struct *leader);

#endif /* _AUTONUMA_PACE_H */
