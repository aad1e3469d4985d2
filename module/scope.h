/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_SCOPE_H
#define _AUTONUMA_SCOPE_H

#include <linux/mm_types.h>
#include <linux/sched.h>
#include "reason.h"

/* What one look at the threads of a process tells. */
struct an_activity {
	u64 cpu_ns;		/* CPU time of its live threads */
	u32 threads;		/* live threads */
	u32 unbound;		/* of them, without a memory policy */
};

struct an_choice;
struct cgroup;

struct task_struct *an_scope_thread(struct task_struct *leader);
struct cgroup *an_scope_cgroup(struct task_struct *leader);
struct mm_struct *an_scope_mm(struct task_struct *leader);
void an_scope_activity(struct task_struct *leader, struct an_activity *act);
enum an_reason an_scope_check(struct task_struct *leader, struct mm_struct *mm,
			      const struct an_activity *act);
enum an_reason an_scope_wanted(const struct an_choice *choice);
bool an_scope_node_allowed(struct task_struct *task, int nid);
enum an_reason an_scope_vma(struct vm_area_struct *vma);
bool an_scope_vma_node(struct vm_area_struct *vma, unsigned long addr, int nid);

#endif /* _AUTONUMA_SCOPE_H */
