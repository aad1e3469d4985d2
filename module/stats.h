/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_STATS_H
#define _AUTONUMA_STATS_H

#include <linux/mm_types.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>

/*
 * struct an_process - a process under balance
 *
 * Lifetime: born by knuma_scand, unlinked by knuma_scand when the process
 * dies or leaves the scope (or by an_stats_stop() once no gear runs), freed
 * after a grace period. It holds the mm_struct (mm_count), never mm_users.
 * Found by anyone under RCU.
 *
 * Fields are written by the gear named, and read by others with READ_ONCE().
 */
struct an_process {
	struct hlist_node hash;		/* written by scand, read under RCU */
	struct list_head list;		/* scand's own, and RCU readers */
	struct list_head dead;		/* unlinked, waiting for readers */
	struct mm_struct *mm;		/* mmgrab()ed */
	struct pid *pid;		/* of the thread group, counted */

	/* gear 1 */
	u32 pass;			/* number of the pass under way */
	bool scanning;			/* a pass is under way */
	bool stirred;			/* pages at rest get remote faults */
	bool roused_now;		/* the next pass comes by rearm() */
	u32 one_in, rest_one_in;	/* of the pass under way: see an_plant */
	unsigned long scan_addr;	/* where the pass goes on */
	unsigned long resident;		/* pages seen by the last whole pass */
	long restless;			/* of the pass under way, not at rest */
	u64 cpu_ns;			/* CPU time when the pass began */
	u64 seen_ns;			/* CPU time at the last look */
	unsigned long seen_jiffies;	/* time of the last look */
	u32 period_ms;			/* CPU time per thread between passes */
	u32 threads;			/* threads found running lately */
	u64 rested, roused;		/* threads' sums when the pass began */
	u32 *pages;			/* per node, of the last whole pass */
	u32 *counting;			/* per node, of the pass under way */

	long moved_seen;		/* moved_ever when the last pass ended */
	u32 vain_passes;		/* in a row, nothing moved */

	/* gear 3, pages: lately (halved per pass), and in all */
	atomic_long_t moved;
	atomic_long_t moved_ever;

	/* gear 4 */
	unsigned long *home;		/* nodes, words written whole */
	unsigned long *core;		/* home nodes that carry most of it */
	bool home_changed;		/* set by gear 4, taken by gear 1 */

	/* CPU time that each worker spent on it, ns */
	u64 scand_ns, balanced_ns;
	atomic64_t migrated_ns;		/* of several workers */
};

/*
 * struct an_thread - hinting-fault statistics of a thread
 *
 * Lifetime: born at the first fault (or by gear 4, to hold its load), ends
 * with the sched_process_exit tracepoint, freed after a grace period. The
 * task is an identity, not a reference: an entry never outlives its task.
 *
 * Written by its own thread in the fault path and read by others without a
 * lock: a torn sum costs an estimate, never more. Gear 4's part is its own.
 */
struct an_thread {
	struct hlist_node hash;
	struct rcu_head rcu;
	const struct task_struct *task;
	const struct mm_struct *mm;	/* whose faults these are; changes by exec */
	u32 pass;			/* process pass of the last decay */
	int fault_node;			/* where it ran at the last fault */
	unsigned long since;		/* jiffies: first fault there */
	u32 hops;			/* changes of node, halved per pass */
	bool decided;			/* decide() to fault(): this one counts */
	u32 weight;			/* likewise: for so many pages each */
	int queued_to;			/* likewise: the pages will be there */
	u32 known_private, known_shared; /* faults on pages with a known past */
	u64 rested, roused;		/* pages at rest: faults, and remote ones */
	u32 moved;			/* pages, by its own faults */

	/* gear 1 */
	u32 moved_seen;			/* of moved, what its process has */
	int seen_node;			/* where it ran at the last look */
	unsigned long seen_since;	/* jiffies: there since */

	/* gear 4 */
	u64 runtime, delay;		/* ns, at the last snapshot */
	u64 on_preferred, off_preferred; /* ns of CPU time booked */
	unsigned long moved_jiffies;	/* last move, 0: never */
	int moved_to;			/* node of the last move */
	u32 load;			/* smoothed, AN_LOAD_ONE at most */
	u16 undone;			/* moves undone in a row: back-off */
	u8 left_why;			/* enum an_reason, by probe_migrate() */
	u8 stay;			/* enum an_reason: of the last round */

	u32 nodes[];			/* [2 * node + shared], decayed */
};

/* The leader of its thread group, NULL once dead. Context: RCU read side. */
static inline struct task_struct *an_process_leader(const struct an_process *p)
{
	return pid_task(p->pid, PIDTYPE_TGID);
}

/*
 * What the running task has used of a CPU, in ns from an arbitrary start:
 * good for differences over work that does not sleep. (Its sum_exec_runtime
 * is as old as the last tick.)
 */
static inline u64 an_busy_clock(void)
{
	u64 now = local_clock();

#ifdef CONFIG_SCHED_INFO
	now -= current->sched_info.run_delay;
#endif
	return now;
}

void an_stats_init(void);
void an_stats_exit(void);
int an_stats_start(void);
void an_stats_stop(void);

struct an_process *an_process_find(const struct mm_struct *mm);
struct an_process *an_process_add(struct mm_struct *mm, struct pid *pid);
void an_process_unlink(struct an_process *p, struct list_head *dead);
void an_process_reap(struct list_head *dead);
size_t an_process_bytes(void);
extern struct list_head an_processes;

struct an_thread *an_thread_find(const struct task_struct *task);
struct an_thread *an_thread_get(struct task_struct *task);
size_t an_thread_bytes(void);
void an_thread_decay(struct an_thread *t, const struct an_process *p);
bool an_thread_shares(const struct an_thread *t);

#endif /* _AUTONUMA_STATS_H */
