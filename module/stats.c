// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics of processes and threads: layout, lookup, decay, lifetime.
 */
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <trace/events/sched.h>
#include "autonuma.h"
#include "claims.h"
#include "policy.h"
#include "probe.h"
#include "regions.h"
#include "stats.h"
#include "walk.h"

#define PROCESS_HASH_BITS	8	/* balanced processes: hundreds */
#define THREAD_HASH_BITS	12	/* their threads: thousands */
#define THREAD_LOCK_BITS	6	/* births and deaths at the same time */

DEFINE_PER_CPU(struct an_counters, an_counters);

/* knuma_scand alone adds and deletes; readers are under RCU. */
LIST_HEAD(an_processes);
static struct hlist_head process_hash[1 << PROCESS_HASH_BITS];

/* Readers are under RCU; writers hold the lock of the bucket's stripe. */
static struct hlist_head thread_hash[1 << THREAD_HASH_BITS];
static spinlock_t thread_locks[1 << THREAD_LOCK_BITS];

static const char * const counter_names[AN_C_NR] = {
	[AN_C_SCAN_PASSES]	= "scan_passes",
	[AN_C_SCAN_COUNTED]	= "scan_counted",
	[AN_C_SCAN_PLANTED]	= "scan_planted",
	[AN_C_SCAN_LOCK_BUSY]	= "scan_lock_busy",
	[AN_C_FAULTS]		= "faults",
	[AN_C_FAULTS_LOCAL]	= "faults_local",
	[AN_C_NO_MEMORY]	= "no_memory",
	[AN_C_CHOICES_LOST]	= "choices_lost",
	[AN_C_QUEUED]		= "queued",
	[AN_C_QUEUE_FULL]	= "queue_full",
	[AN_C_CANCELLED]	= "cancelled",
	[AN_C_ISOLATED]		= "isolated",
	[AN_C_MIGRATED]		= "migrated",
	[AN_C_MIGRATE_FAILED]	= "migrate_failed",
	[AN_C_MIGRATE_STALE]	= "migrate_stale",
	[AN_C_MIGRATE_REFUSED]	= "migrate_refused",
	[AN_C_MIGRATE_GIVEN_UP]	= "migrate_given_up",
	[AN_C_RATE_LIMITED]	= "rate_limited",
	[AN_C_MIGRATE_COOLING]	= "migrate_cooling",
	[AN_C_TASK_MOVES]	= "task_moves",
	[AN_C_TASK_SWAPS]	= "task_swaps",
	[AN_C_TASK_STEPS_FAILED] = "task_steps_failed",
	[AN_C_TASK_MOVES_UNDONE] = "task_moves_undone",
	[AN_C_PULLS_AGAINST]	= "pulls_against",
	[AN_C_PULLS_HOME]	= "pulls_home",
	[AN_C_TAKEN_BACK]	= "taken_back",
	[AN_C_LEFT_PLANTED]	= "left_planted",
	[AN_C_SCAND_NS]		= "scand_ns",
	[AN_C_MIGRATED_NS]	= "migrated_ns",
	[AN_C_BALANCED_NS]	= "balanced_ns",
};

const char *an_counter_name(enum an_counter which)
{
	return counter_names[which];
}

/* Of one word of an_counters over all CPUs. */
static u64 sum_of(const u64 __percpu *word)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(word, cpu));
	return sum;
}

u64 an_counter_sum(enum an_counter which)
{
	return sum_of(&an_counters.count[which]);
}

u64 an_reason_sum(enum an_reason why)
{
	return sum_of(&an_counters.reason[why]);
}

static struct hlist_head *process_bucket(const struct mm_struct *mm)
{
	return &process_hash[hash_ptr(mm, PROCESS_HASH_BITS)];
}

/* Context: RCU read side. */
struct an_process *an_process_find(const struct mm_struct *mm)
{
	struct an_process *p;

	hlist_for_each_entry_rcu(p, process_bucket(mm), hash)
		if (p->mm == mm)
			return p;
	return NULL;
}

