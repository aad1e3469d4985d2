// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 1, knuma_scand: finds the processes to balance, walks their memory at
 * the pace of their own CPU time, counts pages per node and plants hinting
 * faults; and takes the planted entries back when the gears stop.
 *
 * One thread, so its state and the list of processes need no lock. It holds
 * mm_users and mmap_lock for one chunk at a time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/hugetlb_inline.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "scand.h"
#include "scope.h"
#include "stats.h"
#include "walk.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/* How often scand looks at the processes it knows, and for new ones. */
#define TICK_MS			50
#define DISCOVER_TICKS		10

/* One page table: the most that is walked under one hold of mmap_lock. */
#define CHUNK			PMD_SIZE

/*
 * Chunks that share one TLB flush: the interrupt of every CPU of the process
 * is what a pass costs most. 64 MiB take about a millisecond to walk.
 */
#define BATCH_CHUNKS		32

/*
 * A pass that left at least 15/16 of the faults local has little to gain: the
 * next one plants one page in 16, enough to see a change.
 */
#define SETTLED_NUM		15
#define SETTLED_DEN		16
#define SETTLED_ONE_IN		16

/* A pass with fewer faults than this tells nothing about locality. */
#define MIN_PASS_FAULTS		32

/* How long a bypass waits for one mmap_lock, and how often it looks again. */
#define TAKE_BACK_TIMEOUT_MS	10000
#define TAKE_BACK_RETRY_MS	1
#define TAKE_BACK_PASSES	20

static struct task_struct *scand;

/* Only scand: CPU time used and when, to stay within the budget. */
static u64 budget_runtime, budget_clock;

static struct task_struct *process_leader(const struct an_process *p)
{
	return pid_task(p->pid, PIDTYPE_TGID);
}

/* A thread of the process that still has its mm: the leader may have ended. */
static struct task_struct *thread_with_mm(struct task_struct *leader)
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
 * All processes, dropping RCU in between: start with the caller's own group
 * leader, which is in the circular list and stays, and end on meeting it
 * again. A reference keeps @prev; if it has left the list, the walk ends
 * early and the rest is found the next time.
 */
static struct task_struct *next_process(struct task_struct *prev)
{
	struct task_struct *own = current->group_leader, *p = prev;
	struct task_struct *found = NULL;

	rcu_read_lock();
	while (pid_alive(prev) && (p = next_task(p)) != own) {
		if (thread_with_mm(p)) {
			found = get_task_struct(p);
			break;
		}
	}
	rcu_read_unlock();
	if (prev != own)
		put_task_struct(prev);
	return found;
}

/* mm_users is held by the result, if any. */
static struct mm_struct *process_mm(struct task_struct *leader)
{
	struct task_struct *t;
	struct mm_struct *mm = NULL;

	rcu_read_lock();
	t = thread_with_mm(leader);
	if (t)
		mm = get_task_mm(t);
	rcu_read_unlock();
	return mm;
}

/* Take a process under balance, if it is in scope. */
static void consider(struct task_struct *leader)
{
	struct mm_struct *mm = process_mm(leader);
	struct an_activity act;
	enum an_scope why;
	struct pid *pid;
	bool known;

	if (!mm)
		return;
	rcu_read_lock();
	known = an_process_find(mm);
	an_scope_activity(leader, &act);
	why = an_scope_check(leader, mm, &act);
	rcu_read_unlock();
	if (!known && why == AN_SCOPE_IN) {
		pid = get_task_pid(leader, PIDTYPE_TGID);
		an_process_add(mm, pid);
		put_pid(pid);
	}
	if (!known)
		trace_autonuma_scope(task_tgid_nr(leader), why);
	mmput_async(mm);
}

static void discover(void)
{
	struct task_struct *p = current;

	while ((p = next_process(p))) {
		consider(p);
		cond_resched();
	}
}

