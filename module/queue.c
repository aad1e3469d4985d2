// SPDX-License-Identifier: GPL-2.0
/*
 * The queues between gear 2 and gear 3: faults put pages in and take them out
 * again; the worker of the target node takes regions, or, at once, the thread that
 * made one whole (carry.c).
 *
 * What is queued is an address, never a page: it may be freed, split, copied
 * or moved meanwhile as if it had never been queued.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/nodemask.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "autonuma.h"
#include "carry.h"
#include "choice.h"
#include "migrated.h"
#include "policy.h"
#include "queue.h"
#include "stats.h"
#include "trace.h"

/* Regions queued for one node: 4096 of 2 MiB are 8 GiB, in under 1 MiB. */
#define MAX_REGIONS		4096

/* Regions that a worker takes on at a time: 64 MiB of them. */
#define HAND_REGIONS		32

/* mmap_lock not had so many times in a row: the next fault may queue again. */
#define MAX_TRIES		8

/*
 * More pages moved lately (halved per pass) than 3/2 of what the process has
 * cannot be progress: its pages come back. Leave them until that decays.
 */
#define RETURNS_NUM		3
#define RETURNS_DEN		2

struct an_queue __rcu **an_queues;
static struct kmem_cache *region_cache;

static struct hlist_head *bucket_of(struct an_queue *q,
				    const struct mm_struct *mm,
				    unsigned long base)
{
	return &q->hash[hash_long((unsigned long)mm ^ base, AN_QUEUE_HASH_BITS)];
}

static struct an_region *find_region(struct an_queue *q,
				     const struct an_span *span)
{
	unsigned long base = ALIGN_DOWN(span->addr, AN_REGION_SIZE);
	struct an_region *r;

	hlist_for_each_entry(r, bucket_of(q, span->mm, base), hash)
		if (r->mm == span->mm && r->base == base &&
		    (r->from == span->from || r->carried) &&
		    r->split == span->split)
			return r;
	return NULL;
}

/* Last of its list, and to be found. Context: @q->lock, like the next two. */
static void enlist(struct an_queue *q, struct an_region *r)
{
	list_add_tail(&r->list, &q->from[r->from].waiting);
	hlist_add_head(&r->hash, bucket_of(q, r->mm, r->base));
	q->regions++;
	q->pages += r->pages;
}

/* Out of its list. It can be found still. */
static void unlist(struct an_queue *q, struct an_region *r)
{
	list_del(&r->list);
	q->regions--;
	q->pages -= r->pages;
}

static void unqueue(struct an_queue *q, struct an_region *r)
{
	unlist(q, r);
	hlist_del(&r->hash);
}

/* NULL: *why tells. */
static struct an_region *new_region(struct an_queue *q,
				    const struct an_process *p,
				    const struct an_span *span,
				    enum an_reason *why)
{
	struct an_region *r;

	if (q->regions >= MAX_REGIONS) {
		*why = AN_R_QUEUE_FULL;
		return NULL;
	}
	r = kmem_cache_zalloc(region_cache, GFP_NOWAIT | __GFP_NOWARN);
	if (!r) {
		*why = AN_R_QUEUE_NO_MEMORY;
		return NULL;
	}
	mmgrab(span->mm);
	r->mm = span->mm;
	r->owner = p->serial;
	r->base = ALIGN_DOWN(span->addr, AN_REGION_SIZE);
	r->tgid = current->tgid;
	r->born = jiffies;
	r->from = span->from;
	r->to = span->to;
	r->split = span->split;
	enlist(q, r);
	return r;
}

/*
 * So many pages more (or less) are to be moved for the region's process, unless
 * that was forgotten meanwhile: one that is found anew owes nothing.
 */
static void book_queued(struct an_process *p, const struct an_region *r,
			long pages)
{
	if (p && p->serial == r->owner)
		atomic_long_add(pages, &p->queued);
}

/* The same for who has only the region. Context: any. */
static void book_region(const struct an_region *r, long pages)
{
	rcu_read_lock();
	book_queued(an_process_find(r->mm), r, pages);
	rcu_read_unlock();
}

