// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 3, knuma_migratedN: a worker per node with memory brings pages to its
 * node, a batch at a time, from a queue per source node, in turn.
 *
 * What is queued is an address, never a page: it may be freed, split, copied
 * or moved meanwhile as if it had never been queued. The worker looks it up
 * again and checks everything that was true when it was queued.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/nodemask.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "migrated.h"
#include "scope.h"
#include "stats.h"
#include "trace.h"
#include "walk.h"

#define REGION_SIZE		PMD_SIZE
#define REGION_PAGES		(REGION_SIZE / PAGE_SIZE)

/* Regions queued for one node: 4096 of 2 MiB are 8 GiB, in under 1 MiB. */
#define MAX_REGIONS		4096
#define QUEUE_HASH_BITS		8

/* A region that is not full waits this long for its neighbours' faults. */
#define GATHER_MS		20

/* mmap_lock not had so many times in a row: the next fault may queue again. */
#define MAX_TRIES		8

/* The longest a worker sleeps after batches that moved nothing. */
#define MAX_BACKOFF_MS		1000

/*
 * More pages moved lately (halved per pass) than 3/2 of what the process has
 * cannot be progress: its pages come back. Leave them until that decays.
 */
#define RETURNS_NUM		3
#define RETURNS_DEN		2

/*
 * struct an_region - queued pages of one region, one source and one target
 *
 * Lifetime: made by a fault, owned by the queue and changed under its lock
 * until the worker takes it out, then owned by the worker, which frees it.
 * Holds mm_count, never mm_users and never a page.
 */
struct an_region {
	struct list_head list;
	struct hlist_node hash;
	struct mm_struct *mm;
	unsigned long base;
	unsigned long born;		/* jiffies */
	int from, to;
	unsigned int pages;		/* bits set */
	unsigned int tries;
	DECLARE_BITMAP(wanted, REGION_PAGES);
};

/*
 * struct an_queue - what is to come to one node, and who brings it
 *
 * @lock nests inside page table locks (faults queue under them), so nothing
 * that takes one may be called under it. Lifetime: from an_migrated_start()
 * to an_migrated_stop(), when no hook is called any more.
 */
struct an_queue {
	spinlock_t lock;
	struct list_head *from;		/* by source node */
	struct hlist_head hash[1 << QUEUE_HASH_BITS];
	unsigned int regions;
	unsigned long pages;
	int turn;			/* source node served last */
	u64 rate_ns;			/* time up to which the rate is spent */

	/* the worker's own */
	int nid;
	struct task_struct *worker;
	wait_queue_head_t wait;
	unsigned int backoff_ms;
	unsigned long moving;
};

/* By target node; NULL where a node had no memory when the gears started. */
static struct an_queue **queues;
static struct kmem_cache *region_cache;

static struct hlist_head *bucket_of(struct an_queue *q,
				    const struct mm_struct *mm,
				    unsigned long base)
{
	return &q->hash[hash_long((unsigned long)mm ^ base, QUEUE_HASH_BITS)];
}

static struct an_region *find_region(struct an_queue *q,
				     const struct an_span *span)
{
	unsigned long base = ALIGN_DOWN(span->addr, REGION_SIZE);
	struct an_region *r;

	hlist_for_each_entry(r, bucket_of(q, span->mm, base), hash)
		if (r->mm == span->mm && r->base == base &&
		    r->from == span->from)
			return r;
	return NULL;
}

static struct an_region *new_region(struct an_queue *q,
				    const struct an_span *span)
{
	struct an_region *r;

	if (q->regions >= MAX_REGIONS)
		return NULL;
	r = kmem_cache_zalloc(region_cache, GFP_NOWAIT | __GFP_NOWARN);
	if (!r)
		return NULL;
	mmgrab(span->mm);
	r->mm = span->mm;
	r->base = ALIGN_DOWN(span->addr, REGION_SIZE);
	r->born = jiffies;
	r->from = span->from;
	r->to = span->to;
	list_add_tail(&r->list, &q->from[r->from]);
	hlist_add_head(&r->hash, bucket_of(q, r->mm, r->base));
	q->regions++;
	return r;
}

