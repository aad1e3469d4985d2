// SPDX-License-Identifier: GPL-2.0
/*
 * The bypass: takes every planted entry of every process back. Not only of the
 * balanced ones: fork copies planted entries. The same before the start, for
 * what in-tree balancing has planted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mempolicy.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "decision.h"
#include "scope.h"
#include "stats.h"
#include "takeback.h"
#include "trace.h"
#include "walk.h"

/* How long one mmap_lock is waited for, and how often it is looked at. */
#define LOCK_TIMEOUT_MS	10000
#define LOCK_RETRY_MS	1

/* All waiting for locks together: after that each is tried once. */
#define PATIENCE_MS	60000

/* Passes over all processes; each one ends what the last one's forks copied. */
#define MAX_PASSES	20

/* Passes that find nothing, one after the other, until it is believed. */
#define CLEAN_PASSES	2

/* A fork that sleeps between its copying and its end sleeps shorter. */
#define FORK_MS		100

/*
 * struct mm_list - the memory of all processes at one moment
 *
 * Each holds mm_count. Lives on within one pass of an_take_back().
 */
struct mm_list {
	struct mm_struct **mms;
	unsigned int nr, max;
	bool missed;		/* more appeared than there was room for */
};

/* An mm that was given up on, so that it is waited for and named once. */
struct left_mm {
	struct list_head list;
	struct mm_struct *mm;	/* mmgrab()ed */
};

/* The state of one bypass. */
struct bypass {
	struct list_head left;
	unsigned long patience;		/* jiffies to wait for locks yet */
	bool by_scand;			/* which may be told to stop meanwhile */
	bool foreign;			/* not ours, so nobody has to know */
	u64 worked_ns;			/* without waiting */
};

static bool should_stop(const struct bypass *b)
{
	return b->by_scand && kthread_should_stop();
}

static unsigned int count_processes(void)
{
	struct task_struct *own = current->group_leader, *p = own;
	unsigned int nr = 0;

	rcu_read_lock();
	do {
		nr++;
		p = next_task(p);
	} while (p != own);
	rcu_read_unlock();
	return nr;
}

/*
 * In one RCU section, so none is missed because its neighbour in the list
 * ended; starting with the caller, which is in the circular list and stays.
 */
static void list_mms(struct mm_list *l)
{
	struct task_struct *own = current->group_leader, *p = own;
	struct mm_struct *mm;

	l->max = count_processes() * 2;
	l->mms = kvmalloc_array(l->max, sizeof(*l->mms),
				GFP_KERNEL | __GFP_NOFAIL);
	l->nr = 0;
	l->missed = false;
	rcu_read_lock();
	do {
		mm = l->nr < l->max ? an_scope_mm(p) : NULL;
		if (mm)
			l->mms[l->nr++] = mm;
		l->missed |= l->nr == l->max;
		p = next_task(p);
	} while (p != own);
	rcu_read_unlock();
}

/*
 * Waits within the patience that is left. By the clock, as a sleep of 1 ms lasts
 * as long as two ticks.
 */
static bool lock_mm(struct mm_struct *mm, struct bypass *b)
{
	unsigned long start = jiffies, waited = 0, most;
	bool locked;

	most = min(b->patience, msecs_to_jiffies(LOCK_TIMEOUT_MS));
	while (!(locked = mmap_read_trylock(mm)) && waited < most &&
	       an_walk_may(mm) && !should_stop(b)) {
		msleep(LOCK_RETRY_MS);
		waited = jiffies - start;
	}
	b->patience -= min(b->patience, waited);
	return locked;
}

/*
 * The rest of one mapping, one page table; returns where to go on. Mappings
 * that were never planted are passed over: what looks planted there is not.
 */
static unsigned long restore_chunk(struct vm_area_struct *vma,
				   unsigned long addr, unsigned long *taken)
{
	unsigned long start, end;

	if (!vma_is_accessible(vma) || !vma_migratable(vma))
		return vma->vm_end;
	start = an_walk_next(vma, max(addr, vma->vm_start));
	if (start == vma->vm_end)
		return start;
	end = min(ALIGN(start + 1, PMD_SIZE), vma->vm_end);
	*taken += an_walk_take_back(vma, start, end);
	return end;
}

