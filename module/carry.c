// SPDX-License-Identifier: GPL-2.0
/*
 * migrate=thread, and crowded nodes: who asks for a region brings it, on its way
 * back from the fault to its program, where it holds no lock and may sleep.
 *
 * On a node whose CPUs are busy a worker takes the place of a thread. The load
 * balancer sees a crowded node and takes threads away, and their memory follows
 * them. A thread that works for itself crowds nobody, and pays what it gains.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include "autonuma.h"
#include "carry.h"
#include "migrated.h"
#include "queue.h"

/* Who waits for threads says so after this time: they have a low priority, or a quota. */
#define PATIENCE_S		10

/*
 * A dying thread, and one that did not get mmap_lock, leave the rest to the
 * worker. The queue is not freed before @carriers is 0.
 */
static void carry(struct callback_head *work)
{
	struct an_region *r = container_of(work, struct an_region, work);
	struct an_queue *q = r->carried_from;
	enum an_reason why = AN_R_DROP_LOCK;

	if (!fatal_signal_pending(current) && !(current->flags & PF_EXITING))
		why = an_migrated_bring(q, r);
	an_queue_let_go(q, r);
	an_migrated_end(q, r, why);
	if (atomic_dec_and_test(&q->carriers))
		wake_up_var(&q->carriers);
}

/**
 * an_carry_begin - the current thread will bring a region when its fault is over
 * @q: of the target
 * @r: the region, in no queue
 *
 * Context: atomic, a fault from user space: page table lock and RCU read side
 * held, in which @q was found. Return: false if not, as the thread is ending.
 */
bool an_carry_begin(struct an_queue *q, struct an_region *r)
{
	r->carried_from = q;
	init_task_work(&r->work, carry);
	atomic_inc(&q->carriers);
	if (!task_work_add(current, &r->work, TWA_RESUME))
		return true;
	atomic_dec(&q->carriers);
	return false;
}

/**
 * an_carry_wait - until nobody carries for a queue any more
 * @q: a queue that no fault finds
 *
 * Context: sleeps, without locks that such a thread may want, for as long as they
 * take to get from a fault to their program: until each has had a CPU for a region.
 * The last one may still be about to return from here when this returns.
 */
void an_carry_wait(struct an_queue *q)
{
	if (wait_var_event_timeout(&q->carriers, !atomic_read(&q->carriers),
				   PATIENCE_S * HZ))
		return;
	pr_warn("%d threads that bring memory to node %d do not get a CPU: waiting\n",
		atomic_read(&q->carriers), q->nid);
	wait_var_event(&q->carriers, !atomic_read(&q->carriers));
}
