// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 1, knuma_scand: finds the processes to balance, walks their memory at
 * the pace of their own CPU time, counts pages per node and plants hinting
 * faults.
 *
 * One thread, so its state and the list of processes need no lock. It holds
 * mm_users and mmap_lock for one chunk at a time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "balance.h"
#include "decision.h"
#include "migrated.h"
#include "queue.h"
#include "scand.h"
#include "scope.h"
#include "shared.h"
#include "stats.h"
#include "walk.h"
#include "trace.h"

/* How often scand looks at the processes it knows, and for new ones. */
#define TICK_MS			50
#define DISCOVER_MS		500

/* One page table: the most that is walked under one hold of mmap_lock. */
#define CHUNK			PMD_SIZE

/*
 * Chunks that share one TLB flush: the interrupt of every CPU of the process
 * is what a pass costs most. 64 MiB take about a millisecond to walk.
 */
#define BATCH_CHUNKS		32

/*
 * Of pages that are expected to stay as they are, one in 16 is looked at; of a
 * large process fewer, 4096 in all.
 */
#define SAMPLE_ONE_IN		16
#define SAMPLE_PAGES		4096

/*
 * A quiet process is walked every 2 s of CPU time at least, or so much later as
 * it is larger: 2 s for each GiB, for a walk of some 3 ms.
 */
#define QUIET_MS		2000
#define QUIET_PAGES_PER_MS	((1UL << (30 - PAGE_SHIFT)) / QUIET_MS)

/* Up to 1/16 of the pages not at rest are little to gain. */
#define QUIET_ONE_IN		16

/*
 * More than 1/10 of the faults on pages at rest came from elsewhere: the use of
 * memory has changed, so all pages are looked at again.
 */
#define STIRRED_ONE_IN		10

/* Queues that hold more than 1/16 of a process's pages are to drain first. */
#define BACKLOG_PART		16

/*
 * A thread that leaves a node after so long makes the scanner look sooner; one
 * that is carried about by wake-ups all the time must not.
 */
#define STEADY_MS		2000

/* Fewer faults on pages at rest than this, in pages, tell nothing. */
#define MIN_REST_FAULTS		32

/*
 * So many passes that moved less than 1/16 of the pages not at rest: what is
 * remote stays so, be it shared, its target full or its threads away from home.
 */
#define VAIN_PASSES		4
#define VAIN_PART		16L

static struct task_struct *scand;

/* Only scand: CPU time used and when, to stay within the budget. */
static u64 budget_runtime, budget_clock;

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

static void say_skipped(pid_t tgid, enum an_reason why)
{
	struct an_decision d = an_about(tgid, why);

	an_decided(process_skipped, &d);
}

/* Returns AN_R_IN_SCOPE, or why not. */
static enum an_reason take(struct task_struct *leader, struct mm_struct *mm)
{
	struct pid *pid = get_task_pid(leader, PIDTYPE_TGID);
	struct an_process *p = an_process_add(mm, pid);
	struct an_decision d = an_about(pid_nr(pid), AN_R_IN_SCOPE);

	put_pid(pid);
	if (!p)
		return AN_R_SKIP_NO_MEMORY;
	an_decided(process_taken, &d);
	return AN_R_IN_SCOPE;
}

/* Take a process under balance, if it is in scope. */
static void consider(struct task_struct *leader)
{
	struct mm_struct *mm = process_mm(leader);
	struct an_activity act;
	enum an_reason why;
	bool known;

	if (!mm)
		return;
	rcu_read_lock();
	known = an_process_find(mm);
	an_scope_activity(leader, &act);
	why = an_scope_check(leader, mm, &act);
	rcu_read_unlock();
	if (!known && why == AN_R_NONE)
		why = take(leader, mm);
	if (!known)
		an_count_reason(why, 1);
	if (!known && why != AN_R_IN_SCOPE && an_watched(process_skipped))
		say_skipped(task_tgid_nr(leader), why);
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

/* Did this thread, which runs, leave a node on which it had been for long? */
static bool thread_moved(struct an_thread *stat, int nid)
{
	bool moved = stat->seen_node != NUMA_NO_NODE &&
		     time_after(jiffies, stat->seen_since +
				msecs_to_jiffies(STEADY_MS));

	if (stat->seen_node == nid)
		return false;
	stat->seen_node = nid;
	stat->seen_since = jiffies;
	return moved;
}

/* Pages that a thread moved by its own faults are its process's, too. */
static void collect_moved(struct an_process *p, struct an_thread *stat)
{
	u32 moved = READ_ONCE(stat->moved);

	if (moved == stat->moved_seen)
		return;
	an_queue_add_moved(p, moved - stat->moved_seen);
	stat->moved_seen = moved;
}

/* Returns whether a thread left a steady place. */
static bool look_at_threads(struct an_process *p, struct task_struct *leader)
{
	struct an_thread *stat;
	struct task_struct *t;
	bool moved = false;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		collect_moved(p, stat);
		if (task_is_running(t))
			moved |= thread_moved(stat, cpu_to_node(task_cpu(t)));
	}
	return moved;
}