static void free_region(struct an_region *r)
{
	struct an_process *p;

	rcu_read_lock();
	p = an_process_find(r->mm);
	book_queued(p, r, -(long)r->pages);
	if (p && p->serial == r->owner && r->split && !r->apart)
		atomic_inc(&p->trials);	/* it may be tried again */
	rcu_read_unlock();
	mmdrop(r->mm);
	kmem_cache_free(region_cache, r);
}

/* Sets or clears the bits of @span. Returns how many changed. */
static unsigned int mark_span(struct an_region *r, const struct an_span *span,
			      bool set)
{
	unsigned int before = bitmap_weight(r->wanted, AN_REGION_PAGES);
	unsigned int bit = (span->addr - r->base) >> PAGE_SHIFT, after;

	if (set)
		bitmap_set(r->wanted, bit, span->pages);
	else
		bitmap_clear(r->wanted, bit, span->pages);
	after = bitmap_weight(r->wanted, AN_REGION_PAGES);
	return set ? after - before : before - after;
}

/* The process's pages keep coming back: not now. */
static bool cooling(struct an_process *p, const struct an_span *span)
{
	unsigned long resident = READ_ONCE(p->resident);

	if (!resident ||
	    atomic_long_read(&p->moved) * RETURNS_DEN <= resident * RETURNS_NUM)
		return false;
	an_count(AN_C_MIGRATE_COOLING, span->pages);
	return true;
}

/* A decision of the current task's fault. */
struct an_decision an_span_about(const struct an_span *span, enum an_reason why)
{
	struct an_decision d = an_about(current->tgid, why);

	d.pid = current->pid;
	d.from = span->from;
	d.to = span->to;
	d.addr = span->addr;
	d.pages = span->pages;
	return d;
}

/**
 * an_migrated_decline - pages should move and will not: say so
 * @span: which pages, from where, to where
 * @why: a reason of not_queued
 *
 * Context: as an_migrated_queue().
 */
void an_migrated_decline(const struct an_span *span, enum an_reason why)
{
	struct an_decision d;

	an_count_reason(why, 1);
	if (!an_watched(not_queued))
		return;
	d = an_span_about(span, why);
	an_decided(not_queued, &d);
}

static void say_queued(const struct an_span *span, enum an_reason why)
{
	struct an_decision d;

	why = why == AN_R_FOLLOW ? AN_R_QUEUE_FOLLOW :
	      why == AN_R_SPREAD ? AN_R_QUEUE_SPREAD :
	      why == AN_R_FOLLOW_LEADER ? AN_R_QUEUE_LEADER :
	      why == AN_R_CONTESTED ? AN_R_QUEUE_SPLIT : AN_R_QUEUE_HOME;
	an_count_reason(why, 1);
	if (!an_watched(queued))
		return;
	d = an_span_about(span, why);
	an_decided(queued, &d);
}

void an_queue_add_moved(struct an_process *p, unsigned long pages)
{
	atomic_long_add(pages, &p->moved);
	atomic_long_add(pages, &p->moved_ever);
}

/* May the pages move now, as far as can be told without the queue's lock? */
static bool movable_now(struct an_queue *q, struct an_process *p,
			const struct an_span *span)
{
	if (!q)
		an_migrated_decline(span, AN_R_QUEUE_NO_WORKER);
	else if (cooling(p, span))
		an_migrated_decline(span, AN_R_QUEUE_RETURNS);
	else if (an_choice_rate_spent(p->choice))
		an_migrated_decline(span, AN_R_QUEUE_RATE);
	else
		return true;
	return false;
}

/**
 * an_migrated_takes - does a node take pages: there is a worker that has room
 * @nid: the node
 *
 * Context: RCU read side.
 */
bool an_migrated_takes(int nid)
{
	struct an_queue *q = rcu_dereference(an_queues[nid]);

	return q && !READ_ONCE(q->backoff_ms);
}

static void wake_worker(struct an_queue *q)
{
	if (wq_has_sleeper(&q->wait))
		wake_up(&q->wait);
}

/* What so many pages cost of the rate, in ns. Rate 0: unlimited. */
static u64 rate_cost(unsigned long pages)
{
	u64 rate = READ_ONCE(an_params.migrate_rate_mbps);

	if (!rate)
		return 0;
	return div64_u64((u64)pages * PAGE_SIZE * (NSEC_PER_SEC >> 20), rate);
}

