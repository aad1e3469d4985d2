// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 3, knuma_migratedN: a worker per node with memory brings pages to its
 * node, a batch at a time, from a queue per source node, in turn. Threads that
 * carry (carry.c) do the same with regions of their own.
 *
 * What is queued is an address, never a page: it may be freed, split, copied
 * or moved meanwhile as if it had never been queued. The worker looks it up
 * again and checks everything that was true when it was queued.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/nodemask.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "ballot.h"
#include "batch.h"
#include "carry.h"
#include "decision.h"
#include "migrated.h"
#include "queue.h"
#include "regions.h"
#include "scope.h"
#include "stats.h"
#include "trace.h"
#include "walk.h"

/* The longest a worker sleeps after batches that moved nothing. */
#define MAX_BACKOFF_MS		1000

/*
 * Nice value. Threads wait for what is on its way, so a worker that waits for its
 * turn with a batch in hand holds up those who have it. Below -3 the load balancer
 * takes threads away from where their memory is just being brought.
 */
#define WORKER_NICE		(-2)

static enum cpuhp_state hotplug_state;

/* Where a batch goes, and how many of its pages found no room there. */
struct target {
	int nid;
	unsigned long full;
};

static struct folio *alloc_target(struct folio *src, unsigned long private)
{
	struct target *target = (struct target *)private;
	unsigned int order = folio_order(src);
	gfp_t gfp = __GFP_THISNODE;
	struct folio *folio;

	if (order)
		gfp |= GFP_TRANSHUGE_LIGHT;
	else
		gfp |= (GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM) |
		       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	folio = __folio_alloc_node(gfp, order, target->nid);
	if (!folio)
		target->full += folio_nr_pages(src);
	return folio;
}

/*
 * Is the current task the queue's worker, not a thread that carries? Such a thread
 * was there before the worker ended, so it is not another task at that address.
 */
static bool is_worker(const struct an_queue *q)
{
	return current == q->worker;
}

/*
 * Is the process still balanced, and may it have memory on the target?
 * AN_R_NONE if so.
 */
static enum an_reason why_drop(const struct an_queue *q,
			       const struct an_region *r)
{
	enum an_reason why = AN_R_NONE;
	int mode = READ_ONCE(an_params.migrate);
	struct task_struct *leader;
	struct an_process *p;

	if (mode == AN_MIGRATE_OFF || (mode == AN_MIGRATE_FAULT && !r->split) ||
	    !an_running() || (is_worker(q) && kthread_should_stop()))
		return AN_R_DROP_SWITCHED;
	if (!node_state(r->to, N_MEMORY))
		return AN_R_DROP_NODE;
	rcu_read_lock();
	p = an_process_find(r->mm);
	leader = p ? an_process_leader(p) : NULL;
	if (!leader)
		why = AN_R_DROP_GONE;
	else if (READ_ONCE(p->mode) != AN_MODE_ACT)
		why = AN_R_DROP_REST;
	else if (!an_scope_node_allowed(leader, r->to))
		why = AN_R_DROP_NOT_ALLOWED;
	rcu_read_unlock();
	return why;
}

/* Every mapping of the region, as far as it may have pages on the target. */
static void isolate_region(struct an_region *r, struct an_isolate *iso)
{
	unsigned long end = r->base + AN_REGION_SIZE, start, rest;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	vma_iter_init(&vmi, r->mm, r->base);
	for_each_vma_range(vmi, vma, end) {
		start = max(vma->vm_start, r->base);
		if (!an_scope_vma_node(vma, start, r->to))
			continue;
		iso->vma = vma;
		an_walk_isolate(iso, start, min(vma->vm_end, end));
		if (iso->isolated >= iso->limit)
			return;
	}
	/* What no mapping covers is gone. */
	rest = bitmap_weight(r->wanted, AN_REGION_PAGES);
	an_isolate_note(iso, AN_R_PAGE_GONE, rest);
	bitmap_zero(r->wanted, AN_REGION_PAGES);
}

enum an_batch { BATCH_DONE, BATCH_LOCKED, BATCH_DEAD };

