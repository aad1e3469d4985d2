// SPDX-License-Identifier: GPL-2.0
/*
 * The pace of gear 1: at the end of a pass, how soon the next one comes, and of
 * which pages it plants all; and what the hinting faults since then added up to.
 *
 * knuma_scand only, so no lock.
 */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>
#include "autonuma.h"
#include "balance.h"
#include "decision.h"
#include "pace.h"
#include "queue.h"
#include "rest.h"
#include "stats.h"
#include "trace.h"
#include "walk.h"

/*
 * Of what is expected to stay as it is, one part in 16 is looked at; of a small
 * process more, of a large one fewer: 2048 to 524,288 pages, of which gear 1
 * makes a few of each region fault.
 */
#define SAMPLE_ONE_IN		16UL
#define SAMPLE_PAGES_MIN	2048
#define SAMPLE_PAGES_MAX	524288

/*
 * A quiet process is walked every second of CPU time at least, or so much later as
 * it is larger: 2 s for each GiB, for a walk of some 3 ms.
 */
#define QUIET_MS		1000
#define QUIET_MS_PER_GIB	2000
#define QUIET_PAGES_PER_MS	((1UL << (30 - PAGE_SHIFT)) / QUIET_MS_PER_GIB)

/* Up to 1/16 of the pages not at rest are little to gain. */
#define QUIET_ONE_IN		16

/*
 * More than 1/10 of the faults on pages at rest came from elsewhere: the use of
 * memory has changed, so all pages are looked at again.
 */
#define STIRRED_ONE_IN		10

/*
 * What has begun to be used from elsewhere, and still is after so many passes, is so
 * for good.
 */
#define CHANGED_PASSES		8

/*
 * A thread that leaves a node after so long makes the scanner look sooner; one
 * that is carried about by wake-ups all the time must not.
 */
#define STEADY_MS		2000

/*
 * Faults on fewer pages at rest than this, by those they stand for, tell nothing:
 * 8 samples of regions, or two huge pages.
 */
#define MIN_REST_FAULTS		1024

/*
 * So many passes that moved less than 1/16 of the pages not at rest: what is
 * remote stays so, be it shared, its target full or its threads away from home.
 */
#define VAIN_PASSES		4
#define VAIN_PART		16L

/* A process that never had more than 15/16 of its memory before has just begun. */
#define GROWTH_PART		16

/* What a thread found running adds to the use of its node: room to forget. */
#define USE_ONE			256

/* Of that, one part in so many is forgotten, at most so often. */
#define USE_DECAY		16
#define USE_DECAY_MS		1000

/* Did this thread, which runs, leave a node on which it had been for long? */
static bool thread_moved(struct an_thread *stat, int nid)
{
	bool moved = stat->seen_node != NUMA_NO_NODE &&
		     time_after(jiffies, stat->seen_since +
				msecs_to_jiffies(STEADY_MS));

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

/**
 * an_pace_pass_begins - where do the threads run whose pids pages may keep
 * @p: the process
 * @leader: of its thread group
 *
 * Two threads on different nodes that share their bits of the pid are not told
 * apart. Context: knuma_scand, RCU read side.
 */
void an_pace_pass_begins(struct an_process *p, struct task_struct *leader)
{
	DECLARE_BITMAP(taken, AN_WHERE_SLOTS) = {};
	const struct an_thread *stat;
	struct task_struct *t;
	u32 slot;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		slot = t->pid & LAST__PID_MASK;
		if (!stat || (test_bit(slot, taken) &&
			      p->where[slot] != settled_on(stat)))
			p->where[slot] = AN_NO_NODE;
		else
			p->where[slot] = settled_on(stat);
		__set_bit(slot, taken);
	}
	for_each_clear_bit(slot, taken, AN_WHERE_SLOTS)
		p->where[slot] = AN_NO_NODE;
}

/* Scan sooner: what was quiet may be so no longer. Context: knuma_scand. */
void an_pace_rearm(struct an_process *p)
{
	p->vain_passes = 0;
	p->roused_now = true;
	p->period_ms = READ_ONCE(an_params.scan_period_min_ms);
}

/* Is but a small part of what is used at rest? It tells nothing of the others. */
static bool little_rests(const struct an_process *p)
{
	return p->tally[AN_T_RESTED] * p->rest_one_in * QUIET_ONE_IN <
	       p->tally[AN_T_SEEN];
}