static void free_region(struct an_region *r)
{
	mmdrop(r->mm);
	kmem_cache_free(region_cache, r);
}

/* Sets or clears the bits of @span. Returns how many changed. */
static unsigned int mark_span(struct an_region *r, const struct an_span *span,
			      bool set)
{
	unsigned int bit = (span->addr - r->base) >> PAGE_SHIFT, changed = 0, i;

	for (i = bit; i < bit + span->pages; i++)
		changed += set ? !__test_and_set_bit(i, r->wanted) :
				 __test_and_clear_bit(i, r->wanted);
	return changed;
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

static void add_moved(struct an_process *p, unsigned long pages)
{
	atomic_long_add(pages, &p->moved);
	atomic_long_add(pages, &p->moved_ever);
}

/**
 * an_migrated_queue - ask for pages to be brought to another node
 * @p: their process
 * @span: which, from where, to where
 *
 * Context: atomic, page table lock and RCU read side held.
 * Return: whether the pages are queued now.
 */
bool an_migrated_queue(struct an_process *p, const struct an_span *span)
{
	struct an_queue *q = queues[span->to];
	unsigned int added = 0;
	struct an_region *r;

	if (!q || cooling(p, span))
		return false;
	spin_lock(&q->lock);
	r = find_region(q, span) ?: new_region(q, span);
	if (r) {
		added = mark_span(r, span, true);
		r->pages += added;
		q->pages += added;
	}
	spin_unlock(&q->lock);
	if (!r) {
		an_count(AN_C_QUEUE_FULL, span->pages);
		return false;
	}
	an_count(AN_C_QUEUED, added);
	if (wq_has_sleeper(&q->wait))
		wake_up(&q->wait);
	return true;
}

/**
 * an_migrated_cancel - pages that may be queued for node @to shall stay
 * @span: which pages, and where they are
 * @to: the node that a fault may have queued them for
 *
 * Context: as an_migrated_queue(). An emptied region is left to the worker.
 */
void an_migrated_cancel(const struct an_span *span, int to)
{
	struct an_queue *q = queues[to];
	unsigned int taken = 0;
	struct an_region *r;

	if (!q || !READ_ONCE(q->regions))
		return;
	spin_lock(&q->lock);
	r = find_region(q, span);
	if (r) {
		taken = mark_span(r, span, false);
		r->pages -= taken;
		q->pages -= taken;
	}
	spin_unlock(&q->lock);
	if (taken)
		an_count(AN_C_CANCELLED, taken);
}

/* What so many pages cost of the rate, in ns. Rate 0: unlimited. */
static u64 rate_cost(unsigned long pages)
{
	u64 rate = READ_ONCE(an_params.migrate_rate_mbps);

	if (!rate)
		return 0;
	return div64_u64((u64)pages * PAGE_SIZE * (NSEC_PER_SEC >> 20), rate);
}

/* Spend the rate of @q. Returns how long it is overdrawn, in ns. */
static u64 rate_spend(struct an_queue *q, unsigned long pages)
{
	u64 now = ktime_get_ns(), overdrawn;

	spin_lock(&q->lock);
	q->rate_ns = max(q->rate_ns, now) + rate_cost(pages);
	overdrawn = q->rate_ns - now;
	spin_unlock(&q->lock);
	return overdrawn;
}

/* A fault may run ahead of the rate by so much. */
#define FAULT_RATE_SLACK_NS	(10 * NSEC_PER_MSEC)

/**
 * an_migrated_admit - may this fault migrate its pages itself
 * @p: their process
 * @span: which, from where, to where
 * @pages: of the whole folio, which moves as one
 *
 * Context: as an_migrated_queue().
 */
bool an_migrated_admit(struct an_process *p, const struct an_span *span,
		       unsigned long pages)
{
	struct an_queue *q = queues[span->to];

	if (!q || cooling(p, span))
		return false;
	if (READ_ONCE(q->rate_ns) > ktime_get_ns() + FAULT_RATE_SLACK_NS) {
		an_count(AN_C_RATE_LIMITED, 1);
		return false;
	}
	rate_spend(q, pages);
	an_count(AN_C_ISOLATED, pages);
	add_moved(p, pages);
	return true;
}

static bool region_ripe(const struct an_region *r)
{
	return r->pages == REGION_PAGES || !r->pages ||
	       time_after(jiffies, r->born + msecs_to_jiffies(GATHER_MS));
}

static void unqueue(struct an_queue *q, struct an_region *r)
{
	list_del(&r->list);
	hlist_del(&r->hash);
	q->regions--;
	q->pages -= r->pages;
}

/* The next ripe region, source nodes in turn; NULL if there is none yet. */
static struct an_region *next_ripe(struct an_queue *q)
{
	struct an_region *r;
	int i, nid;

	for (i = 1; i <= nr_node_ids; i++) {
		nid = (q->turn + i) % nr_node_ids;
		r = list_first_entry_or_null(&q->from[nid], struct an_region,
					     list);
		if (r && region_ripe(r)) {
			q->turn = nid;
			return r;
		}
	}
	return NULL;
}

static struct an_region *take_region(struct an_queue *q)
{
	struct an_region *r;

	spin_lock(&q->lock);
	r = next_ripe(q);
	if (r)
		unqueue(q, r);
	spin_unlock(&q->lock);
	return r;
}

static struct folio *alloc_target(struct folio *src, unsigned long nid)
{
	unsigned int order = folio_order(src);
	gfp_t gfp = __GFP_THISNODE;

	if (order)
		gfp |= GFP_TRANSHUGE_LIGHT;
	else
		gfp |= (GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM) |
		       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	return __folio_alloc_node(gfp, order, nid);
}

/* Is the process still balanced, and may it have memory on the target? */
static bool still_wanted(const struct an_region *r)
{
	struct task_struct *leader;
	struct an_process *p;
	bool ok = false;

	if (READ_ONCE(an_params.migrate) != AN_MIGRATE_ASYNC || !an_running() ||
	    !node_state(r->to, N_MEMORY))
		return false;
	rcu_read_lock();
	p = an_process_find(r->mm);
	leader = p ? an_process_leader(p) : NULL;
	if (leader)
		ok = an_scope_node_allowed(leader, r->to);
	rcu_read_unlock();
	return ok;
}

/* Every mapping of the region, as far as it may have pages on the target. */
static void isolate_region(struct an_region *r, struct an_isolate *iso)
{
	unsigned long end = r->base + REGION_SIZE, start;
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
	iso->stale += bitmap_weight(r->wanted, REGION_PAGES);
	bitmap_zero(r->wanted, REGION_PAGES);
}

enum an_batch { BATCH_DONE, BATCH_LOCKED, BATCH_DEAD };

static enum an_batch collect_batch(struct an_region *r, struct an_isolate *iso)
{
	if (!mmget_not_zero(r->mm))
		return BATCH_DEAD;
	if (!mmap_read_trylock(r->mm)) {
		mmput_async(r->mm);
		return BATCH_LOCKED;
	}
	isolate_region(r, iso);
	mmap_read_unlock(r->mm);
	mmput_async(r->mm);
	return BATCH_DONE;
}

static void book_moved(struct an_region *r, unsigned int moved)
{
	struct an_process *p;

	count_vm_numa_events(NUMA_PAGE_MIGRATE, moved);
	count_memcg_events_mm(r->mm, NUMA_PAGE_MIGRATE, moved);
	rcu_read_lock();
	p = an_process_find(r->mm);
	if (p)
		add_moved(p, moved);
	rcu_read_unlock();
}

/* Moves what was isolated. Returns pages moved. */
static unsigned int move_batch(struct an_queue *q, struct an_region *r,
			       struct an_isolate *iso)
{
	unsigned int moved = 0;

	if (list_empty(iso->folios))
		return 0;
	WRITE_ONCE(q->moving, iso->isolated);
	if (migrate_pages(iso->folios, alloc_target, NULL, r->to, MIGRATE_ASYNC,
			  MR_NUMA_MISPLACED, &moved) &&
	    !list_empty(iso->folios))
		putback_movable_pages(iso->folios);
	WRITE_ONCE(q->moving, 0);
	if (moved)
		book_moved(r, moved);
	return moved;
}

/* Pages of a region that moved, and that were there and did not. */
struct an_outcome {
	unsigned long moved, stayed;
};

/* One batch of a region. BATCH_LOCKED: try again later. */
static enum an_batch do_batch(struct an_queue *q, struct an_region *r,
			      struct an_outcome *out)
{
	LIST_HEAD(folios);
	struct an_isolate iso = {
		.base = r->base,
		.wanted = r->wanted,
		.from = r->from,
		.to = r->to,
		.limit = READ_ONCE(an_params.migrate_batch),
		.folios = &folios,
	};
	enum an_batch result = collect_batch(r, &iso);
	unsigned int done = move_batch(q, r, &iso);

	an_count(AN_C_ISOLATED, iso.isolated);
	an_count(AN_C_MIGRATED, done);
	an_count(AN_C_MIGRATE_FAILED, iso.isolated - done);
	an_count(AN_C_MIGRATE_STALE, iso.stale);
	an_count(AN_C_MIGRATE_REFUSED, iso.refused);
	out->moved += done;
	out->stayed += iso.isolated - done + iso.refused;
	return result;
}

static void sleep_ms(unsigned int ms)
{
	if (ms)
		schedule_timeout_interruptible(msecs_to_jiffies(ms));
}

static void keep_rate(struct an_queue *q, unsigned long pages)
{
	u64 overdrawn = rate_spend(q, pages);

	if (overdrawn < NSEC_PER_MSEC)
		return;
	an_count(AN_C_RATE_LIMITED, 1);
	sleep_ms(div_u64(overdrawn, NSEC_PER_MSEC));
}

/* mmap_lock not had: to the end of its queue, unless that is hopeless. */
static bool requeue(struct an_queue *q, struct an_region *r)
{
	if (++r->tries > MAX_TRIES) {
		an_count(AN_C_MIGRATE_GIVEN_UP, r->pages);
		return false;
	}
	spin_lock(&q->lock);
	r->pages = bitmap_weight(r->wanted, REGION_PAGES);
	r->born = jiffies;
	list_add_tail(&r->list, &q->from[r->from]);
	hlist_add_head(&r->hash, bucket_of(q, r->mm, r->base));
	q->regions++;
	q->pages += r->pages;
	spin_unlock(&q->lock);
	return true;
}

/* Only pages that would not move are a reason to wait: full target, busy pages. */
static void back_off(struct an_queue *q, const struct an_outcome *out)
{
	if (out->moved || !out->stayed)
		q->backoff_ms = 0;
	else
		q->backoff_ms = clamp(q->backoff_ms * 2, 1U, MAX_BACKOFF_MS);
	sleep_ms(q->backoff_ms);
}

static void carry_out(struct an_queue *q, struct an_region *r)
{
	enum an_batch result = BATCH_DONE;
	struct an_outcome out = {};
	unsigned long before;

	while (!bitmap_empty(r->wanted, REGION_PAGES) && still_wanted(r) &&
	       !kthread_should_stop()) {
		before = out.moved;
		result = do_batch(q, r, &out);
		if (result != BATCH_DONE)
			break;
		keep_rate(q, out.moved - before);
		cond_resched();
	}
	trace_autonuma_migrate(r->base, r->from, r->to, r->pages, out.moved);
	back_off(q, &out);
	if (result != BATCH_LOCKED || !requeue(q, r))
		free_region(r);
}

static int migrated_main(void *data)
{
	struct an_queue *q = data;
	struct an_region *r;

	while (!kthread_should_stop()) {
		wait_event_interruptible(q->wait, READ_ONCE(q->regions) ||
					 kthread_should_stop());
		r = take_region(q);
		if (r)
			carry_out(q, r);
		else
			sleep_ms(GATHER_MS);
	}
	return 0;
}

static void queue_free(struct an_queue *q)
{
	struct an_region *r, *next;
	int nid;

	for (nid = 0; q->from && nid < nr_node_ids; nid++)
		list_for_each_entry_safe(r, next, &q->from[nid], list)
			free_region(r);
	kfree(q->from);
	kfree(q);
}

static struct an_queue *queue_alloc(int nid)
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
	for (i = 0; i < nr_node_ids; i++)
		INIT_LIST_HEAD(&q->from[i]);
	spin_lock_init(&q->lock);
	init_waitqueue_head(&q->wait);
	q->nid = nid;
	return q;
}