static enum an_batch collect_batch(struct an_region *r, struct an_isolate *iso)
{
	enum an_batch result = BATCH_DEAD;

	if (!mmap_read_trylock(r->mm))
		return BATCH_LOCKED;
	if (an_walk_may(r->mm)) {
		isolate_region(r, iso);
		result = BATCH_DONE;
	}
	mmap_read_unlock(r->mm);
	return result;
}

static void book_moved(const struct an_queue *q, struct an_region *r,
		       unsigned int moved)
{
	struct an_decision d = an_region_about(r, is_worker(q) ? AN_R_BY_WORKER :
					       AN_R_BY_THREAD, moved);
	struct an_process *p;

	count_vm_numa_events(NUMA_PAGE_MIGRATE, moved);
	count_memcg_events_mm(r->mm, NUMA_PAGE_MIGRATE, moved);
	rcu_read_lock();
	p = an_process_find(r->mm);
	if (p)
		an_queue_add_moved(p, moved);
	rcu_read_unlock();
	if (!is_worker(q))
		d.pid = current->pid;
	an_count_reason(d.why, moved);
	an_decided(migrated, &d);
}

/* Tells why pages did not move, a decision for each reason met. */
static void book_failed(const struct an_region *r, const struct an_isolate *iso)
{
	struct an_decision d;
	int i;

	for (i = 0; i < AN_NR_PAGE_REASONS; i++) {
		if (!iso->failed[i])
			continue;
		d = an_region_about(r, AN_R_PAGE_GONE + i, iso->failed[i]);
		an_count_reason(d.why, d.pages);
		an_decided(failed, &d);
	}
}

/* Moves what was isolated. Returns pages moved. */
static unsigned int move_batch(struct an_queue *q, struct an_region *r,
			       struct an_isolate *iso)
{
	struct target target = { .nid = r->to };
	unsigned int moved = 0;
	unsigned long stayed;

	if (list_empty(iso->folios))
		return 0;
	atomic_long_add(iso->isolated, &q->moving);
	if (migrate_pages(iso->folios, alloc_target, NULL,
			  (unsigned long)&target, MIGRATE_ASYNC,
			  MR_NUMA_MISPLACED, &moved) &&
	    !list_empty(iso->folios))
		putback_movable_pages(iso->folios);
	atomic_long_sub(iso->isolated, &q->moving);
	if (moved)
		book_moved(q, r, moved);
	stayed = iso->isolated - min_t(unsigned long, moved, iso->isolated);
	target.full = min(target.full, stayed);
	an_isolate_note(iso, AN_R_TARGET_FULL, target.full);
	an_isolate_note(iso, AN_R_PAGE_IN_USE, stayed - target.full);
	return moved;
}

/* migrate_pages() takes a huge page apart for which there is no new one. */
static struct folio *alloc_nothing(struct folio *src, unsigned long private)
{
	return NULL;
}

/* The parts of the huge page at @base begin to tell who uses them. */
static void begin_trial(const struct an_region *r, struct list_head *parts)
{
	atomic64_t *votes = NULL;
	struct an_process *p;
	struct folio *folio;

	/* What its last user was is not what theirs was. */
	list_for_each_entry(folio, parts, lru)
		folio_xchg_last_cpupid(folio, LAST_CPUPID_MASK);
	rcu_read_lock();
	p = an_process_find(r->mm);
	if (p)
		votes = an_regions_find(p, r->base);
	if (votes)
		atomic64_set(votes, an_ballot_trial());
	rcu_read_unlock();
}

/*
 * Takes apart what was isolated, a huge page; its parts stay where they are, but
 * for those that hold nothing but zeroes, which the kernel frees. Returns pages.
 */
static unsigned int split_batch(struct an_queue *q, struct an_region *r,
				struct an_isolate *iso)
{
	struct an_decision d = an_region_about(r, AN_R_SPLIT_TRIED,
					       iso->isolated);