/* Returns how long the rate is overdrawn by that, in ns. Context: @q->lock. */
static u64 spend_rate(struct an_queue *q, unsigned long pages)
{
	u64 now = ktime_get_ns();

	q->rate_ns = max(q->rate_ns, now) + rate_cost(pages);
	return q->rate_ns - now;
}

/* Who does not wait for the rate, as workers do, may run ahead of it by so much. */
#define RATE_SLACK_NS		(10 * NSEC_PER_MSEC)

static bool rate_overdrawn(const struct an_queue *q)
{
	return READ_ONCE(q->rate_ns) > ktime_get_ns() + RATE_SLACK_NS;
}

/*
 * All of it is wanted, so nothing is to be waited for; but not while there is no
 * room. The rate is spent before, or many threads would do so at once. Context:
 * @q->lock.
 */
static bool take_to_carry(struct an_queue *q, struct an_region *r,
			  const struct an_span *span)
{
	if (!span->carry || r->pages != AN_REGION_PAGES ||
	    READ_ONCE(q->backoff_ms) || rate_overdrawn(q))
		return false;
	unlist(q, r);
	r->carried = true;
	spend_rate(q, AN_REGION_PAGES);
	return true;
}

/* Not carried any more, and not to be found. */
void an_queue_let_go(struct an_queue *q, struct an_region *r)
{
	spin_lock(&q->lock);
	hlist_del(&r->hash);
	r->carried = false;
	spin_unlock(&q->lock);
}

/* To the end of its queue. */
static void requeue(struct an_queue *q, struct an_region *r)
{
	unsigned int left;

	spin_lock(&q->lock);
	left = bitmap_weight(r->wanted, AN_REGION_PAGES);
	book_region(r, (long)left - r->pages);
	r->pages = left;
	r->born = jiffies;
	enlist(q, r);
	spin_unlock(&q->lock);
	wake_worker(q);
}

/**
 * an_migrated_queue - ask for pages to be brought to another node
 * @p: their process
 * @span: which, from where, to where
 * @why: AN_R_FOLLOW, AN_R_FOLLOW_LEADER, AN_R_FOLLOW_HOME or AN_R_SPREAD;
 *	AN_R_CONTESTED: to be taken apart where they are, and moved later
 *
 * Context: atomic, page table lock and RCU read side held.
 * Return: how many pages are queued that were not before; less than 0 if they cannot be.
 */
int an_migrated_queue(struct an_process *p, const struct an_span *span,
		      enum an_reason why)
{
	struct an_queue *q = rcu_dereference(an_queues[span->to]);
	enum an_reason declined = AN_R_NONE;
	unsigned int added = 0;
	struct an_region *r;
	bool carry = false;

	if (!movable_now(q, p, span))
		return -EBUSY;
	spin_lock(&q->lock);
	r = find_region(q, span) ?: new_region(q, p, span, &declined);
	if (r && !r->carried) {
		added = mark_span(r, span, true);
		r->pages += added;
		q->pages += added;
		book_queued(p, r, added);
		carry = take_to_carry(q, r, span);
	}
	spin_unlock(&q->lock);
	if (!r) {
		an_count(AN_C_QUEUE_FULL, span->pages);
		an_migrated_decline(span, declined);
		return -ENOSPC;
	}
	if (!span->split)
		an_choice_rate_spend(p->choice, added);
	an_count(AN_C_QUEUED, added);
	say_queued(span, why);
	if (!carry) {
		wake_worker(q);
	} else if (!an_carry_begin(q, r)) {
		an_queue_let_go(q, r);
		requeue(q, r);
	}
	return added;
}

/* @first: of its region, so its users differ. */
static void say_cancelled(struct an_span span, int to, enum an_reason why,
			  bool first)
{
	bool local = why == AN_R_LOCAL;
	struct an_decision d;

	why = local ? AN_R_CANCEL_LOCAL : AN_R_CANCEL_CONTRARY;
	span.to = to;
	d = an_span_about(&span, why);
	an_count_reason(why, 1);
	if (an_watched(cancelled))
		an_decided(cancelled, &d);
	if (!first)
		return;
	d.why = local ? AN_R_TORN_LOCAL : AN_R_TORN_CONTRARY;
	an_count_reason(d.why, 1);
	if (an_watched(torn))
		an_decided(torn, &d);
}