/* Did a thread that runs now change node since the last look? */
static bool threads_moved(struct an_process *p, struct task_struct *leader)
{
	struct task_struct *t;
	struct an_thread *stat;
	bool moved = false;
	int nid;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		nid = cpu_to_node(task_cpu(t));
		moved |= stat->seen_node != NUMA_NO_NODE && stat->seen_node != nid;
		stat->seen_node = nid;
	}
	return moved;
}

static void sum_faults(struct task_struct *leader, u64 *faults, u64 *local)
{
	struct an_thread *stat;
	struct task_struct *t;

	*faults = 0;
	*local = 0;
	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		*faults += READ_ONCE(stat->faults);
		*local += READ_ONCE(stat->faults_local);
	}
}

/* Scan sooner: what was settled may be so no longer. */
static void rearm(struct an_process *p)
{
	p->period_ms = READ_ONCE(an_params.scan_period_min_ms);
	p->settled = false;
}

/*
 * At the end of a pass: where little is left to gain, look less often and at
 * fewer pages, else at the full pace.
 */
static void pace(struct an_process *p, struct task_struct *leader)
{
	u32 max = READ_ONCE(an_params.scan_period_max_ms);
	u64 faults, local;

	sum_faults(leader, &faults, &local);
	if (faults < p->faults) {	/* threads that ended took theirs along */
		p->faults = 0;
		p->faults_local = 0;
	}
	faults -= p->faults;
	local -= min(local, p->faults_local);
	p->faults += faults;
	p->faults_local += local;
	if (faults < MIN_PASS_FAULTS)
		return;
	p->settled = local * SETTLED_DEN >= faults * SETTLED_NUM;
	if (p->settled)
		p->period_ms = min(p->period_ms * 2, max);
	else
		p->period_ms = max(p->period_ms / 2,
				   READ_ONCE(an_params.scan_period_min_ms));
	trace_autonuma_pass(task_tgid_nr(leader), p->pass, p->resident, faults,
			    local, p->period_ms);
}

static void pass_begin(struct an_process *p, u64 cpu_ns)
{
	memset(p->counting, 0, nr_node_ids * sizeof(*p->counting));
	p->scan_addr = 0;
	p->scanning = true;
	p->cpu_ns = cpu_ns;
	WRITE_ONCE(p->pass, p->pass + 1);
	atomic_set(&p->moved, atomic_read(&p->moved) / 2);
}

static void pass_end(struct an_process *p)
{
	unsigned long resident = 0;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		WRITE_ONCE(p->pages[nid], p->counting[nid]);
		resident += p->counting[nid];
	}
	p->resident = resident;
	p->scanning = false;
	an_count(AN_C_SCAN_PASSES, 1);
}

/* Returns the chunk's end, or 0 where nothing is left behind @addr. */
static unsigned long plant_chunk(struct mm_struct *mm, unsigned long addr,
				 struct an_plant *plant)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	unsigned long start, end;

	if (!vma)
		return 0;
	if (!an_scope_vma(vma))
		return vma->vm_end;
	start = max(addr, vma->vm_start);
	end = min(ALIGN(start + 1, CHUNK), vma->vm_end);
	an_walk_plant(vma, start, end, plant);
	return end;
}

enum an_chunk { CHUNK_DONE, CHUNK_LAST, CHUNK_BUSY, CHUNK_DEAD };

static enum an_chunk scan_chunk(struct an_process *p, struct an_plant *plant)
{
	unsigned long next = p->scan_addr, counted = plant->counted;
	struct mm_struct *mm = p->mm;

	if (!mmget_not_zero(mm))
		return CHUNK_DEAD;
	if (!mmap_read_trylock(mm)) {
		mmput_async(mm);
		an_count(AN_C_SCAN_LOCK_BUSY, 1);
		return CHUNK_BUSY;
	}
	/* Unsuitable mappings cost a look, not a chunk. */
	do {
		next = plant_chunk(mm, next, plant);
	} while (next && plant->counted == counted &&
		 !mmap_lock_is_contended(mm) && !need_resched());
	mmap_read_unlock(mm);
	mmput_async(mm);
	p->scan_addr = next;
	return next ? CHUNK_DONE : CHUNK_LAST;
}