	if (list_empty(iso->folios))
		return 0;
	atomic_long_add(iso->isolated, &q->moving);
	migrate_pages(iso->folios, alloc_nothing, NULL, 0, MIGRATE_ASYNC,
		      MR_SYSCALL, NULL);
	atomic_long_sub(iso->isolated, &q->moving);
	if (list_empty(iso->folios)) {	/* freed meanwhile, or all zeroes */
		an_isolate_note(iso, AN_R_PAGE_GONE, iso->isolated);
		return 0;
	}
	r->apart = !folio_test_large(list_first_entry(iso->folios,
						      struct folio, lru));
	if (r->apart)
		begin_trial(r, iso->folios);
	putback_movable_pages(iso->folios);
	if (!r->apart) {
		an_isolate_note(iso, AN_R_PAGE_IN_USE, iso->isolated);
		return 0;
	}
	an_count_reason(d.why, 1);
	an_decided(split, &d);
	return iso->isolated;
}

/* Pages of a region that moved or came apart, and that were there and did not. */
struct an_outcome {
	unsigned long moved, stayed;
};

/* Pages to be moved at once. */
static u32 batch_of(const struct an_region *r)
{
	u32 pages = READ_ONCE(an_params.migrate_batch);
	struct an_process *p;

	rcu_read_lock();
	p = an_process_find(r->mm);
	if (p)
		pages = an_policy_batch(READ_ONCE(p->flush_ns),
					READ_ONCE(p->page_ns), pages);
	rcu_read_unlock();
	return pages;
}

/* One batch of a region. BATCH_LOCKED: try again later. */
static enum an_batch do_batch(struct an_queue *q, struct an_region *r,
			      struct an_outcome *out)
{
	LIST_HEAD(folios);
	struct an_isolate iso = {
		.base = r->base,
		.wanted = r->wanted,
		.to = r->to,
		.huge_only = r->split,
		.limit = batch_of(r),
		.folios = &folios,
	};
	enum an_batch result = collect_batch(r, &iso);
	unsigned int done = r->split ? split_batch(q, r, &iso) :
				       move_batch(q, r, &iso);

	if (!r->split) {
		an_count(AN_C_ISOLATED, iso.isolated);
		an_count(AN_C_MIGRATED, done);
		an_count(AN_C_MIGRATE_FAILED, iso.isolated - done);
	}
	an_count(AN_C_MIGRATE_STALE,
		 an_isolate_noted(&iso, AN_R_PAGE_GONE) +
		 an_isolate_noted(&iso, AN_R_PAGE_ELSEWHERE));
	an_count(AN_C_MIGRATE_REFUSED, iso.refused);
	book_failed(r, &iso);
	out->moved += done;
	out->stayed += iso.isolated - done + iso.refused;
	return result;
}

static void sleep_ms(unsigned int ms)
{
	if (ms)
		schedule_timeout_interruptible(msecs_to_jiffies(ms));
}

static void say_waiting(const struct an_queue *q, enum an_reason why)
{
	struct an_decision d = an_about(0, why);

	d.to = q->nid;
	an_count_reason(why, 1);
	if (an_watched(rate_limited))
		an_decided(rate_limited, &d);
}

static void keep_rate(struct an_queue *q, unsigned long pages)
{
	u64 overdrawn;

	if (!is_worker(q))	/* has paid before */
		return;
	overdrawn = an_queue_rate_spend(q, pages);
	if (overdrawn < NSEC_PER_MSEC)
		return;
	an_count(AN_C_RATE_LIMITED, 1);
	say_waiting(q, AN_R_RATE);
	sleep_ms(div_u64(overdrawn, NSEC_PER_MSEC));
}

/* Only pages that would not move are a reason to wait: full target, busy pages. */
static void back_off(struct an_queue *q, const struct an_outcome *out)
{
	if (!out->moved && !out->stayed)	/* tells nothing of the target */
		return;
	if (out->moved)
		WRITE_ONCE(q->backoff_ms, 0);
	else
		WRITE_ONCE(q->backoff_ms,
			   clamp(q->backoff_ms * 2, 1U, MAX_BACKOFF_MS));
	if (q->backoff_ms)
		say_waiting(q, AN_R_BACK_OFF);
	sleep_ms(q->backoff_ms);
}