/* Returns whether all of it could be looked at, or it is gone. Context: mm_count held. */
static bool restore_mm(struct mm_struct *mm, struct bypass *b,
		       unsigned long *taken)
{
	struct vm_area_struct *vma;
	unsigned long addr = 0;
	u64 start;

	for (;;) {
		if (should_stop(b) || !lock_mm(mm, b))
			return !an_walk_may(mm);
		start = an_busy_clock();
		vma = an_walk_may(mm) ? find_vma(mm, addr) : NULL;
		if (vma)
			addr = restore_chunk(vma, addr, taken);
		mmap_read_unlock(mm);
		b->worked_ns += an_busy_since(start);
		if (!vma)
			return true;
		cond_resched_tasks_rcu_qs();
	}
}

static bool is_left(const struct bypass *b, const struct mm_struct *mm)
{
	struct left_mm *left;

	list_for_each_entry(left, &b->left, list)
		if (left->mm == mm)
			return true;
	return false;
}

static struct an_decision about_mm(const struct mm_struct *mm,
				   enum an_reason why, unsigned long pages)
{
	struct task_struct *owner;
	struct an_decision d;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	d = an_about(owner ? task_tgid_nr(owner) : 0, why);
	rcu_read_unlock();
	d.pages = pages;
	return d;
}

static void say_taken_back(const struct mm_struct *mm, unsigned long taken)
{
	struct an_decision d = about_mm(mm, AN_R_BYPASS, taken);

	an_count_reason(d.why, 1);
	an_decided(taken_back, &d);
}

static void say_left_planted(struct mm_struct *mm)
{
	struct an_decision d = about_mm(mm, AN_R_BYPASS_LOCK, 0);
	struct task_struct *owner;

	an_count(AN_C_LEFT_PLANTED, 1);
	an_count_reason(d.why, 1);
	an_decided(left_planted, &d);
	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	pr_warn_ratelimited("%s[%d]: mmap_lock not had, its planted entries are left to the fault path\n",
			    owner ? owner->comm : "?", owner ? task_tgid_nr(owner) : -1);
	rcu_read_unlock();
}

static void leave_mm_planted(struct bypass *b, struct mm_struct *mm)
{
	struct left_mm *left = kmalloc(sizeof(*left), GFP_KERNEL);

	if (!b->foreign)
		say_left_planted(mm);
	if (!left) {
		an_count(AN_C_NO_MEMORY, 1);
		return;
	}
	mmgrab(mm);
	left->mm = mm;
	list_add(&left->list, &b->left);
}

/* Returns pages restored. */
static unsigned long take_back_mm(struct bypass *b, struct mm_struct *mm)
{
	unsigned long taken = 0;

	if (is_left(b, mm) || !an_walk_may(mm))
		return 0;
	if (!restore_mm(mm, b, &taken) && !should_stop(b))
		leave_mm_planted(b, mm);
	if (taken)
		say_taken_back(mm, taken);
	return taken;
}

/* One pass over all processes. Returns whether another one is due. */
static bool take_back_pass(struct bypass *b)
{
	unsigned long taken = 0;
	struct mm_list l;
	unsigned int i;

	list_mms(&l);
	for (i = 0; i < l.nr; i++) {
		taken += take_back_mm(b, l.mms[i]);
		mmdrop(l.mms[i]);
	}
	kvfree(l.mms);
	an_count(AN_C_TAKEN_BACK, taken);
	return taken || l.missed;
}

static void forget_left(struct bypass *b)
{
	struct left_mm *left, *next;

	list_for_each_entry_safe(left, next, &b->left, list) {
		mmdrop(left->mm);
		kfree(left);
	}
}

/* One process waits so long at most: knuma_scand has others to see to. */
#define ONE_PATIENCE_MS	200

