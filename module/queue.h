/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queues between gear 2 and gear 3: one per target node, for its worker
 * and the faults that feed it.
 */
#ifndef _AUTONUMA_QUEUE_H
#define _AUTONUMA_QUEUE_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "decision.h"

struct an_process;

#define AN_REGION_SIZE		PMD_SIZE
#define AN_REGION_PAGES		(AN_REGION_SIZE / PAGE_SIZE)

#define AN_QUEUE_HASH_BITS	8

/* A region that is not full waits this long for its neighbours' faults. */
#define AN_GATHER_MS	20U

/*
 * struct an_region - queued pages of one region and one target
 *
 * @from: where the page was that asked for it, for fairness among sources. Others
 * of the region may be elsewhere: all that is not on the target yet goes there.
 *
 * Lifetime: made by a fault, owned by the queue and changed under its lock
 * until the worker takes it out, or the thread that fills it and is to carry it;
 * then owned by that, who frees it or puts it back. While it is carried it can be
 * found all the same, so that no other thread brings it, too. Holds mm_count, never
 * mm_users and never a page.
 */
struct an_region {
	struct list_head list;
	struct hlist_node hash;
	struct mm_struct *mm;
	pid_t tgid;			/* of the process, for people */
	unsigned long base;
	unsigned long born;		/* jiffies */
	int from, to;
	unsigned int pages;		/* bits set when last in the queue */
	u64 owner;			/* serial number of its record, when queued */
	unsigned int tries;
	bool torn;			/* a page of it was cancelled */
	bool split;			/* a huge page to be taken apart where it is */
	bool apart;			/* that was done: a trial of the process is spent */
	bool carried;			/* a thread has it in hand: nothing is added */
	struct callback_head work;	/* of that thread */
	struct an_queue *carried_from;	/* which stays while it has carriers */
	DECLARE_BITMAP(wanted, AN_REGION_PAGES);
};

/*
 * struct an_source - what is to come from one node
 *
 * @waiting: in the order in which their first pages came
 * @hand: what is next; taken from the front of @waiting, the last of them first
 */
struct an_source {
	struct list_head waiting;
	struct list_head hand;
};

/*
 * struct an_queue - what is to come to one node, and who brings it
 *
 * @lock nests inside page table locks (faults queue under them), so nothing
 * that takes one may be called under it. Lifetime: from an_migrated_start()
 * to an_migrated_stop(), when no hook is called any more and no thread carries.
 */
struct an_queue {
	spinlock_t lock;		/* of the queue and its regions */
	struct an_source *from;		/* by source node */
	struct hlist_head hash[1 << AN_QUEUE_HASH_BITS];
	unsigned int regions;
	unsigned long pages;
	int turn;			/* source node served last */
	u64 rate_ns;			/* time up to which the rate is spent */
	atomic_t carriers;		/* threads that have a region of it in hand */
	atomic_long_t moving;		/* pages isolated, by whomsoever */
	bool crowded;			/* threads wait for the node's CPUs: gear 4 says so */

	/* the worker's own */
	int nid;
	struct task_struct *worker;
	wait_queue_head_t wait;
	unsigned int backoff_ms;	/* faults look at it; threads begin one, too */
	u64 worked_ns;			/* CPU time of its batches */
};

/*
 * By target node; NULL where a node has no memory. Read under RCU. Changed by
 * start and stop, and in between by knuma_scand with CPU hotplug kept out.
 */
extern struct an_queue __rcu **an_queues;

struct an_queue *an_queue_alloc(int nid);
void an_queue_free(struct an_queue *q, enum an_reason why);
struct an_region *an_queue_take(struct an_queue *q);
bool an_queue_put_back(struct an_queue *q, struct an_region *r);
u64 an_queue_rate_spend(struct an_queue *q, unsigned long pages);
struct an_decision an_region_about(const struct an_region *r,
				   enum an_reason why, unsigned long pages);
void an_region_drop(struct an_region *r, enum an_reason why);
void an_queue_add_moved(struct an_process *p, unsigned long pages);
void an_queue_let_go(struct an_queue *q, struct an_region *r);

#endif /* _AUTONUMA_QUEUE_H */