/* The CPU time of a batch is the process's, if it is there still. */
static void charge(struct an_queue *q, const struct an_region *r, u64 ns,
		   u32 moved)
{
	struct an_process *p;

	if (is_worker(q))
		WRITE_ONCE(q->worked_ns, q->worked_ns + ns);
	rcu_read_lock();
	p = an_process_find(r->mm);
	if (p) {
		atomic64_add(ns, &p->migrated_ns);
		WRITE_ONCE(p->page_ns,
			   an_policy_batch_page(READ_ONCE(p->page_ns), ns,
						READ_ONCE(p->flush_ns), moved));
	}
	rcu_read_unlock();
	an_count(AN_C_MIGRATED_NS, ns);
}

static enum an_batch do_batch_charged(struct an_queue *q, struct an_region *r,
				      struct an_outcome *out)
{
	unsigned long before = out->moved;
	u64 start = an_busy_clock();
	enum an_batch result = do_batch(q, r, out);

	charge(q, r, an_busy_since(start),
	       r->split ? 0 : out->moved - before);
	return result;
}

/*
 * Batch after batch, until nothing is left. Returns why the rest is dropped,
 * AN_R_NONE if there is none; AN_R_DROP_LOCK: try again later.
 */
static enum an_reason move_region(struct an_queue *q, struct an_region *r,
				  struct an_outcome *out)
{
	enum an_reason why = AN_R_NONE;
	unsigned long before;

	while (!bitmap_empty(r->wanted, AN_REGION_PAGES)) {
		why = why_drop(q, r);
		if (why != AN_R_NONE)
			break;
		before = out->moved;
		switch (do_batch_charged(q, r, out)) {
		case BATCH_LOCKED:
			return AN_R_DROP_LOCK;
		case BATCH_DEAD:
			return AN_R_DROP_GONE;
		case BATCH_DONE:
			r->tries = 0;
			break;
		}
		keep_rate(q, r->split ? 0 : out->moved - before);
		cond_resched();
	}
	return why;
}

/**
 * an_migrated_end - the end of a region, or of this try
 * @q: its queue
 * @r: the region, in no queue; not to be used afterwards
 * @why: what is left of it is dropped, or AN_R_DROP_LOCK: try again later
 *
 * Context: the worker, or a thread that carries.
 */
void an_migrated_end(struct an_queue *q, struct an_region *r,
		     enum an_reason why)
{
	if (why != AN_R_DROP_LOCK || !an_queue_put_back(q, r))
		an_region_drop(r, why);
}

/**
 * an_migrated_bring - a thread brings a region to its node
 * @q: the queue of that node
 * @r: the region, in no queue
 *
 * Context: process context without locks, sleeps; not the worker.
 * Return: for an_migrated_end().
 */
enum an_reason an_migrated_bring(struct an_queue *q, struct an_region *r)
{
	struct an_outcome out = {};
	enum an_reason why = move_region(q, r, &out);

	/* Full, or all are busy: not by threads, until the worker ends that. */
	if (!out.moved && out.stayed) {
		cmpxchg(&q->backoff_ms, 0, 1);
		wake_up(&q->wait);
	}
	return why;
}

static void carry_out(struct an_queue *q, struct an_region *r)
{
	struct an_outcome out = {};
	enum an_reason why = move_region(q, r, &out);

	back_off(q, &out);
	an_migrated_end(q, r, why);
}

/* Nothing is ripe. A back-off ends with what was queued, and one of threads here. */
static void rest(struct an_queue *q)
{
	sleep_ms(max(AN_GATHER_MS, q->backoff_ms));
	if (!READ_ONCE(q->regions))
		WRITE_ONCE(q->backoff_ms, 0);
}

static int migrated_main(void *data)
{
	struct an_queue *q = data;
	struct an_region *r;

	while (!kthread_should_stop()) {
		wait_event_interruptible(q->wait, READ_ONCE(q->regions) ||
					 READ_ONCE(q->backoff_ms) ||
					 kthread_should_stop());
		r = an_queue_take(q);
		if (r)
			carry_out(q, r);
		else
			rest(q);
	}
	return 0;
}