/* To the node's CPUs, but not to isolated ones; free if none is left. */
static void bind_worker(struct task_struct *worker, int nid)
{
	cpumask_var_t mask;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	if (cpumask_and(mask, cpumask_of_node(nid),
			housekeeping_cpumask(HK_TYPE_DOMAIN)))
		set_cpus_allowed_ptr(worker, mask);
	free_cpumask_var(mask);
}

static int queue_start(int nid)
{
	struct an_queue *q = queue_alloc(nid);
	struct task_struct *worker;

	if (!q)
		return -ENOMEM;
	worker = kthread_create_on_node(migrated_main, q, nid,
					"knuma_migrated%d", nid);
	if (IS_ERR(worker)) {
		queue_free(q);
		return PTR_ERR(worker);
	}
	bind_worker(worker, nid);
	q->worker = worker;
	queues[nid] = q;
	wake_up_process(worker);
	return 0;
}

/* Start a worker per node with memory. Context: no hook is called yet. */
int an_migrated_start(void)
{
	int nid, err;

	for_each_node_state(nid, N_MEMORY) {
		err = queue_start(nid);
		if (err) {
			an_migrated_stop();
			return err;
		}
	}
	return 0;
}

/* Stop the workers, forget what is queued. Context: no hook is called. */
void an_migrated_stop(void)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		if (!queues[nid])
			continue;
		kthread_stop(queues[nid]->worker);
		queue_free(queues[nid]);
		queues[nid] = NULL;
	}
}

void an_migrated_state(int nid, struct an_queue_state *state)
{
	struct an_queue *q = queues[nid];

	memset(state, 0, sizeof(*state));
	if (!q)
		return;
	state->pages = READ_ONCE(q->pages);
	state->regions = READ_ONCE(q->regions);
	state->moving = READ_ONCE(q->moving);
}

/* Pages queued for all nodes together, about. Context: gears run. */
unsigned long an_migrated_backlog(void)
{
	unsigned long pages = 0;
	int nid;

	for_each_node_state(nid, N_MEMORY)
		if (queues[nid])
			pages += READ_ONCE(queues[nid]->pages);
	return pages;
}

int an_migrated_init(void)
{
	queues = kcalloc(nr_node_ids, sizeof(*queues), GFP_KERNEL);
	region_cache = KMEM_CACHE(an_region, 0);
	if (queues && region_cache)
		return 0;
	an_migrated_exit();
	return -ENOMEM;
}

void an_migrated_exit(void)
{
	kmem_cache_destroy(region_cache);
	kfree(queues);
	queues = NULL;
}
