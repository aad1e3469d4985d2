/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_BALANCE_H
#define _AUTONUMA_BALANCE_H

#include <linux/sched.h>

struct an_process;

int an_balance_start(void);
void an_balance_stop(void);
void an_balance_forget(struct an_process *p);
bool an_balance_looked_since(unsigned long when);
int an_balance_pull(struct task_struct *p, int src_nid, int dst_nid,
		    bool others);

#endif /* _AUTONUMA_BALANCE_H */
