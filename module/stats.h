/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_STATS_H
#define _AUTONUMA_STATS_H

#include <linux/mm_types.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/xarray.h>
#include "choice.h"
#include "claims.h"
#include "policy_pace.h"

/*
 * What the hinting faults of a thread add up to, on end and wrapping around:
 * written by the thread, taken by gear 1 for its process.
 */
enum an_tally {
	AN_T_FAULTS,
	AN_T_SEEN,		/* pages that faults stand for */
	AN_T_LOCAL,		/* of them, where they were used */
	AN_T_RESTED,		/* pages at rest that faulted */
	AN_T_ROUSED,		/* of them, from another node */
	AN_T_MOVED,		/* pages moved by its own faults */
	AN_T_WOULD_MOVE,	/* pages that faults stand for: dry run, would move */
	AN_T_STALLED,		/* in its faults and their moves, 64 ns each */
	AN_T_NR
};

/* Of AN_T_STALLED: 64 ns, as u32 ns would wrap around after 4 s. */
#define AN_STALL_SHIFT	6

/* What may be done to a process. */
enum an_mode {
	AN_MODE_ACT,
	AN_MODE_DRY,		/* plant and learn, move nothing */
	AN_MODE_REST,		/* put to rest by the watchdog: nothing at all */
};

/* Unless it rests: what was asked for. */
static inline enum an_mode an_choice_mode(const struct an_choice *c)
{
	return c && c->asked.flags & AUTONUMA_F_DRY_RUN ? AN_MODE_DRY :
							  AN_MODE_ACT;
}

/* What a pass was told of the shared mapping that it is in, see shared.c. */
struct an_turn {
	const struct an_shared_slot *slot;	/* an identity */
	u32 pass;
	bool had;
};

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
	u64 serial;			/* of this record: the mm may get another one later */
	struct an_choice *choice;	/* that it is balanced under; NULL: by default */

	/* gear 1 */
	u32 pass;			/* number of the pass under way */
	bool scanning;			/* a pass is under way */
	u8 busy;			/* its mmap_lock was not had so often in a row */
	struct an_pace pace;		/* written by scand, see publish_pace() */
	unsigned long ended_jiffies;	/* when the last pass ended */
	s16 *where;			/* of its threads: see an_plant */
	bool roused_now;		/* the next pass comes by rearm() */
	unsigned long scan_addr;	/* where the pass goes on */
	unsigned long resident;		/* pages seen by the last whole pass */
	long restless;			/* of the pass under way, not at rest */
	long asked;			/* likewise, in regions that were asked who leads */
	bool tries;			/* likewise, a region on trial was used */
	u64 cpu_ns;			/* CPU time when the pass began */
	u64 seen_ns;			/* CPU time at the last look */
	unsigned long seen_jiffies;	/* time of the last look */
	u32 threads;			/* threads found running lately */
	u64 tally[AN_T_NR];		/* since the last pass ended */
	pid_t user;			/* the thread last found to have had faults */
	bool mixed;			/* another one had some since the last pass ended */
	u32 alone;			/* passes in a row in which nobody else had any */
	u64 seen, seen_local, seen_would_move;	/* lately: halved per pass */
	enum an_mode mode;
	u64 planted, faults;		/* pages, in all */
	struct an_rest rest;		/* without a choice: its own */
	u64 watched_moved;		/* pages, up to the end of the last pass */
	u64 watched_spent, watched_ran;	/* ns, likewise: the gears, the process */
	u32 *pages;			/* per node, of the last whole pass */
	u32 *counting;			/* per node, of the pass under way */
	u32 *settled;			/* of these, where their owner is or who uses them most */
	int most_used;			/* the node where most of it runs, AN_NO_NODE */

	struct an_turn turn;		/* see shared.c; scand's */
	struct an_claimant claimant;	/* see claims.c */

	struct xarray blocks;		/* votes on its regions, see regions.h */
	struct xarray leads;		/* and who leads in those that are shared */

	/* how its memory is spread over its home nodes */
	u64 *use;			/* per node, pages used from there lately */
	unsigned long use_forgotten;	/* jiffies: when some of that was */
	atomic_long_t *off;		/* per node, pages: too much, or too little (< 0) */
	atomic_long_t spread;		/* pages that may move between them, yet */
	bool spread_begun;		/* and until it is even */

	/* gear 3, pages: still to be moved; lately (halved per pass), and in all */
	atomic_long_t queued;
	atomic_long_t moved;
	atomic_long_t moved_ever;

	/* what moving it takes lately, ns; 0: not known */
	u64 flush_ns;			/* a TLB flush; written by scand */
	u64 page_ns;			/* a page; of two that write at once one is lost */

	atomic_t trials;		/* huge pages that may be taken apart, yet */

	/* gear 4 */
	unsigned long *home;		/* nodes, words written whole */
	unsigned long *core;		/* home nodes that carry most of it */
	bool home_changed;		/* set by gear 4, taken by gear 1 */
	u32 forecast_pm;		/* of a dry run; AUTONUMA_UNKNOWN */

	/* CPU time that each worker spent on it, ns */
	u64 scand_ns, balanced_ns;
	atomic64_t migrated_ns;		/* of several workers and threads */
};