/* Are pages at rest at rest no longer? Too few faults leave it as it was. */
static bool stirred(const struct an_process *p)
{
	if (little_rests(p))
		return false;
	if (p->tally[AN_T_RESTED] < MIN_REST_FAULTS)
		return p->stirred;
	return p->tally[AN_T_ROUSED] * STIRRED_ONE_IN > p->tally[AN_T_RESTED];
}

/*
 * All of it is looked at, as soon as may be: by the next pass, at whose end the faults
 * since the last one, of two rates of sampling, are not judged again.
 */
static void begin_stir(struct an_process *p)
{
	p->stirred = true;
	p->stir_pass = p->pass + 1;
	p->vain_passes = 0;
	p->period_ms = READ_ONCE(an_params.scan_period_min_ms);
	WRITE_ONCE(p->one_in, 1);
	WRITE_ONCE(p->rest_one_in, 1);
}

/*
 * Had each thread its memory with it, and has most of that another user now? Then
 * threads may have to change places. Where several threads share, the home nodes
 * say what belongs where.
 */
static bool use_changed(const struct an_process *p)
{
	if (!READ_ONCE(an_params.balance) || p->mode != AN_MODE_ACT ||
	    p->changed || !p->in_place || p->alone == AN_ALONE_PASSES ||
	    an_any_node(p->home))
		return false;
	return !little_rests(p) && p->tally[AN_T_RESTED] >= MIN_REST_FAULTS &&
	       p->tally[AN_T_ROUSED] * 2 > p->tally[AN_T_RESTED];
}

static void begin_change(struct an_process *p)
{
	begin_stir(p);
	WRITE_ONCE(p->changed_pass, p->pass + 1);
	WRITE_ONCE(p->changed, true);
}

/* Memory at rest is stirred now, or still: has that begun, or more than that? */
static void judge_stir(struct an_process *p, bool stirs)
{
	if (use_changed(p))
		begin_change(p);
	else if (stirs && !p->stirred)
		begin_stir(p);
}