/* Scan sooner: what was quiet may be so no longer. */
static void rearm(struct an_process *p)
{
	p->vain_passes = 0;
	p->roused_now = true;
	p->period_ms = READ_ONCE(an_params.scan_period_min_ms);
}

static void sum_faults(struct task_struct *leader, u64 *rested, u64 *roused)
{
	struct an_thread *stat;
	struct task_struct *t;

	*rested = 0;
	*roused = 0;
	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		*rested += READ_ONCE(stat->rested);
		*roused += READ_ONCE(stat->roused);
	}
}

/* Since the last pass: faults on pages at rest, and how many were remote. */
static void pass_faults(struct an_process *p, struct task_struct *leader,
			u64 *rested, u64 *roused)
{
	sum_faults(leader, rested, roused);
	if (*rested < p->rested) {	/* threads that ended took theirs along */
		p->rested = 0;
		p->roused = 0;
	}
	*rested -= p->rested;
	*roused -= min(*roused, p->roused);
	p->rested += *rested;
	p->roused += *roused;
}

/* Are pages at rest at rest no longer? Too few faults leave it as it was. */
static bool stirred(const struct an_process *p, u64 rested, u64 roused)
{
	if (rested < MIN_REST_FAULTS)
		return p->stirred;
	return roused * STIRRED_ONE_IN > rested;
}

/*
 * A pass moves pages at the second fault: some in a row that moved hardly any
 * of the pages not at rest are in vain.
 */
static bool in_vain(struct an_process *p)
{
	long moved = atomic_long_read(&p->moved_ever);

	if ((moved - p->moved_seen) * VAIN_PART > p->restless)
		p->vain_passes = 0;
	else if (p->vain_passes < VAIN_PASSES)
		p->vain_passes++;
	p->moved_seen = moved;
	return p->vain_passes == VAIN_PASSES;
}

static u32 quiet_period_max(const struct an_process *p)
{
	unsigned long ms = max_t(unsigned long, QUIET_MS,
				 p->resident / QUIET_PAGES_PER_MS);

	return min_t(unsigned long, ms, READ_ONCE(an_params.scan_period_max_ms));
}

static u32 sample_one_in(const struct an_process *p)
{
	return max_t(unsigned long, SAMPLE_ONE_IN, p->resident / SAMPLE_PAGES);
}

static void say_pass_ended(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	d.pages = p->restless;
	an_count_reason(why, 1);
	an_decided(scan_end, &d);
}

/*
 * At the end of a pass: how soon the next one comes, and of which pages it
 * plants all. Where little is left to gain, or nothing comes of it, seldom.
 */
static void pace(struct an_process *p, struct task_struct *leader)
{
	bool was_stirred = p->stirred, vain, quiet;
	enum an_reason why;
	u64 rested, roused;

	pass_faults(p, leader, &rested, &roused);
	p->stirred = stirred(p, rested, roused);
	if (p->stirred && !was_stirred)
		p->vain_passes = 0;
	vain = in_vain(p);
	quiet = vain || (!p->stirred &&
			 p->restless * QUIET_ONE_IN <= p->resident);
	if (quiet)
		p->period_ms = min(p->period_ms * 2, quiet_period_max(p));
	else
		p->period_ms = max(p->period_ms / 2,
				   READ_ONCE(an_params.scan_period_min_ms));
	WRITE_ONCE(p->one_in, vain ? sample_one_in(p) : 1);
	WRITE_ONCE(p->rest_one_in, p->stirred && !vain ? 1 : sample_one_in(p));
	why = vain ? AN_R_PASS_VAIN : p->stirred ? AN_R_PASS_STIRRED :
	      quiet ? AN_R_PASS_QUIET : AN_R_PASS_BUSY;
	say_pass_ended(p, why);
	trace_autonuma_pass(task_tgid_nr(leader), p->pass, p->resident,
			    p->restless, rested, roused, p->period_ms);
}