/**
 * an_migrated_cancel - pages that may be queued for node @to shall stay
 * @p: their process
 * @span: which pages, and where they are
 * @to: the node that a fault may have queued them for
 * @why: AN_R_LOCAL or AN_R_CONTRARY
 *
 * Context: as an_migrated_queue(). An emptied region is left to the worker.
 */
void an_migrated_cancel(struct an_process *p, const struct an_span *span,
			int to, enum an_reason why)
{
	struct an_queue *q = rcu_dereference(an_queues[to]);
	unsigned int taken = 0;
	struct an_region *r;
	bool first = false;

	if (!q || !READ_ONCE(q->regions))
		return;
	spin_lock(&q->lock);
	r = find_region(q, span);
	if (r && !r->carried) {
		taken = mark_span(r, span, false);
		r->pages -= taken;
		q->pages -= taken;
		book_queued(p, r, -(long)taken);
		first = taken && !r->torn;
		r->torn |= first;
	}
	spin_unlock(&q->lock);
	if (!taken)
		return;
	an_count(AN_C_CANCELLED, taken);
	say_cancelled(*span, to, why, first);
}

/* Spend the rate of @q. Returns how long it is overdrawn, in ns. */
u64 an_queue_rate_spend(struct an_queue *q, unsigned long pages)
{
	u64 overdrawn;

	spin_lock(&q->lock);
	overdrawn = spend_rate(q, pages);
	spin_unlock(&q->lock);
	return overdrawn;
}

/**
 * an_migrated_admit - may this fault migrate its pages itself
 * @p: their process
 * @span: which, from where, to where
 * @pages: of the whole folio, which moves as one
 *
 * Context: as an_migrated_queue(). The caller books them with its thread.
 */
bool an_migrated_admit(struct an_process *p, const struct an_span *span,
		       unsigned long pages)
{
	struct an_queue *q = rcu_dereference(an_queues[span->to]);

	if (!movable_now(q, p, span))
		return false;
	if (rate_overdrawn(q)) {
		an_count(AN_C_RATE_LIMITED, 1);
		an_migrated_decline(span, AN_R_QUEUE_RATE);
		return false;
	}
	an_queue_rate_spend(q, pages);
	an_choice_rate_spend(p->choice, pages);
	an_count(AN_C_ISOLATED, pages);
	return true;
}

/* migrate=fault: the fault of the current task moved its pages to @nid. */
void an_migrated_by_fault(int nid, unsigned int pages)
{
	struct an_decision d;

	an_count(AN_C_MIGRATED, pages);
	an_count_reason(AN_R_BY_FAULT, pages);
	if (!an_watched(migrated))
		return;
	d = an_about(current->tgid, AN_R_BY_FAULT);
	d.pid = current->pid;
	d.to = nid;
	d.pages = pages;
	an_decided(migrated, &d);
}

static bool gathered(const struct an_region *r)
{
	return time_after(jiffies, r->born + msecs_to_jiffies(AN_GATHER_MS));
}

/* Whose mmap_lock was not had waits as well: it may be held for a while. */
static bool nothing_to_wait_for(const struct an_region *r)
{
	return !r->tries && (r->pages == AN_REGION_PAGES || !r->pages);
}

/*
 * The next regions of a source, if any are ripe. Threads go through memory in some
 * direction, mostly, and faster than it moves. In the order in which they came by,
 * regions would be in their way one after the other, each when they reach it; against
 * that order, one of a hand is. What came by just now is left alone if it can be.
 */
static void fill_hand(struct an_source *source)
{
	struct an_region *r, *next;
	int n = 0;

	list_for_each_entry_safe(r, next, &source->waiting, list) {
		if (n++ == HAND_REGIONS || !gathered(r))
			break;
		list_move(&r->list, &source->hand);
	}
	r = list_first_entry_or_null(&source->waiting, struct an_region, list);
	if (list_empty(&source->hand) && r && nothing_to_wait_for(r))
		list_move(&r->list, &source->hand);
}

/* The next ripe region, source nodes in turn; NULL if there is none yet. */
static struct an_region *next_ripe(struct an_queue *q)
{
	struct an_source *source;
	int i, nid;

	for (i = 1; i <= nr_node_ids; i++) {
		nid = (q->turn + i) % nr_node_ids;
		source = &q->from[nid];
		if (list_empty(&source->hand))
			fill_hand(source);
		if (list_empty(&source->hand))
			continue;
		q->turn = nid;
		return list_first_entry(&source->hand, struct an_region, list);
	}
	return NULL;
}

