// SPDX-License-Identifier: GPL-2.0
/*
 * What the hinting faults of a process added up to, and where its threads run: what
 * the pace of gear 1, policy_pace.c, is drawn from.
 *
 * knuma_scand only, so no lock.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/topology.h>
#include "autonuma.h"
#include "balance.h"
#include "ballot.h"
#include "decision.h"
#include "pace.h"
#include "queue.h"
#include "rest.h"
#include "stats.h"
#include "trace.h"
#include "walk.h"

/*
 * A thread that leaves a node on which it was seen running for so long makes the scanner look
 * sooner; one that is carried about by wake-ups, each time that it runs, must not.
 */
#define STEADY_MS		2000

/* What a thread found running adds to the use of its node: room to forget. */
#define USE_ONE			256

/* Of that, one part in so many is forgotten, at most so often. */
#define USE_DECAY		16
#define USE_DECAY_MS		1000

/* Did this thread, which runs, leave a node on which it had been for long? */
static bool thread_moved(struct an_thread *stat, int nid)
{
	bool moved = stat->seen_node != NUMA_NO_NODE &&
		     time_after(stat->seen_last, stat->seen_since +
				msecs_to_jiffies(STEADY_MS));

	stat->seen_last = jiffies;
	if (stat->seen_node == nid)
		return false;
	stat->seen_node = nid;
	stat->seen_since = jiffies;
	return moved;
}

/* Only when it runs does a thread use memory. */
static void note_use(struct an_process *p, int nid)
{
	WRITE_ONCE(p->use[nid], p->use[nid] + USE_ONE);
}

/* Has one thread all faults of the process, and for how many passes? */
static void note_user(struct an_process *p, pid_t pid)
{
	if (p->user == pid)
		return;
	p->mixed = true;
	WRITE_ONCE(p->alone, 0);
	WRITE_ONCE(p->user, pid);
}

static void count_alone(struct an_process *p)
{
	if (!p->mixed && p->tally[AN_T_FAULTS] && p->alone < AN_ALONE_PASSES)
		WRITE_ONCE(p->alone, p->alone + 1);
	p->mixed = false;
}

/* What the faults of a thread added up to since the last look. */
static void collect(struct an_process *p, struct an_thread *stat, pid_t pid)
{
	u32 now, what;

	for (what = 0; what < AN_T_NR; what++) {
		now = READ_ONCE(stat->tally[what]);
		if (now == stat->taken[what])
			continue;
		p->tally[what] += now - stat->taken[what];
		if (what == AN_T_FAULTS)
			note_user(p, pid);
		if (what == AN_T_MOVED)
			an_queue_add_moved(p, now - stat->taken[what]);
		stat->taken[what] = now;
	}
}

/*
 * Does memory stay where a thread has gone from? What several share does not follow
 * one of them: if its home changes for that, gear 4 says so.
 */
static bool left_to_others(const struct an_process *p,
			   const struct an_thread *stat)
{
	return an_any_node(p->home) && an_thread_shares(stat);
}

/**
 * an_pace_collect - look at the threads of a process
 * @p: the process
 * @leader: of its thread group
 *
 * Context: knuma_scand, RCU read side.
 * Return: whether a thread that had been on a node for long has left memory there.
 */
bool an_pace_collect(struct an_process *p, struct task_struct *leader)
{
	struct an_thread *stat;
	struct task_struct *t;
	bool moved = false;
	int nid;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		collect(p, stat, t->pid);
		if (!task_is_running(t))
			continue;
		nid = cpu_to_node(task_cpu(t));
		if (thread_moved(stat, nid) && !left_to_others(p, stat))
			moved = true;
		note_use(p, nid);
	}
	return moved;
}

/* Longer on a node than wake-ups leave a thread on one that is not its own. */
#define SETTLED_MS	200

static s16 settled_on(const struct an_thread *stat)
{
	if (time_before(jiffies, stat->seen_since +
			msecs_to_jiffies(SETTLED_MS)))
		return AN_NO_NODE;
	return stat->seen_node;
}

/* A thread that had no fault in so many passes is not there for who uses what. */
#define USES_PASSES	8

static bool uses(const struct an_process *p, const struct an_thread *stat)
{
	return stat && p->pass - stat->pass <= USES_PASSES;
}

/* Of threads that use memory: the node of all, if it is known. */
static int node_with(int all_on, const struct an_process *p, const struct an_thread *stat)
{
	int nid = settled_on(stat);

	if (!uses(p, stat) || nid == AN_NO_NODE || nid == all_on)
		return all_on;
	return all_on == AN_NO_NODE ? nid : AN_NODES_SEVERAL;
}