static inline bool an_any_node(const unsigned long *map)
{
	u32 word;

	for (word = 0; word < BITS_TO_LONGS(nr_node_ids); word++)
		if (READ_ONCE(map[word]))
			return true;
	return false;
}

/* Is @nid in a map that gear 4 may be writing? Words are read whole. */
static inline bool an_in_map(const unsigned long *map, int nid)
{
	return READ_ONCE(map[BIT_WORD(nid)]) & BIT_MASK(nid);
}

/* A map of a process as it is now: gear 4 may write it meanwhile. */
static inline void an_copy_nodes(unsigned long *to, const unsigned long *from)
{
	u32 word, words = BITS_TO_LONGS(nr_node_ids);

	for (word = 0; word < min_t(u32, words, BITS_TO_LONGS(MAX_NUMNODES)); word++)
		to[word] = READ_ONCE(from[word]);
}

/* Where the memory belongs that several nodes use. */
static inline const unsigned long *an_shared_home(const struct an_process *p)
{
	return an_any_node(p->core) ? p->core : p->home;
}

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
	bool knows;			/* likewise: it tells whether they are shared */
	bool foreign;			/* likewise: with other processes */
	u32 weight;			/* likewise: for so many pages */
	int queued_to;			/* likewise: the pages will be there */
	u32 known_private, known_shared; /* faults on pages with a known past */
	u64 decided_ns;			/* likewise: local_clock() then */
	u32 tally[AN_T_NR];		/* wraps around */

	/* gear 1 */
	u32 taken[AN_T_NR];		/* of tally, what its process has */
	int seen_node;			/* where it ran at the last look */
	unsigned long seen_since;	/* jiffies: there since */
	unsigned long seen_last;	/* jiffies: of that look */

	/* gear 4 */
	u64 runtime, delay;		/* ns, at the last snapshot */
	u32 viewed;			/* its number */
	u64 on_preferred, off_preferred; /* ns of CPU time booked */
	unsigned long moved_jiffies;	/* last move, 0: never */
	unsigned long failed_jiffies;	/* last step that did not come about */
	int moved_to;			/* node of the last move */
	u16 load;			/* smoothed, AN_LOAD_ONE at most */
	u16 want;			/* likewise, see view_want() */
	u8 told;			/* faults of tally at the last snapshot, their last byte */
	u8 silent;			/* snapshots since they changed */
	u8 undone;			/* moves undone in a row: back-off */
	u8 failed;			/* steps that did not come about in a row: likewise */
	u8 left_why;			/* enum an_reason, by probe_migrate() */
	u8 stay;			/* enum an_reason: of the last round */
	u8 stay_kept;			/* in a row on stay_node: see an_stay */
	u8 stay_away;			/* likewise, off its preferred node */
	bool came;			/* gear 2: from another node, at @since */
	int stay_node;
	int best;			/* node that suits it best, of the last round */

	u32 nodes[];			/* [2 * node + shared], decayed */
};

/* The leader of its thread group, NULL once dead. Context: RCU read side. */
static inline struct task_struct *an_process_leader(const struct an_process *p)
{
	return pid_task(p->pid, PIDTYPE_TGID);
}

/*
 * Passes that tell that one thread has the process's memory for itself, as far as
 * is seen: a thread that lives for less than a look leaves no trace, nor does one
 * of another thread group.
 */
#define AN_ALONE_PASSES	2

static inline bool an_process_lone(const struct an_process *p,
				   const struct task_struct *task)
{
	return READ_ONCE(p->alone) >= AN_ALONE_PASSES &&
	       READ_ONCE(p->user) == task->pid;
}

static inline void an_tally(struct an_thread *t, enum an_tally what, u32 nr)
{
	WRITE_ONCE(t->tally[what], t->tally[what] + nr);
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

/* A preemption while it was read would make it run backwards. */
static inline u64 an_busy_since(u64 start)
{
	return max_t(s64, an_busy_clock() - start, 0);
}

void an_stats_init(void);
void an_stats_exit(void);
int an_stats_start(void);
void an_stats_stop(void);

struct an_process *an_process_find(const struct mm_struct *mm);
struct an_process *an_process_add(struct mm_struct *mm, struct pid *pid,
				  struct an_choice *choice);
void an_process_unlink(struct an_process *p, struct list_head *dead);
void an_process_reap(struct list_head *dead);
size_t an_process_bytes(void);
void an_process_account(const struct an_process *p, struct an_account *sum);
u32 an_share_pm(u64 local, u64 seen);
u64 an_process_would_move(const struct an_process *p);
extern struct list_head an_processes;

struct an_thread *an_thread_find(const struct task_struct *task);
struct an_thread *an_thread_get(struct task_struct *task);
size_t an_thread_bytes(void);
void an_thread_decay(struct an_thread *t, const struct an_process *p);
bool an_thread_shares(const struct an_thread *t);
u32 an_thread_shared_part(const struct an_thread *t, u32 pages);
bool an_thread_owns(const struct an_thread *t);

#endif /* _AUTONUMA_STATS_H */