struct an_region *an_queue_take(struct an_queue *q)
{
	struct an_region *r;

	spin_lock(&q->lock);
	r = next_ripe(q);
	if (r)
		unqueue(q, r);
	spin_unlock(&q->lock);
	return r;
}

struct an_decision an_region_about(const struct an_region *r,
				   enum an_reason why, unsigned long pages)
{
	struct an_decision d = an_about(r->tgid, why);

	d.from = r->from;
	d.to = r->to;
	d.addr = r->base;
	d.pages = pages;
	return d;
}

void an_region_drop(struct an_region *r, enum an_reason why)
{
	unsigned int left = bitmap_weight(r->wanted, AN_REGION_PAGES);
	struct an_decision d = an_region_about(r, why, left);

	if (left) {
		an_count(AN_C_MIGRATE_GIVEN_UP, left);
		an_count_reason(why, left);
		an_decided(given_up, &d);
	}
	free_region(r);
}

/* mmap_lock not had: to the end of its queue, unless that is hopeless. */
bool an_queue_put_back(struct an_queue *q, struct an_region *r)
{
	if (++r->tries > MAX_TRIES)
		return false;
	requeue(q, r);
	return true;
}

static void drop_all(struct list_head *regions, enum an_reason why)
{
	struct an_region *r, *next;

	list_for_each_entry_safe(r, next, regions, list)
		an_region_drop(r, why);
}

void an_queue_free(struct an_queue *q, enum an_reason why)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		drop_all(&q->from[nid].waiting, why);
		drop_all(&q->from[nid].hand, why);
	}
	kfree(q->from);
	kfree(q);
}

struct an_queue *an_queue_alloc(int nid)
{
	struct an_queue *q = kzalloc_node(sizeof(*q), GFP_KERNEL, nid);
	int i;

	if (!q)
		return NULL;
	q->from = kmalloc_array_node(nr_node_ids, sizeof(*q->from), GFP_KERNEL,
				     nid);
	if (!q->from) {
		kfree(q);
		return NULL;
	}
	for (i = 0; i < nr_node_ids; i++) {
		INIT_LIST_HEAD(&q->from[i].waiting);
		INIT_LIST_HEAD(&q->from[i].hand);
	}
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wait);
	q->nid = nid;
	return q;
}

/**
 * an_migrated_crowd - what threads want of the CPUs of a node
 * @nid: the node
 * @capacity: of its CPUs, AN_LOAD_ONE each
 * @wanted: of these
 *
 * Context: gear 4.
 */
void an_migrated_crowd(int nid, u32 capacity, u64 wanted)
{
	struct an_queue *q;

	rcu_read_lock();
	q = rcu_dereference(an_queues[nid]);
	if (q)
		WRITE_ONCE(q->crowded,
			   an_policy_crowded(capacity, wanted, q->crowded));
	rcu_read_unlock();
}

/* Would its worker take turns with threads? Only gear 4 knows. Context: RCU read side. */
bool an_migrated_crowded(int nid)
{
	const struct an_queue *q = rcu_dereference(an_queues[nid]);

	return q && READ_ONCE(an_params.balance) && READ_ONCE(q->crowded);
}

void an_migrated_state(int nid, struct an_queue_state *state)
{
	struct an_queue *q;

	memset(state, 0, sizeof(*state));
	rcu_read_lock();
	q = rcu_dereference(an_queues[nid]);
	if (q) {
		state->pages = READ_ONCE(q->pages);
		state->regions = READ_ONCE(q->regions);
		state->moving = atomic_long_read(&q->moving);
		state->carriers = atomic_read(&q->carriers);
		state->worked_ns = READ_ONCE(q->worked_ns);
	}
	rcu_read_unlock();
}

int an_migrated_init(void)
{
	an_queues = kcalloc(nr_node_ids, sizeof(*an_queues), GFP_KERNEL);
	region_cache = KMEM_CACHE(an_region, 0);
	if (an_queues && region_cache)
		return 0;
	an_migrated_exit();
	return -ENOMEM;
}

void an_migrated_exit(void)
{
	kmem_cache_destroy(region_cache);
	kfree(an_queues);
	an_queues = NULL;
}