/**
 * an_pace_pass_begins - where do the threads run whose pids pages may keep
 * @p: the process
 * @leader: of its thread group
 *
 * Two threads on different nodes that share their bits of the pid are not told
 * apart, but from one that had no fault for long: of hundreds most have none.
 *
 * Context: knuma_scand, RCU read side.
 */
void an_pace_pass_begins(struct an_process *p, struct task_struct *leader)
{
	DECLARE_BITMAP(others, AN_WHERE_SLOTS) = {};
	DECLARE_BITMAP(users, AN_WHERE_SLOTS) = {};
	const struct an_thread *stat;
	int all_on = AN_NO_NODE;
	unsigned long *seen;
	struct task_struct *t;
	u32 slot;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (stat)
			all_on = node_with(all_on, p, stat);
		slot = an_pid_bits(t->pid);
		seen = uses(p, stat) ? users : others;
		if (seen == others && test_bit(slot, users))
			continue;
		if (!stat || (test_bit(slot, seen) &&
			      p->where[slot] != settled_on(stat)))
			p->where[slot] = AN_NO_NODE;
		else
			p->where[slot] = settled_on(stat);
		__set_bit(slot, seen);
	}
	bitmap_or(users, users, others, AN_WHERE_SLOTS);
	for_each_clear_bit(slot, users, AN_WHERE_SLOTS)
		p->where[slot] = AN_WHERE_NOBODY;
	an_claims_pass(p, all_on);
}

/* Who reads some of it meanwhile, at a fault or in gear 4, has no lock. */
static void publish_pace(struct an_process *p, const struct an_pace *next)
{
	struct an_pace *pace = &p->pace;

	WRITE_ONCE(pace->period_ms, next->period_ms);
	WRITE_ONCE(pace->one_in, next->one_in);
	WRITE_ONCE(pace->rest_one_in, next->rest_one_in);
	WRITE_ONCE(pace->changed_pass, next->changed_pass);
	WRITE_ONCE(pace->changed, next->changed);
	WRITE_ONCE(pace->in_place, next->in_place);
	WRITE_ONCE(pace->all_in_place, next->all_in_place);
	pace->stirred = next->stirred;
	pace->stir_pass = next->stir_pass;
	pace->vain_passes = next->vain_passes;
	pace->moved_seen = next->moved_seen;
	pace->resident_seen = next->resident_seen;
}

/* Scan sooner: what was quiet may be so no longer. Context: knuma_scand. */
void an_pace_rearm(struct an_process *p)
{
	struct an_pace next = p->pace;

	an_policy_pace_sooner(&next, READ_ONCE(an_params.scan_period_min_ms));
	publish_pace(p, &next);
	p->roused_now = true;
}

/* Is it known of each thread where its memory is, and may gear 4 act on that? */
static bool may_change(const struct an_process *p)
{
	return READ_ONCE(an_params.balance) && p->mode == AN_MODE_ACT &&
	       p->pace.in_place && p->alone != AN_ALONE_PASSES &&
	       !an_any_node(p->home);
}

static struct an_pace_facts facts_of(const struct an_process *p)
{
	return (struct an_pace_facts){
		.pass = p->pass,
		.resident = p->resident,
		.size = max_t(u64, p->resident, get_mm_rss(p->mm)),
		.restless = p->restless,
		.asked = p->asked,
		.tries = p->tries && p->pass < AN_TRIALS_PASSES,
		.moved = atomic_long_read(&p->moved_ever),
		.to_spread = max(atomic_long_read(&p->spread), 0L),
		.spreads = p->spread_begun,
		.seen = p->tally[AN_T_SEEN],
		.rested = p->tally[AN_T_RESTED],
		.roused = p->tally[AN_T_ROUSED],
		.may_change = may_change(p),
		.min_ms = READ_ONCE(an_params.scan_period_min_ms),
		.max_ms = READ_ONCE(an_params.scan_period_max_ms),
		.pages_per_mib = SZ_1M / PAGE_SIZE,
	};
}

/*
 * After so long the faults of a pass have told who uses what; and so long at most the
 * next one waits for gear 4 to act on that.
 */
#define CHANGED_TELLS_MS	100
#define CHANGED_WAIT_MS		1000

/**
 * an_pace_tasks_first - should threads have changed places before the next pass
 * @p: the process
 *
 * Context: knuma_scand.
 */
bool an_pace_tasks_first(const struct an_process *p)
{
	unsigned long told = p->ended_jiffies +
			     msecs_to_jiffies(CHANGED_TELLS_MS);

	return an_policy_pace_awaits(&p->pace, p->pass) &&
	       !an_balance_looked_since(told) &&
	       time_before(jiffies, p->ended_jiffies +
			   msecs_to_jiffies(CHANGED_WAIT_MS));
}