/**
 * an_take_back_from - restore the planted entries of one process
 * @mm: its memory, which the caller holds
 *
 * Nothing plants there any more. What is not had in time is left to the fault
 * path, and so is what a fork copied. Ends early if knuma_scand is to stop: then
 * an_take_back() comes next.
 *
 * Context: knuma_scand, sleeps for 200 ms at most.
 * Return: the CPU time that it took, ns.
 */
u64 an_take_back_from(struct mm_struct *mm)
{
	struct bypass b = {
		.patience = msecs_to_jiffies(ONE_PATIENCE_MS),
		.by_scand = true,
	};

	INIT_LIST_HEAD(&b.left);
	an_count(AN_C_TAKEN_BACK, take_back_mm(&b, mm));
	forget_left(&b);
	return b.worked_ns;
}

/* When nothing was planted any more: entries planted until then. */
static unsigned long planted_before;

/* Planted on this machine since it was booted, by whomsoever. */
static unsigned long planted_ever(void)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(vm_event_states, cpu).event[NUMA_PTE_UPDATES]);
	return sum;
}

/*
 * A child that fork() is still making has copied entries and is in no list yet.
 * Each pass waits, by the mmap_lock, until the copying has ended; then a fork can
 * be preempted for as long as it likes, but hardly sleeps. So this waits for
 * every task that was preempted in the kernel. In a kernel that preempts by its
 * might_sleep() only, no such task is waited for, and the time has to do.
 */
static void let_forks_end(void)
{
	msleep(FORK_MS);
	synchronize_rcu_tasks();
}

/**
 * an_take_back - restore every planted entry of every process
 *
 * A fork may copy entries beside a pass, so it is repeated until two in a row
 * find none. Nothing plants any more; a fault meanwhile restores its entry.
 *
 * Context: process context, sleeps; waits at most 10 s for the mmap_lock of
 * one process, and one minute for all together; besides as long as a task is
 * preempted in the kernel.
 */
void an_take_back(void)
{
	struct bypass b = { .patience = msecs_to_jiffies(PATIENCE_MS) };
	int pass, clean = 0;

	INIT_LIST_HEAD(&b.left);
	for (pass = 0; pass < MAX_PASSES && clean < CLEAN_PASSES; pass++) {
		if (clean)
			let_forks_end();
		clean = take_back_pass(&b) ? 0 : clean + 1;
	}
	if (clean < CLEAN_PASSES)
		pr_warn("planted entries still turn up after %d passes\n", pass);
	forget_left(&b);
	planted_before = planted_ever();
}

static void forget_preferred(struct task_struct *leader)
{
	struct task_struct *t;

	for_each_thread(leader, t)
		if (READ_ONCE(t->numa_preferred_nid) != NUMA_NO_NODE)
			sched_setnuma(t, NUMA_NO_NODE);
}

static void forget_all_preferred(void)
{
	struct task_struct *own = current->group_leader, *p = own;

	rcu_read_lock();
	do {
		forget_preferred(p);
		p = next_task(p);
	} while (p != own);
	rcu_read_unlock();
}

/**
 * an_take_over - undo what in-tree balancing has done to entries and tasks
 *
 * Or processes that nobody asked for would go on taking hinting faults, and be
 * kept where in-tree balancing wanted them. Costs nothing unless it has planted
 * since the last an_take_back(). A scan that it has told a process to do earlier
 * may come yet: what that plants is left to the fault path.
 *
 * Context: process context, with in-tree balancing off and before anything else
 * plants; sleeps, for locks one second in all at most.
 */
void an_take_over(void)
{
	struct bypass b = {
		.patience = msecs_to_jiffies(ONE_PATIENCE_MS),
		.foreign = true,
	};

	if (planted_ever() == planted_before)
		return;
	INIT_LIST_HEAD(&b.left);
	if (take_back_pass(&b))
		take_back_pass(&b);	/* what was forked meanwhile */
	forget_left(&b);
	forget_all_preferred();
}