/* All is in place again, nothing comes of it, or it is no longer a change. */
static void end_change(struct an_process *p, bool vain)
{
	if (!p->stirred || vain ||
	    (s32)(p->pass - p->changed_pass) >= CHANGED_PASSES)
		WRITE_ONCE(p->changed, false);
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
 * Votes of two passes make memory follow; threads that change places are cheaper.
 * They do not all change their use at the same time, so this holds until all is in
 * place again. Context: knuma_scand.
 */
bool an_pace_tasks_first(const struct an_process *p)
{
	unsigned long told = p->ended_jiffies +
			     msecs_to_jiffies(CHANGED_TELLS_MS);

	return p->changed && (s32)(p->pass - p->changed_pass) >= 0 &&
	       !an_balance_looked_since(told) &&
	       time_before(jiffies, p->ended_jiffies +
			   msecs_to_jiffies(CHANGED_WAIT_MS));
}

/* Has a quarter of those at rest faulted that were made to? */
static bool enough_told(const struct an_process *p)
{
	return p->tally[AN_T_RESTED] * p->rest_one_in * 4 >= p->resident;
}

/* Not before the next pass is due, which may be seconds away. Context: knuma_scand. */
void an_pace_look(struct an_process *p)
{
	if (!p->scanning && enough_told(p))
		judge_stir(p, stirred(p));
}

/* Had it never more than 15/16 of this memory when a pass ended before? */
static bool grows(struct an_process *p)
{
	bool grows = p->resident - p->resident / GROWTH_PART > p->resident_seen;

	p->resident_seen = max(p->resident_seen, p->resident);
	return grows;
}

/*
 * A pass moves pages at the second fault: some in a row that moved hardly any
 * of the pages not at rest are in vain. Not as long as memory gets spread, nor while
 * it is still being made: nobody can have used that twice.
 */
static bool in_vain(struct an_process *p)
{
	long moved = atomic_long_read(&p->moved_ever);
	long enough = p->spread_begun ? 0 : p->restless / VAIN_PART;

	if (grows(p) || moved - p->moved_seen > enough)
		p->vain_passes = 0;
	else if (p->vain_passes < VAIN_PASSES)
		p->vain_passes++;
	p->moved_seen = moved;
	return p->vain_passes == VAIN_PASSES;
}

static u32 quiet_period_max(const struct an_process *p)
{
	unsigned long ms = max_t(unsigned long, QUIET_MS,
				 p->resident / QUIET_PAGES_PER_MS);

	return min_t(unsigned long, ms, READ_ONCE(an_params.scan_period_max_ms));
}

static u32 sample_one_in(const struct an_process *p)
{
	unsigned long small = p->resident / SAMPLE_PAGES_MIN;

	return max3(1UL, min(SAMPLE_ONE_IN, small),
		    p->resident / SAMPLE_PAGES_MAX);
}

/*
 * Of what is at rest, which share faults: all once that is doubtful, and twice
 * as much as has to be spread.
 */
static u32 rest_one_in(const struct an_process *p)
{
	long spread = atomic_long_read(&p->spread);
	u32 one_in = sample_one_in(p);

	if (p->stirred)
		return 1;
	return spread > 0 ? clamp_t(u32, p->resident / (2 * spread), 1, one_in) :
			    one_in;
}

/* Of what is not at rest, and in vain: no more than a sample of all pages. */
static u32 restless_one_in(const struct an_process *p)
{
	u32 one_in = sample_one_in(p);

	return clamp_t(unsigned long, p->restless * one_in /
				      max(p->resident, 1UL), 1, one_in);
}

static void say_pass_ended(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	d.pages = p->restless;
	an_count_reason(why, 1);
	an_decided(scan_end, &d);
}

/*
 * At the end of a pass: how soon the next one comes, and of which pages it
 * plants all. Where little is left to gain, or nothing comes of it, seldom.
 * What is to be spread is at rest, but has to fault to be spread.
 */
static void set_pace(struct an_process *p, struct task_struct *leader)
{
	bool stirs, vain, quiet;
	enum an_reason why;

	stirs = p->stir_pass == p->pass || stirred(p);
	judge_stir(p, stirs);
	p->stirred = stirs;
	vain = in_vain(p);
	end_change(p, vain);
	quiet = vain || (!p->stirred && !p->spread_begun &&
			 p->restless * QUIET_ONE_IN <= p->resident);
	if (quiet)
		p->period_ms = min(p->period_ms * 2, quiet_period_max(p));
	else
		p->period_ms = max(p->period_ms / 2,
				   READ_ONCE(an_params.scan_period_min_ms));
	WRITE_ONCE(p->one_in, vain ? restless_one_in(p) : 1);
	WRITE_ONCE(p->rest_one_in, vain ? sample_one_in(p) : rest_one_in(p));
	why = vain ? AN_R_PASS_VAIN : p->stirred ? AN_R_PASS_STIRRED :
	      quiet ? AN_R_PASS_QUIET : AN_R_PASS_BUSY;
	say_pass_ended(p, why);
	trace_autonuma_pass(task_tgid_nr(leader), p->pass, p->resident,
			    p->restless, p->tally[AN_T_RESTED],
			    p->tally[AN_T_ROUSED], p->period_ms);
}

/* Halved per pass, so that it follows. */
static void book_faults(struct an_process *p)
{
	WRITE_ONCE(p->seen, p->seen / 2 + p->tally[AN_T_SEEN]);
	WRITE_ONCE(p->seen_local, p->seen_local / 2 + p->tally[AN_T_LOCAL]);
	WRITE_ONCE(p->in_place, p->seen_local * 2 > p->seen);
	WRITE_ONCE(p->all_in_place, p->seen_local * 8 > p->seen * 7);
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
	long moving = atomic_long_read(&p->moved_ever) - p->moved_seen +
		      atomic_long_read(&p->queued);

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

/* Is its memory spread over its home nodes as it is used from there? */
static void set_spread(struct an_process *p)
{
	DECLARE_BITMAP(home, MAX_NUMNODES);
	DECLARE_BITMAP(core, MAX_NUMNODES);
	struct an_spread spread = {
		.nr_nodes = nr_node_ids,
		.pages = p->pages,
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
	set_spread(p);
	set_pace(p, leader);
	book_faults(p);
	an_rest_pass_ended(p);
	p->ended_jiffies = jiffies;
	memset(p->tally, 0, sizeof(p->tally));
}