static void process_free(struct an_process *p)
{
	put_pid(p->pid);
	an_choice_put(p->choice);
	if (p->mm)
		mmdrop(p->mm);
	bitmap_free(p->home);
	bitmap_free(p->core);
	kfree(p->off);
	an_regions_free(p);
	kfree(p->where);
	kfree(p->use);
	kfree(p->pages);
	kfree(p->counting);
	kfree(p->settled);
	kfree(p);
}

static bool alloc_per_node(struct an_process *p)
{
	p->home = bitmap_zalloc(nr_node_ids, GFP_KERNEL);
	p->core = bitmap_zalloc(nr_node_ids, GFP_KERNEL);
	p->off = kcalloc(nr_node_ids, sizeof(*p->off), GFP_KERNEL);
	p->where = kcalloc(AN_WHERE_SLOTS, sizeof(*p->where), GFP_KERNEL);
	p->use = kcalloc(nr_node_ids, sizeof(*p->use), GFP_KERNEL);
	p->pages = kcalloc(nr_node_ids, sizeof(*p->pages), GFP_KERNEL);
	p->counting = kcalloc(nr_node_ids, sizeof(*p->counting), GFP_KERNEL);
	p->settled = kcalloc(nr_node_ids, sizeof(*p->settled), GFP_KERNEL);
	return p->home && p->core && p->off && p->where && p->use &&
	       p->pages && p->counting && p->settled;
}

/*
 * Context: knuma_scand, may sleep. @choice is held by the caller, and by the new
 * entry too. Return: the entry, NULL without memory.
 */
struct an_process *an_process_add(struct mm_struct *mm, struct pid *pid,
				  struct an_choice *choice)
{
	struct an_process *p = kzalloc(sizeof(*p), GFP_KERNEL);
	static u64 serial;

	if (!p) {
		an_count(AN_C_NO_MEMORY, 1);
		return NULL;
	}
	xa_init(&p->blocks);
	xa_init(&p->leads);
	if (!alloc_per_node(p)) {
		an_count(AN_C_NO_MEMORY, 1);
		process_free(p);
		return NULL;
	}
	mmgrab(mm);
	p->mm = mm;
	p->pid = get_pid(pid);
	p->serial = ++serial;
	p->choice = an_choice_get(choice);
	p->mode = an_choice_mode(choice);
	p->forecast_pm = AUTONUMA_UNKNOWN;
	p->most_used = AN_NO_NODE;
	an_policy_pace_start(&p->pace, READ_ONCE(an_params.scan_period_min_ms));
	atomic_set(&p->trials, AN_TRIALS_FIRST);
	if (choice)
		WRITE_ONCE(choice->processes, choice->processes + 1);
	an_claims_begin(p);
	list_add_tail_rcu(&p->list, &an_processes);
	hlist_add_head_rcu(&p->hash, process_bucket(mm));
	return p;
}

/* What a process costs while it is balanced, without its blocks. */
size_t an_process_bytes(void)
{
	return sizeof(struct an_process) +
	       2 * BITS_TO_LONGS(nr_node_ids) * sizeof(long) +
	       nr_node_ids * (3 * sizeof(u32) + sizeof(u64) + sizeof(atomic_long_t)) +
	       AN_WHERE_SLOTS * sizeof(s16);
}

/* Adds what was done for the process. Context: any that keeps it. */
void an_process_account(const struct an_process *p, struct an_account *sum)
{
	sum->planted += READ_ONCE(p->planted);
	sum->faults += READ_ONCE(p->faults);
	sum->moved += atomic_long_read(&p->moved_ever);
	sum->scand_ns += READ_ONCE(p->scand_ns);
	sum->migrated_ns += atomic64_read(&p->migrated_ns);
	sum->balanced_ns += READ_ONCE(p->balanced_ns);
}

/* Fewer pages seen by faults than this tell nothing of the whole. */
#define MIN_SEEN	256

/* @local of @seen pages in 1/1000, or AUTONUMA_UNKNOWN. */
u32 an_share_pm(u64 local, u64 seen)
{
	if (seen < MIN_SEEN)
		return AUTONUMA_UNKNOWN;
	return div64_u64(min(local, seen) * 1000, seen);
}

