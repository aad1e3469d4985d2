// SPDX-License-Identifier: GPL-2.0
/*
 * Which processes are balanced, and which of their mappings. Only looks.
 */
#include <linux/cgroup.h>
#include <linux/cpuset.h>
#include <linux/hugetlb_inline.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include "autonuma.h"
#include "choice.h"
#include "scope.h"

/* A policy that leaves the node to NUMA balancing: MPOL_F_NUMA_BALANCING. */
static bool policy_open(const struct mempolicy *pol)
{
	return !pol || ((pol->flags & MPOL_F_MOF) && (pol->flags & MPOL_F_MORON));
}

/*
 * A thread's own memory policy may be freed by the thread itself, so it is
 * read under its alloc_lock. Context: any that may take a spinlock.
 */
static bool task_unbound(struct task_struct *task)
{
	bool unbound;

	if (!READ_ONCE(task->mempolicy))
		return true;
	task_lock(task);
	unbound = policy_open(task->mempolicy);
	task_unlock(task);
	return unbound;
}

/*
 * A thread of the process that still has its mm: the leader may have ended.
 * Context: RCU read side.
 */
struct task_struct *an_scope_thread(struct task_struct *leader)
{
	struct task_struct *t;

	if (leader->flags & PF_KTHREAD)
		return NULL;
	for_each_thread(leader, t)
		if (READ_ONCE(t->mm))
			return t;
	return NULL;
}

/*
 * The cgroup of version 2 that the process is in: a leader that has ended keeps
 * the one in which it did. Context: RCU read side.
 */
struct cgroup *an_scope_cgroup(struct task_struct *leader)
{
	return task_dfl_cgroup(an_scope_thread(leader) ?: leader);
}

/*
 * Of a process; mm_count is held by the result, if any. Context: any but under task_lock or
 * in an interrupt.
 */
struct mm_struct *an_scope_mm(struct task_struct *leader)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	if (leader->flags & PF_KTHREAD)
		return NULL;
	rcu_read_lock();
	for_each_thread(leader, t) {	/* the leader may have ended */
		task_lock(t);
		mm = t->mm;
		if (mm)
			mmgrab(mm);
		task_unlock(t);
		if (mm)
			break;
	}
	rcu_read_unlock();
	return mm;
}

/* Context: RCU read side. */
void an_scope_activity(struct task_struct *leader, struct an_activity *act)
{
	struct task_struct *t;

	memset(act, 0, sizeof(*act));
	/* Of those that have ended: a thread for each request does no less than one for all. */
	act->cpu_ns = READ_ONCE(leader->signal->sum_sched_runtime);
	for_each_thread(leader, t) {
		act->cpu_ns += READ_ONCE(t->se.sum_exec_runtime);
		act->threads++;
		act->unbound += task_unbound(t);
	}
}

static bool one_memory_node(struct task_struct *task)
{
	int nid, nodes = 0;

	for_each_node_state(nid, N_MEMORY)
		nodes += an_scope_node_allowed(task, nid);
	return nodes < 2;
}

/* May @task have memory on @nid, by its cpuset? A torn mask is seen again. */
bool an_scope_node_allowed(struct task_struct *task, int nid)
{
#ifdef CONFIG_CPUSETS
	return node_isset(nid, task->mems_allowed);
#else
	return true;
#endif
}

/**
 * an_scope_wanted - is balancing wanted, by what was chosen
 * @choice: the nearest choice, or NULL
 *
 * Return: AN_R_NONE if it is, else the reason of process_skipped.
 */
enum an_reason an_scope_wanted(const struct an_choice *choice)
{
	if (!choice)
		return READ_ONCE(an_params.scope) == AN_SCOPE_ALL ?
		       AN_R_NONE : AN_R_SKIP_NOT_ASKED;
	return choice->asked.choice == AUTONUMA_CHOICE_ASKED ?
	       AN_R_NONE : AN_R_SKIP_EXCLUDED;
}

/**
 * an_scope_check - could this process be balanced, and if not, why
 * @leader: thread group leader
 * @mm: its memory, which the caller holds
 * @act: what an_scope_activity() found
 *
 * Context: RCU read side.
 * Return: AN_R_NONE if it is, else the reason of process_skipped.
 */
enum an_reason an_scope_check(struct task_struct *leader, struct mm_struct *mm,
			      const struct an_activity *act)
{
	u64 min_ns = (u64)READ_ONCE(an_params.min_process_cpu_ms) * NSEC_PER_MSEC;

	if ((leader->flags & PF_KTHREAD) || !act->threads)
		return AN_R_SKIP_KERNEL;
	if (act->cpu_ns < min_ns)
		return AN_R_SKIP_YOUNG;
	if (get_mm_rss(mm) >> (20 - PAGE_SHIFT) <
	    READ_ONCE(an_params.min_process_mb))
		return AN_R_SKIP_SMALL;
	if (one_memory_node(leader))
		return AN_R_SKIP_ONE_NODE;
	if (!act->unbound)
		return AN_R_SKIP_BOUND;
	return AN_R_NONE;
}

/*
 * The policy that a mapping has of its own, without falling back to a task's:
 * in a kernel thread that would be the scanner's. To be put with mpol_cond_put().
 */
static struct mempolicy *vma_own_policy(struct vm_area_struct *vma,
					unsigned long addr)
{
	pgoff_t ilx;

	if (vma->vm_ops && vma->vm_ops->get_policy)
		return vma->vm_ops->get_policy(vma, addr, &ilx);
	return vma->vm_policy;
}

static bool vma_policy_allows(struct vm_area_struct *vma, unsigned long addr,
			      int nid)
{
	struct mempolicy *pol = vma_own_policy(vma, addr);
	bool ok = policy_open(pol);

	if (ok && pol && nid != NUMA_NO_NODE)
		ok = node_isset(nid, pol->nodes);
	mpol_cond_put(pol);
	return ok;
}

/**
 * an_scope_vma - may pages of this mapping be made to fault
 * @vma: a mapping of a process in scope
 *
 * Context: mmap_lock held for reading.
 * Return: AN_R_NONE if they may, else the reason of vma_skipped.
 */
enum an_reason an_scope_vma(struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma))
		return AN_R_VMA_HUGETLB;
	if (!vma_migratable(vma) || (vma->vm_flags & VM_MIXEDMAP))
		return AN_R_VMA_UNMOVABLE;
	if (!vma_is_accessible(vma))
		return AN_R_VMA_INACCESSIBLE;
	/* Read-only file mappings are mostly shared libraries, in caches. */
	if (vma->vm_file && (vma->vm_flags & (VM_READ | VM_WRITE)) == VM_READ)
		return AN_R_VMA_READ_ONLY_FILE;
	if (!vma_policy_allows(vma, vma->vm_start, NUMA_NO_NODE))
		return AN_R_VMA_POLICY;
	return AN_R_NONE;
}

/* May a page of this mapping move to @nid? Context: as above. */
bool an_scope_vma_node(struct vm_area_struct *vma, unsigned long addr, int nid)
{
	return an_scope_vma(vma) == AN_R_NONE &&
	       vma_policy_allows(vma, addr, nid);
}
