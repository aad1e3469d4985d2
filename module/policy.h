/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decisions of autonuma, on plain structs: nothing here knows a
 * task_struct, a folio or the kernel, so the same files are compiled in
 * userspace, where they are tested, fuzzed and simulated.
 *
 * Goal of gear 4, to be lowered by every step (integer arithmetic):
 *
 *	J = sum over tasks t, nodes n:
 *		load(t) * share(t, n) * distance(node(t), n)
 *
 * share(t, n) is what part of t's accesses belongs on node n, in 1/1024: its
 * private faults where they are, its process's shared faults at the process's
 * home nodes, for a task with evidence of sharing.
 */
#ifndef _AUTONUMA_POLICY_H
#define _AUTONUMA_POLICY_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
#endif

#include "reason.h"

static inline u64 an_smaller(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 an_larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

#define AN_LOAD_ONE	1024	/* load of a task that always wants a CPU */
#define AN_SHARE_ONE	1024	/* all accesses of a task */
#define AN_NO_NODE	(-1)
#define AN_NO_TASK	((u32)~0)

/*
 * A thread is a sharer if half of its known faults are on pages last touched by
 * another thread: two that share everything see half of it.
 */
#define AN_SHARER_NUM	1
#define AN_SHARER_DEN	2

/* An owner has less than one part in 8 of shared pages. */
#define AN_OWNER_PART	8

/* What is known of the region of a page, see ballot.h. */
enum an_verdict {
	AN_V_NONE,		/* not asked: each page speaks for itself */
	AN_V_OPEN,		/* not enough is known yet */
	AN_V_GATHER,		/* one node uses all of it */
	AN_V_TORN,		/* its pages have different owners */
	AN_V_SHARED,		/* several nodes use its pages */
	AN_V_LED,		/* so do they, but one does most */
	AN_V_FOREIGN,		/* so do they, but other processes on all but one */
};

/* One hinting fault, as gear 2 sees it. Nodes, AN_NO_NODE where unknown. */
struct an_fault {
	int page_node;		/* where the page is */
	int cpu_node;		/* where the fault came from */
	int last_node;		/* node of the last fault on the page */
	enum an_verdict verdict; /* on the region, this fault included */
	int leader;		/* likewise, AN_V_GATHER, AN_V_LED: the node that uses it */
	bool full;		/* AN_V_LED: its leader has no room now */
	int turn_node;		/* home node whose turn it is to take the region */
	bool same_task;		/* last fault was of the same thread */
	bool mapped;		/* other processes may map the page, too */
	bool foreign;		/* and one of them used it last */
	bool claimed;		/* and its region is used on another node, by another process */
	bool stale;		/* it may be long ago */
	bool settled;		/* it had its users, until just now */
	bool changed;		/* as all memory had: threads may change places first */
	bool sharer;		/* the thread mostly uses shared pages */
	bool owner;		/* the thread hardly uses any shared page */
	bool lone;		/* no other thread was seen to use its memory, and it stays */
	bool wandering;		/* the thread has not been on cpu_node for long */
	bool expected;		/* it left the node where it was to stay just now */
	bool has_home;		/* the process has home nodes */
	bool page_home;		/* page_node is one of them */
	bool cpu_home;		/* cpu_node is one of them */
	bool core_pull;		/* cpu_node is in an_proc.core, page_node not */
	bool spread_pull;	/* cpu_node has too little of it, page_node too much */
	bool carriers;		/* who asks for a region is to bring it */
	bool crowded;		/* cpu_node has no CPU for its worker that threads do not want */
	bool from_user;		/* of the program itself, not of a system call */
	bool prompt;		/* the thread gets its CPU: fair class, nice 0 or less */
	bool allowed;		/* policy and cpuset allow cpu_node */
	bool contested;		/* a huge page of several nodes, may be taken apart */
};

struct an_node {
	u32 capacity;		/* AN_LOAD_ONE per CPU that may be used */
	u32 other_load;		/* of tasks that are not in the snapshot, smoothed */
	u32 other_now;		/* the same, of the last moment only */
	u32 idle_cpus;		/* usable CPUs that are idle now */
	u32 room;		/* free pages above the watermark */
};

/* Hinting faults of a thread on memory of one node, decayed. Sparse. */
struct an_faults {
	u32 node;
	u32 private;
	u32 shared;
};

/* Memory of a process on one node, in pages. Sparse. */
struct an_pages {
	u32 node;
	u32 pages;
};

/* So many groups of tasks at most are told apart; the rest have no weights. */
#define AN_WEIGHT_GROUPS	32

struct an_task {
	u32 proc;		/* index into procs */
	u32 node;		/* where it runs, or ran last */
	u32 load;		/* 0..AN_LOAD_ONE; an_policy_weigh() may lower it */
	u32 want;		/* an_policy_want(); 0: as its load; likewise */
	u32 busy;		/* its load before that; 0: as its load */
	u32 weight;		/* by its nice value, any unit; 0: as the heaviest */
	u32 group;		/* its number, whose CPU time it shares by weight */
	u32 faults, nr_faults;	/* slice of snapshot.faults */
	const unsigned long *allowed;	/* bitmap of nodes, NULL: all */
	bool fixed;		/* must not be moved now (cooling, bound) */
	bool held;		/* fixed for being of a dry run only */
	bool bound;		/* fixed for good, or of a dry run */
};

struct an_proc {
	u32 pages, nr_pages;	/* slice of snapshot.pages */
	const unsigned long *wish;	/* nodes to be its home; NULL: find one */
	const unsigned long *mems;	/* those that may have its memory; NULL: all */
	unsigned long *home;	/* bitmap of nodes: in, the last; out, the new */
	unsigned long *core;	/*
				 * out, may be NULL: the home nodes that carry
				 * clearly more of the process than the others,
				 * so where its shared memory does most good;
				 * empty if they are alike
				 */
	const unsigned long *was_core;	/* the last one; NULL: unknown */
	bool dry;		/* looked at only, its tasks are fixed */
	bool moving;		/* its memory is on the way to its threads */
};

struct an_snapshot {
	u32 nr_nodes, nr_tasks, nr_procs;
	struct an_node *nodes;
	const u8 *distance;	/* nr_nodes * nr_nodes, 10 is local */
	struct an_task *tasks;
	struct an_proc *procs;
	const struct an_faults *faults;
	const struct an_pages *pages;
	u32 min_faults;		/* fewer give no opinion */
	u32 min_gain;		/* of a step, in 1/1024 of its tasks' J */
	u32 imbalance_pct;	/* node may carry that much of the mean, 100+ */
	u32 max_steps;
	void *scratch;		/* an_policy_scratch() bytes */
	void (*breathe)(void);	/* called after some tasks each; NULL: nothing else has to run */
};

struct an_step {
	u32 task;		/* index: goes from @from to @to */
	u32 other;		/* index: goes from @to to @from, or AN_NO_TASK */
	u32 from, to;
	u64 gain;		/* by how much J falls */
	u32 part;		/* the same, of its tasks' J, in 1/1000 */
	bool other_goes_on;	/* its best node is a third, and it gains nothing by this */
	enum an_reason reason;	/* AN_R_MOVE_IDLE, AN_R_MOVE_EVEN or AN_R_SWAP */
};

/* What is known of a task that stays where it is. */
struct an_stay {
	enum an_reason why;	/* of an_policy_why_not(): see an_policy_kept() */
	u32 kept;		/* rounds with such a reason in a row, but for steps */
	int preferred;		/* node that it was to be kept on, or AN_NO_NODE */
	u32 away;		/* rounds in a row in which it was on another */
	bool follows;		/* its memory may move */
};

bool an_policy_kept(enum an_reason why);
bool an_policy_votes(const struct an_fault *f);
bool an_policy_knows(const struct an_fault *f);
bool an_policy_same(const struct an_fault *f);
bool an_policy_tells(const struct an_fault *f);
enum an_reason an_policy_fault(const struct an_fault *f);
bool an_policy_in_turn(const struct an_fault *f, enum an_reason why);
int an_policy_target(const struct an_fault *f, enum an_reason why);
bool an_policy_whole_region(const struct an_fault *f);
bool an_policy_carries(const struct an_fault *f, int to, bool whole);
bool an_policy_crowded(u32 capacity, u64 wanted, bool was);
size_t an_policy_scratch(u32 nr_nodes, u32 nr_tasks, u32 nr_procs);
void an_policy_weigh(struct an_snapshot *s);
void an_policy_homes(struct an_snapshot *s);
u32 an_policy_want(u32 want, u32 load, bool waits);
u64 an_policy_goal(struct an_snapshot *s);
u64 an_policy_cost(struct an_snapshot *s, u32 task, u32 node);
u32 an_policy_balance(struct an_snapshot *s, struct an_step *steps);
/* How the memory of a process is spread over its home nodes; arrays by node. */
struct an_spread {
	u32 nr_nodes;
	const u32 *pages;
	const u32 *settled;		/* of these, to stay where they are; NULL: none */
	const u64 *use;			/* by threads that run there, any unit */
	const unsigned long *home;	/* bitmap */
	const unsigned long *core;	/* of home; NULL or empty: all of it */
	bool begun;			/* pages are being moved for this already */
	/* computed by an_policy_spread() */
	u64 all_pages, all_use;		/* at home; use that pages are to follow */
	u32 homes;
	bool uneven;
};

u32 an_policy_spread(struct an_spread *s);
s64 an_policy_spread_off(const struct an_spread *s, u32 n);
int an_policy_turn(const unsigned long *home, u32 nr_nodes, u64 region);
int an_policy_preferred(const struct an_snapshot *s, u32 task,
			const struct an_stay *stay);
enum an_reason an_policy_why_not(struct an_snapshot *s, u32 task, u32 *best);

#endif /* _AUTONUMA_POLICY_H */