static void book_planted(struct mm_struct *mm, const struct an_plant *plant)
{
	an_count(AN_C_SCAN_COUNTED, plant->counted);
	an_count(AN_C_SCAN_PLANTED, plant->planted);
	count_vm_numa_events(NUMA_PTE_UPDATES, plant->entries);
	count_memcg_events_mm(mm, NUMA_PTE_UPDATES, plant->entries);
}

/* Some chunks, each under its own hold of mmap_lock, and one TLB flush. */
static enum an_chunk scan_batch(struct an_process *p)
{
	struct an_plant plant = {
		.counting = p->counting,
		.one_in = p->settled ? SETTLED_ONE_IN : 1,
		.random = get_random_u32() | 1,
	};
	enum an_chunk result;
	int chunk = 0;

	an_walk_begin(p->mm, &plant);
	do {
		result = scan_chunk(p, &plant);
		cond_resched();
	} while (result == CHUNK_DONE && ++chunk < BATCH_CHUNKS);
	an_walk_end(p->mm, &plant);
	book_planted(p->mm, &plant);
	return result;
}

/* Sleep off what exceeds the budget: so many percent of all CPUs. */
static void keep_budget(void)
{
	u64 pct = READ_ONCE(an_params.scan_budget_pct) * num_online_cpus();
	u64 used, elapsed, due;

	used = READ_ONCE(current->se.sum_exec_runtime) - budget_runtime;
	elapsed = ktime_get_ns() - budget_clock;
	due = div64_u64(used * 100, pct);
	if (due > elapsed + NSEC_PER_MSEC)
		schedule_timeout_interruptible(nsecs_to_jiffies(due - elapsed));
	if (elapsed > NSEC_PER_SEC) {	/* no credit for idle seconds */
		budget_runtime += used;
		budget_clock += elapsed;
	}
}

/* CHUNK_LAST or CHUNK_DEAD end the pass; busy: goes on at the next tick. */
static enum an_chunk scan(struct an_process *p)
{
	enum an_chunk result = CHUNK_DONE;

	while (result == CHUNK_DONE && !kthread_should_stop()) {
		result = scan_batch(p);
		keep_budget();
		cond_resched();
	}
	return result;
}

/* Has the process earned its next pass? CPU time per running thread counts. */
static bool pass_due(struct an_process *p, const struct an_activity *act)
{
	u64 elapsed = jiffies_to_nsecs(jiffies - p->seen_jiffies);
	u64 used = act->cpu_ns - min(act->cpu_ns, p->seen_ns);

	if (elapsed)
		p->threads = clamp_t(u64, div64_u64(used + elapsed / 2, elapsed),
				     1, act->threads);
	p->seen_ns = act->cpu_ns;
	p->seen_jiffies = jiffies;
	if (act->cpu_ns < p->cpu_ns)	/* threads that ended took theirs along */
		p->cpu_ns = act->cpu_ns;
	return act->cpu_ns - p->cpu_ns >=
	       (u64)p->period_ms * NSEC_PER_MSEC * p->threads;
}

/* One process, one tick. Returns false when it is to be forgotten. */
static bool attend(struct an_process *p)
{
	struct task_struct *leader;
	enum an_scope why = AN_SCOPE_KERNEL;
	struct an_activity act;
	bool due = false;

	rcu_read_lock();
	leader = process_leader(p);
	if (leader && atomic_read(&p->mm->mm_users)) {
		an_scope_activity(leader, &act);
		why = an_scope_check(leader, p->mm, &act);
		if (threads_moved(p, leader))
			rearm(p);
		due = pass_due(p, &act);
	}
	rcu_read_unlock();
	if (why != AN_SCOPE_IN && why != AN_SCOPE_SMALL && why != AN_SCOPE_YOUNG)
		return false;
	if (due && !p->scanning) {
		pass_begin(p, act.cpu_ns);
		trace_autonuma_scan(pid_nr(p->pid), p->pass, p->settled);
	}
	if (!p->scanning)
		return true;
	switch (scan(p)) {
	case CHUNK_DEAD:
		return false;
	case CHUNK_LAST:
		pass_end(p);
		rcu_read_lock();
		leader = process_leader(p);
		if (leader)
			pace(p, leader);
		rcu_read_unlock();
		break;
	default:
		break;
	}
	return true;
}