/* To the node's CPUs, but not to isolated ones; free if none is left. */
static void bind_worker(struct task_struct *worker, int nid)
{
	cpumask_var_t mask;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL)) {
		an_count(AN_C_NO_MEMORY, 1);
		return;
	}
	if (cpumask_and(mask, cpumask_of_node(nid),
			housekeeping_cpumask(HK_TYPE_DOMAIN)))
		set_cpus_allowed_ptr(worker, mask);
	free_cpumask_var(mask);
}

static int queue_start(int nid)
{
	struct an_queue *q = an_queue_alloc(nid);
	struct task_struct *worker;

	if (!q)
		return -ENOMEM;
	worker = kthread_create_on_node(migrated_main, q, nid,
					"knuma_migrated%d", nid);
	if (IS_ERR(worker)) {
		an_queue_free(q, AN_R_NONE);
		return PTR_ERR(worker);
	}
	set_user_nice(worker, WORKER_NICE);
	bind_worker(worker, nid);
	q->worker = worker;
	rcu_assign_pointer(an_queues[nid], q);
	wake_up_process(worker);
	return 0;
}

/* Context: no fault finds the queue any more. */
static void queue_stop(struct an_queue *q, enum an_reason why)
{
	kthread_stop(q->worker);
	an_carry_wait(q);
	an_queue_free(q, why);
}

/* Context: who may change it. */
static struct an_queue *queue_of(int nid)
{
	return rcu_dereference_protected(an_queues[nid], true);
}

/* With the last CPU of its node a worker lost its affinity, for good. */
static int cpu_came(unsigned int cpu)
{
	struct an_queue *q = queue_of(cpu_to_node(cpu));

	if (q)
		bind_worker(q->worker, q->nid);
	return 0;
}

static void stop_queues(void)
{
	struct an_queue *q;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		q = queue_of(nid);
		if (!q)
			continue;
		RCU_INIT_POINTER(an_queues[nid], NULL);
		queue_stop(q, AN_R_DROP_SWITCHED);
	}
}

static int start_queues(void)
{
	int nid, err;

	for_each_node_state(nid, N_MEMORY) {
		err = queue_start(nid);
		if (err)
			return err;
	}
	return 0;
}

/* Start a worker per node with memory. Context: no hook is called yet. */
int an_migrated_start(void)
{
	int err = start_queues();

	if (err)
		goto stop;
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "numa/autonuma:online",
					cpu_came, NULL);
	if (err < 0)
		goto stop;
	hotplug_state = err;
	return 0;

stop:
	stop_queues();
	return err;
}

/* Stop the workers, forget what is queued. Context: no hook is called. */
void an_migrated_stop(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	stop_queues();
	synchronize_rcu_tasks();	/* who carried has left this module */
}

/* A queue whose node has no memory any more, which no fault finds from now on. */
static struct an_queue *unpublish_queue(void)
{
	struct an_queue *q;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		q = queue_of(nid);
		if (!q || node_state(nid, N_MEMORY))
			continue;
		RCU_INIT_POINTER(an_queues[nid], NULL);
		return q;
	}
	return NULL;
}

static void start_missing_queues(void)
{
	int nid;

	for_each_node_state(nid, N_MEMORY)
		if (!queue_of(nid) && queue_start(nid))
			an_count(AN_C_NO_MEMORY, 1);
}

/*
 * Nodes got their first memory, or lost their last: what is queued for those stays
 * where it is. Context: knuma_scand. Threads that carry are waited for without the
 * lock of CPU hotplug.
 */
void an_migrated_adjust(void)
{
	struct an_queue *q;

	do {
		cpus_read_lock();
		q = unpublish_queue();
		if (!q)
			start_missing_queues();
		cpus_read_unlock();
		if (!q)
			return;
		synchronize_rcu();
		queue_stop(q, AN_R_DROP_NODE);
	} while (1);
}
