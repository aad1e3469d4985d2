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
#include "decision.h"
#include "pace.h"
#include "queue.h"
#include "rest.h"
#include "stats.h"
#include "trace.h"

/*
 * Of pages that are expected to stay as they are, one in 16 is looked at; of a
 * large process fewer, 4096 in all.
 */
#define SAMPLE_ONE_IN		16
#define SAMPLE_PAGES		4096

/*
 * A quiet process is walked every 2 s of CPU time at least, or so much later as
 * it is larger: 2 s for each GiB, for a walk of some 3 ms.
 */
#define QUIET_MS		2000
#define QUIET_PAGES_PER_MS	((1UL << (30 - PAGE_SHIFT)) / QUIET_MS)

/* Up to 1/16 of the pages not at rest are little to gain. */
#define QUIET_ONE_IN		16

/*
 * More than 1/10 of the faults on pages at rest came from elsewhere: the use of
 * memory has changed, so all pages are looked at again.
 */
#define STIRRED_ONE_IN		10

/*
 * A thread that leaves a node after so long makes the scanner look sooner; one
 * that is carried about by wake-ups all the time must not.
 */
#define STEADY_MS		2000

/* Fewer faults on pages at rest than this, in pages, tell nothing. */
#define MIN_REST_FAULTS		32

/*
 * So many passes that moved less than 1/16 of the pages not at rest: what is
 * remote stays so, be it shared, its target full or its threads away from home.
 */
#define VAIN_PASSES		4
#define VAIN_PART		16L

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

/* What the faults of a thread added up to since the last look. */
static void collect(struct an_process *p, struct an_thread *stat)
{
	u32 now, what;

	for (what = 0; what < AN_T_NR; what++) {
		now = READ_ONCE(stat->tally[what]);
		if (now == stat->taken[what])
			continue;
		p->tally[what] += now - stat->taken[what];
		if (what == AN_T_MOVED)
			an_queue_add_moved(p, now - stat->taken[what]);
		stat->taken[what] = now;
	}
}

/**
 * an_pace_collect - look at the threads of a process
 * @p: the process
 * @leader: of its thread group
 *
 * Context: knuma_scand, RCU read side.
 * Return: whether a thread has left a node on which it had been for long.
 */
bool an_pace_collect(struct an_process *p, struct task_struct *leader)
{
	struct an_thread *stat;
	struct task_struct *t;
	bool moved = false;

	for_each_thread(leader, t) {
		stat = an_thread_find(t);
		if (!stat)
			continue;
		collect(p, stat);
		if (task_is_running(t))
			moved |= thread_moved(stat, cpu_to_node(task_cpu(t)));
	}
	return moved;
}

/* Scan sooner: what was quiet may be so no longer. Context: knuma_scand. */
void an_pace_rearm(struct an_process *p)
{
	p->vain_passes = 0;
	p->roused_now = true;
	p->period_ms = READ_ONCE(an_params.scan_period_min_ms);
}

/* Are pages at rest at rest no longer? Too few faults leave it as it was. */
static bool stirred(const struct an_process *p)
{
	if (p->tally[AN_T_RESTED] < MIN_REST_FAULTS)
		return p->stirred;
	return p->tally[AN_T_ROUSED] * STIRRED_ONE_IN > p->tally[AN_T_RESTED];
}

/*
 * A pass moves pages at the second fault: some in a row that moved hardly any
 * of the pages not at rest are in vain.
 */
static bool in_vain(struct an_process *p)
{
	long moved = atomic_long_read(&p->moved_ever);

	if ((moved - p->moved_seen) * VAIN_PART > p->restless)
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
	return max_t(unsigned long, SAMPLE_ONE_IN, p->resident / SAMPLE_PAGES);
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
 */
static void set_pace(struct an_process *p, struct task_struct *leader)
{
	bool was_stirred = p->stirred, vain, quiet;
	enum an_reason why;

	p->stirred = stirred(p);
	if (p->stirred && !was_stirred)
		p->vain_passes = 0;
	vain = in_vain(p);
	quiet = vain || (!p->stirred &&
			 p->restless * QUIET_ONE_IN <= p->resident);
	if (quiet)
		p->period_ms = min(p->period_ms * 2, quiet_period_max(p));
	else
		p->period_ms = max(p->period_ms / 2,
				   READ_ONCE(an_params.scan_period_min_ms));
	WRITE_ONCE(p->one_in, vain ? sample_one_in(p) : 1);
	WRITE_ONCE(p->rest_one_in, p->stirred && !vain ? 1 : sample_one_in(p));
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
	WRITE_ONCE(p->seen_would_move, p->seen_would_move / 2 +
				       p->tally[AN_T_WOULD_MOVE]);
	WRITE_ONCE(p->faults, p->faults + p->tally[AN_T_SEEN]);
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
	set_pace(p, leader);
	book_faults(p);
	an_rest_pass_ended(p);
	memset(p->tally, 0, sizeof(p->tally));
}