static void pass_begin(struct an_process *p, u64 cpu_ns)
{
	memset(p->counting, 0, nr_node_ids * sizeof(*p->counting));
	p->restless = 0;
	p->scan_addr = 0;
	p->scanning = true;
	p->cpu_ns = cpu_ns;
	WRITE_ONCE(p->pass, p->pass + 1);
	atomic_long_set(&p->moved, atomic_long_read(&p->moved) / 2);
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

/* Shall this pass make pages of this mapping fault? */
static enum an_reason vma_wanted(struct an_process *p,
				 struct vm_area_struct *vma)
{
	enum an_reason why = an_scope_vma(vma);

	if (why == AN_R_NONE && !an_shared_turn(vma, p))
		why = AN_R_VMA_NOT_ITS_TURN;
	return why;
}

static void skip_vma(const struct an_process *p,
		     struct vm_area_struct *vma, enum an_reason why)
{
	struct an_decision d;

	an_count_reason(why, 1);
	if (!an_watched(vma_skipped))
		return;
	d = an_about(pid_nr(p->pid), why);
	d.addr = vma->vm_start;
	d.pages = vma_pages(vma);
	an_decided(vma_skipped, &d);
}

/* Where the pass goes on behind this chunk, or 0 where nothing is left. */
static unsigned long plant_chunk(struct an_process *p, unsigned long addr,
				 struct an_plant *plant)
{
	struct vm_area_struct *vma = find_vma(p->mm, addr);
	unsigned long start, end;
	enum an_reason why;

	if (!vma)
		return 0;
	why = vma_wanted(p, vma);
	if (why != AN_R_NONE) {
		skip_vma(p, vma, why);
		return vma->vm_end;
	}
	start = an_walk_next(vma, max(addr, vma->vm_start));
	if (start == vma->vm_end)
		return start;
	end = min(ALIGN(start + 1, CHUNK), vma->vm_end);
	an_walk_plant(vma, start, end, plant);
	return end;
}

static void hold(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(p ? pid_nr(p->pid) : 0, why);

	an_count_reason(why, 1);
	if (an_watched(scan_held))
		an_decided(scan_held, &d);
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
		hold(p, AN_R_HELD_LOCK);
		return CHUNK_BUSY;
	}
	/* Unsuitable mappings cost a look, not a chunk. */
	do {
		next = plant_chunk(p, next, plant);
	} while (next && plant->counted == counted &&
		 !mmap_lock_is_contended(mm) && !need_resched() &&
		 !kthread_should_stop());
	mmap_read_unlock(mm);
	mmput_async(mm);
	p->scan_addr = next;
	return next ? CHUNK_DONE : CHUNK_LAST;
}

static void say_planted(const struct an_process *p, enum an_reason why,
			unsigned long pages, const struct an_plant *plant)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	if (!pages)
		return;
	an_count_reason(why, 1);
	d.addr = plant->first;
	d.pages = pages;
	if (an_watched(planted))
		an_decided(planted, &d);
}

static void book_planted(struct an_process *p, const struct an_plant *plant)
{
	say_planted(p, AN_R_PLANT_RESTLESS, plant->planted - plant->samples,
		    plant);
	say_planted(p, AN_R_PLANT_SAMPLE, plant->samples, plant);
	p->restless += plant->restless;
	an_count(AN_C_SCAN_COUNTED, plant->counted);
	an_count(AN_C_SCAN_PLANTED, plant->planted);
	count_vm_numa_events(NUMA_PTE_UPDATES, plant->planted);
	count_vm_numa_events(NUMA_HUGE_PTE_UPDATES, plant->huge);
	count_memcg_events_mm(p->mm, NUMA_PTE_UPDATES, plant->planted);
}

/* Some chunks, each under its own hold of mmap_lock, and one TLB flush. */
static enum an_chunk scan_batch(struct an_process *p)
{
	struct an_plant plant = {
		.counting = p->counting,
		.one_in = p->one_in,
		.rest_one_in = p->rest_one_in,
		.random = get_random_u32() | 1,
	};
	enum an_chunk result;
	int chunk = 0;

	an_walk_begin(p->mm, &plant);
	do {
		result = scan_chunk(p, &plant);
	} while (result == CHUNK_DONE && ++chunk < BATCH_CHUNKS &&
		 !need_resched());
	an_walk_end(p->mm, &plant);
	book_planted(p, &plant);
	return result;
}

static void budget_start(void)
{
	budget_runtime = READ_ONCE(current->se.sum_exec_runtime);
	budget_clock = ktime_get_ns();
}