/* Dry run: how many of the process's pages are to be moved, by those seen. */
u64 an_process_would_move(const struct an_process *p)
{
	u64 seen = READ_ONCE(p->seen), would = READ_ONCE(p->seen_would_move);

	if (seen < MIN_SEEN)
		return 0;
	return div64_u64(min(would, seen) * READ_ONCE(p->resident), seen);
}

/*
 * Out of sight for new readers, on to @dead. The mm_struct must not be dropped
 * from an RCU callback (its page directory is freed under a plain spinlock),
 * so deletion is a list and one sleep. Context: knuma_scand, or no gear runs.
 */
void an_process_unlink(struct an_process *p, struct list_head *dead)
{
	if (p->choice) {
		an_process_account(p, &p->choice->ended);
		WRITE_ONCE(p->choice->processes, p->choice->processes - 1);
	}
	an_claims_end(p);
	hlist_del_rcu(&p->hash);
	list_del_rcu(&p->list);
	list_add(&p->dead, dead);
}

/* Free what was unlinked a grace period ago. Context: as above, sleeps. */
void an_process_reap(struct list_head *dead)
{
	struct an_process *p, *next;

	list_for_each_entry_safe(p, next, dead, dead)
		process_free(p);
	INIT_LIST_HEAD(dead);
}

static struct hlist_head *thread_bucket(const struct task_struct *task)
{
	return &thread_hash[hash_ptr(task, THREAD_HASH_BITS)];
}

static spinlock_t *thread_lock(const struct hlist_head *bucket)
{
	return &thread_locks[(bucket - thread_hash) % ARRAY_SIZE(thread_locks)];
}

/* Context: RCU read side or the lock of the bucket; any other lock held. */
struct an_thread *an_thread_find(const struct task_struct *task)
{
	struct hlist_head *bucket = thread_bucket(task);
	struct an_thread *t;

	hlist_for_each_entry_rcu(t, bucket, hash,
				 lockdep_is_held(thread_lock(bucket)))
		if (t->task == task)
			return t;
	return NULL;
}

/* What a thread costs from its first hinting fault to its exit. */
size_t an_thread_bytes(void)
{
	return struct_size_t(struct an_thread, nodes, 2 * nr_node_ids);
}

static struct an_thread *thread_alloc(const struct task_struct *task)
{
	struct an_thread *t;

	t = kzalloc(an_thread_bytes(), GFP_NOWAIT | __GFP_NOWARN);
	if (!t) {
		an_count(AN_C_NO_MEMORY, 1);
		return NULL;
	}
	t->task = task;
	t->mm = READ_ONCE(task->mm);
	t->weight = 1;
	t->fault_node = NUMA_NO_NODE;
	t->queued_to = NUMA_NO_NODE;
	t->moved_to = NUMA_NO_NODE;
	t->seen_node = NUMA_NO_NODE;
	t->stay_node = NUMA_NO_NODE;
	t->best = NUMA_NO_NODE;
	return t;
}

static void thread_del(struct an_thread *t)
{
	hlist_del_rcu(&t->hash);
	kfree_rcu(t, rcu);
}

/*
 * The entry of @task, made if need be. Context: RCU read side, atomic.
 * Return: NULL without memory, or if @task exits. Here: insert, then look for
 * PF_EXITING; in probe_exit(): PF_EXITING, then look for the entry. So one of
 * the two sees the other, and no entry outlives its task.
 */
struct an_thread *an_thread_get(struct task_struct *task)
{
	struct hlist_head *bucket = thread_bucket(task);
	struct an_thread *t = an_thread_find(task), *other;

	if (t)
		return t;
	t = thread_alloc(task);
	if (!t)
		return NULL;
	spin_lock(thread_lock(bucket));
	other = an_thread_find(task);
	if (other) {
		kfree(t);
	} else {
		hlist_add_head_rcu(&t->hash, bucket);
		smp_mb();	/* pairs with the one in probe_exit() */
		if (READ_ONCE(task->flags) & PF_EXITING)
			thread_del(t);
		else
			other = t;
	}
	spin_unlock(thread_lock(bucket));
	return other;
}