/* Not before the next pass is due, which may be seconds away. Context: knuma_scand. */
void an_pace_look(struct an_process *p)
{
	struct an_pace next = p->pace;
	struct an_pace_facts facts;

	if (p->scanning)
		return;
	facts = facts_of(p);
	an_policy_pace_look(&next, &facts);
	publish_pace(p, &next);
}

static void say_pass_ended(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	d.pages = p->restless;
	an_count_reason(why, 1);
	an_decided(scan_end, &d);
}

static void conclude(struct an_process *p, struct task_struct *leader)
{
	struct an_pace_facts facts = facts_of(p);
	struct an_pace next = p->pace;
	enum an_reason why;

	why = an_policy_pace_ended(&next, &facts);
	an_policy_pace_placed(&next, p->pass, p->seen_local, p->seen);
	publish_pace(p, &next);
	say_pass_ended(p, why);
	trace_autonuma_pass(task_tgid_nr(leader), p->pass, p->resident,
			    p->restless, p->tally[AN_T_RESTED],
			    p->tally[AN_T_ROUSED], next.period_ms);
}

/* Halved per pass, so that it follows. */
static void book_faults(struct an_process *p)
{
	WRITE_ONCE(p->seen, p->seen / 2 + p->tally[AN_T_SEEN]);
	WRITE_ONCE(p->seen_local, p->seen_local / 2 + p->tally[AN_T_LOCAL]);
	WRITE_ONCE(p->seen_would_move, p->seen_would_move / 2 +
				       p->tally[AN_T_WOULD_MOVE]);
	WRITE_ONCE(p->faults, p->faults + p->tally[AN_T_SEEN]);
}

/*
 * Pages moved since the pass before, or still queued, may have been counted where
 * they were: with more than 1/8 of what is off the count tells too little.
 */
#define SPREAD_UNSURE_PART	8L

static bool count_is_sure(const struct an_process *p, u32 pages)
{
	long moved = atomic_long_read(&p->moved_ever) - p->pace.moved_seen;
	long moving = moved + atomic_long_read(&p->queued);

	return moving * SPREAD_UNSURE_PART <= pages;
}

/* Passes may be frequent: what threads do for a moment must not count for much. */
static void forget_use(struct an_process *p)
{
	int nid;

	if (time_before(jiffies, p->use_forgotten +
			msecs_to_jiffies(USE_DECAY_MS)))
		return;
	p->use_forgotten = jiffies;
	for (nid = 0; nid < nr_node_ids; nid++)
		WRITE_ONCE(p->use[nid], p->use[nid] -
					p->use[nid] / USE_DECAY);
}

/* Of all use, so much is most of it: one of two nodes that use memory alike has less. */
#define MOST_NUM	5
#define MOST_DEN	8

/* The node on which most of its threads run, AN_NO_NODE: on none. */
static int most_used(const struct an_process *p)
{
	u64 all = 0;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		all += p->use[nid];
	for (nid = 0; nid < nr_node_ids; nid++)
		if (p->use[nid] * MOST_DEN > all * MOST_NUM)
			return nid;
	return AN_NO_NODE;
}

/* Is its memory spread over its home nodes as it is used from there? */
static void set_spread(struct an_process *p)
{
	DECLARE_BITMAP(home, MAX_NUMNODES);
	DECLARE_BITMAP(core, MAX_NUMNODES);
	struct an_spread spread = {
		.nr_nodes = nr_node_ids,
		.pages = p->pages,
		.settled = p->settled,
		.use = p->use,
		.home = home,
		.core = core,
		.begun = p->spread_begun,
	};
	u32 pages;
	int nid;

	an_copy_nodes(home, p->home);
	an_copy_nodes(core, p->core);
	bitmap_and(core, core, home, nr_node_ids);
	atomic_long_set(&p->spread, 0);
	pages = an_policy_spread(&spread);
	p->spread_begun = pages;
	if (pages && count_is_sure(p, pages)) {
		for (nid = 0; nid < nr_node_ids; nid++)
			atomic_long_set(&p->off[nid],
					an_policy_spread_off(&spread, nid));
		atomic_long_set(&p->spread, pages);
	}
	forget_use(p);
}

/**
 * an_pace_pass_ended - draw the conclusions of a pass
 * @p: the process
 * @leader: of its thread group
 *
 * Context: knuma_scand, RCU read side.
 */
void an_pace_pass_ended(struct an_process *p, struct task_struct *leader)
{
	an_pace_collect(p, leader);
	count_alone(p);
	WRITE_ONCE(p->most_used, most_used(p));
	set_spread(p);
	book_faults(p);
	conclude(p, leader);
	an_rest_pass_ended(p);
	p->ended_jiffies = jiffies;
	memset(p->tally, 0, sizeof(p->tally));
}