static void attend_all(void)
{
	struct an_process *p, *next;
	LIST_HEAD(dead);

	list_for_each_entry_safe(p, next, &an_processes, list) {
		if (kthread_should_stop())
			break;
		if (!attend(p))
			an_process_unlink(p, &dead);
	}
	an_process_reap(&dead);
}

static int scand_main(void *unused)
{
	unsigned int tick = 0;

	budget_runtime = current->se.sum_exec_runtime;
	budget_clock = ktime_get_ns();
	while (!kthread_should_stop()) {
		if (tick++ % DISCOVER_TICKS == 0)
			discover();
		attend_all();
		schedule_timeout_interruptible(msecs_to_jiffies(TICK_MS));
	}
	return 0;
}

int an_scand_start(void)
{
	scand = kthread_run(scand_main, NULL, "knuma_scand");
	if (IS_ERR(scand))
		return PTR_ERR(scand);
	return 0;
}

void an_scand_stop(void)
{
	kthread_stop(scand);
	scand = NULL;
}

/* Restores one mm chunk by chunk. Returns pages restored, -EBUSY on no lock. */
static long take_back_mm(struct mm_struct *mm)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(TAKE_BACK_TIMEOUT_MS);
	unsigned long addr = 0, start, end;
	struct vm_area_struct *vma;
	long taken = 0;

	for (;;) {
		while (!mmap_read_trylock(mm)) {
			if (time_after(jiffies, deadline))
				return -EBUSY;
			msleep(TAKE_BACK_RETRY_MS);
		}
		vma = find_vma(mm, addr);
		if (!vma) {
			mmap_read_unlock(mm);
			return taken;
		}
		start = max(addr, vma->vm_start);
		end = min(ALIGN(start + 1, CHUNK), vma->vm_end);
		if (!vma_is_accessible(vma) || is_vm_hugetlb_page(vma))
			end = vma->vm_end;
		else
			taken += an_walk_take_back(vma, start, end);
		mmap_read_unlock(mm);
		addr = end;
		cond_resched();
	}
}

/* One process in one pass of the bypass. Returns whether it had entries. */
static bool take_back_process(struct task_struct *leader, bool warn)
{
	struct mm_struct *mm = process_mm(leader);
	long taken;

	if (!mm)
		return false;
	taken = take_back_mm(mm);
	mmput_async(mm);
	if (taken < 0 && warn) {
		pr_warn("%s[%d]: mmap_lock not had in %d s, its planted entries are left to the fault path\n",
			leader->comm, task_tgid_nr(leader),
			TAKE_BACK_TIMEOUT_MS / 1000);
		an_count(AN_C_LEFT_PLANTED, 1);
	}
	if (taken > 0)
		an_count(AN_C_TAKEN_BACK, taken);
	return taken > 0;
}

/**
 * an_scand_take_back - restore every planted entry of every process
 *
 * fork() copies planted entries, so children that were never in scope may have
 * some too, and a fork may run beside a pass: repeated until a pass finds none.
 * Nothing plants any more; a fault meanwhile restores its entry itself.
 *
 * Context: process context, may sleep, at most 10 s for each mm whose lock is
 * held by somebody else.
 */
void an_scand_take_back(void)
{
	struct task_struct *p;
	bool found = true;
	int pass;

	for (pass = 0; found && pass < TAKE_BACK_PASSES; pass++) {
		p = current->group_leader;
		found = take_back_process(p, pass == 0);
		while ((p = next_process(p)))
			found |= take_back_process(p, pass == 0);
	}
	if (found)
		pr_warn("planted entries still turn up after %d passes\n", pass);
}