/* Probe of sched_process_exit. Locks nothing for a thread that is not ours. */
static void probe_exit(void *data, struct task_struct *task)
{
	struct hlist_head *bucket = thread_bucket(task);
	struct an_thread *t;

	smp_mb();	/* pairs with the one in an_thread_get() */
	rcu_read_lock();
	t = an_thread_find(task);
	rcu_read_unlock();
	if (!t)
		return;
	spin_lock(thread_lock(bucket));
	t = an_thread_find(task);
	if (t)
		thread_del(t);
	spin_unlock(thread_lock(bucket));
}

static void thread_reset(struct an_thread *t, const struct mm_struct *mm)
{
	memset(t->nodes, 0, 2 * nr_node_ids * sizeof(t->nodes[0]));
	t->known_private = 0;
	t->known_shared = 0;
	WRITE_ONCE(t->mm, mm);
}

/*
 * Halve the statistics at the thread's first fault in a new pass of its
 * process, once however many it missed: a thread that slept is still where it
 * was. What it used before the use of memory changed tells nothing any more. Forget
 * them if the thread has changed its mm. Context: current.
 */
void an_thread_decay(struct an_thread *t, const struct an_process *p)
{
	u32 pass = READ_ONCE(p->pass), changed = READ_ONCE(p->pace.changed_pass);
	bool keep;
	int i;

	if (t->mm != p->mm)
		thread_reset(t, p->mm);
	if (t->pass == pass)
		return;
	keep = an_pass_reached(t->pass, changed) ||
	       !an_pass_reached(pass, changed);
	t->pass = pass;
	for (i = 0; i < 2 * nr_node_ids; i++)
		WRITE_ONCE(t->nodes[i], t->nodes[i] / 2 * keep);
	WRITE_ONCE(t->known_private, t->known_private / 2 * keep);
	WRITE_ONCE(t->known_shared, t->known_shared / 2 * keep);
	t->hops /= 2;
}

/* Most of what the thread touches was last touched by another thread. */
bool an_thread_shares(const struct an_thread *t)
{
	u32 shared = READ_ONCE(t->known_shared);
	u32 known = shared + READ_ONCE(t->known_private);

	return known && (u64)shared * AN_SHARER_DEN >= (u64)known * AN_SHARER_NUM;
}

/* Of pages that tell nothing: as many as of those that do. */
u32 an_thread_shared_part(const struct an_thread *t, u32 pages)
{
	u32 shared = READ_ONCE(t->known_shared);
	u32 known = shared + READ_ONCE(t->known_private);

	return known ? div_u64((u64)pages * shared, known) : 0;
}

/* Hardly anything it touches is touched by another thread; some is known. */
bool an_thread_owns(const struct an_thread *t)
{
	u32 shared = READ_ONCE(t->known_shared);
	u32 private = READ_ONCE(t->known_private);

	return private && shared < private / AN_OWNER_PART;
}

static void clear_threads(void)
{
	struct hlist_head *bucket;
	struct hlist_node *next;
	struct an_thread *t;
	int i;

	for (i = 0; i < ARRAY_SIZE(thread_hash); i++) {
		bucket = &thread_hash[i];
		spin_lock(thread_lock(bucket));
		hlist_for_each_entry_safe(t, next, bucket, hash)
			thread_del(t);
		spin_unlock(thread_lock(bucket));
	}
}

void an_stats_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(thread_locks); i++)
		spin_lock_init(&thread_locks[i]);
}

/* Waits until what an_stats_stop() has freed is free. */
void an_stats_exit(void)
{
	rcu_barrier();
}

/* From here on entries may be made: the end of a thread takes its own along. */
int an_stats_start(void)
{
	check_trace_callback_type_sched_process_exit(probe_exit);
	return an_probe_attach("sched_process_exit", probe_exit);
}

/* Forget everything. Context: no gear runs and no hook is called. */
void an_stats_stop(void)
{
	struct an_process *p, *next;
	LIST_HEAD(dead);

	an_probe_detach("sched_process_exit", probe_exit);
	list_for_each_entry_safe(p, next, &an_processes, list)
		an_process_unlink(p, &dead);
	synchronize_rcu();	/* who reads what people look at */
	an_process_reap(&dead);
	clear_threads();
}