/* Sleep off what exceeds the budget: so many percent of all CPUs. */
static void keep_budget(void)
{
	u64 pct = READ_ONCE(an_params.scan_budget_pct) * num_online_cpus();
	u64 used, elapsed, due;

	used = READ_ONCE(current->se.sum_exec_runtime) - budget_runtime;
	elapsed = ktime_get_ns() - budget_clock;
	due = div64_u64(used * 100, pct);
	if (due > elapsed + NSEC_PER_MSEC) {
		hold(NULL, AN_R_HELD_BUDGET);
		schedule_timeout_interruptible(nsecs_to_jiffies(due - elapsed));
	}
	if (elapsed > NSEC_PER_SEC)	/* no credit for idle seconds */
		budget_start();
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

/* What a look at the threads of a process finds. */
struct look {
	enum an_reason scope;
	u64 cpu_ns;
	bool due;
};

static void look_at(struct an_process *p, struct look *look)
{
	struct task_struct *leader;
	struct an_activity act;

	look->scope = AN_R_SKIP_GONE;
	look->due = false;
	rcu_read_lock();
	leader = an_process_leader(p);
	if (leader && atomic_read(&p->mm->mm_users)) {
		an_scope_activity(leader, &act);
		look->scope = an_scope_check(leader, p->mm, &act);
		look->cpu_ns = act.cpu_ns;
		if (look_at_threads(p, leader) || xchg(&p->home_changed, false))
			rearm(p);
		look->due = pass_due(p, &act);
	}
	rcu_read_unlock();
}

/* Once in, a process that shrinks or whose threads are young stays in. */
static bool leaves_scope(enum an_reason scope)
{
	return scope != AN_R_NONE && scope != AN_R_SKIP_SMALL &&
	       scope != AN_R_SKIP_YOUNG;
}

static void finish_pass(struct an_process *p)
{
	struct task_struct *leader;

	pass_end(p);
	rcu_read_lock();
	leader = an_process_leader(p);
	if (leader)
		pace(p, leader);
	rcu_read_unlock();
}

/*
 * While much is waiting to be moved another pass would only make the same
 * pages fault and be queued again.
 */
static bool backlogged(const struct an_process *p)
{
	if (an_migrated_backlog() <= p->resident / BACKLOG_PART)
		return false;
	hold(p, AN_R_HELD_BACKLOG);
	return true;
}

static void start_pass(struct an_process *p, u64 cpu_ns)
{
	struct an_decision d = an_about(pid_nr(p->pid), p->roused_now ?
					AN_R_SCAN_ROUSED : AN_R_SCAN_EARNED);

	p->roused_now = false;
	pass_begin(p, cpu_ns);
	d.pages = p->resident;
	an_count_reason(d.why, 1);
	an_decided(scan_start, &d);
}

enum attention { AN_FORGET, AN_IDLE, AN_MORE };

static enum attention forget(const struct an_process *p, enum an_reason why)
{
	an_count_reason(why, 1);
	say_skipped(pid_nr(p->pid), why);
	return AN_FORGET;
}

/* One process, one turn: a batch of its pass, so that all get on. */
static enum attention attend(struct an_process *p)
{
	struct look look;

	if (time_after_eq(jiffies, p->seen_jiffies + msecs_to_jiffies(TICK_MS))) {
		look_at(p, &look);
		if (leaves_scope(look.scope))
			return forget(p, look.scope);
		if (look.due && !p->scanning && !backlogged(p))
			start_pass(p, look.cpu_ns);
	}
	if (!p->scanning)
		return AN_IDLE;
	switch (scan_batch(p)) {
	case CHUNK_DEAD:
		return forget(p, AN_R_SKIP_GONE);
	case CHUNK_LAST:
		finish_pass(p);
		return AN_IDLE;
	case CHUNK_BUSY:
		return AN_IDLE;
	default:
		return AN_MORE;
	}
}

/* The CPU time is the process's. */
static enum attention attend_charged(struct an_process *p)
{
	u64 start = an_busy_clock(), used;
	enum attention result = attend(p);

	used = an_busy_clock() - start;
	WRITE_ONCE(p->scand_ns, p->scand_ns + used);
	an_count(AN_C_SCAND_NS, used);
	return result;
}

/* A process that is balanced no more keeps nothing of it. */
static void leave(struct an_process *p, struct list_head *dead)
{
	rcu_read_lock();
	an_balance_forget(p);
	rcu_read_unlock();
	an_process_unlink(p, dead);
}

/* Returns whether a pass is under way that could go on at once. */
static bool attend_all(void)
{
	struct an_process *p, *next;
	bool more = false;
	LIST_HEAD(dead);

	list_for_each_entry_safe(p, next, &an_processes, list) {
		if (kthread_should_stop())
			break;
		switch (attend_charged(p)) {
		case AN_FORGET:
			leave(p, &dead);
			break;
		case AN_MORE:
			more = true;
			break;
		case AN_IDLE:
			break;
		}
		keep_budget();
		cond_resched();
	}
	an_process_reap(&dead);
	return more;
}

static int scand_main(void *unused)
{
	unsigned long discovered = jiffies - msecs_to_jiffies(DISCOVER_MS);

	budget_start();
	while (!kthread_should_stop()) {
		if (time_after_eq(jiffies,
				  discovered + msecs_to_jiffies(DISCOVER_MS))) {
			an_migrated_adjust();
			discover();
			keep_budget();
			discovered = jiffies;
		}
		if (!attend_all())
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

