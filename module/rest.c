// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog's hands: tells watch.c what each pass brought, puts to rest what
 * does not pay, and wakes it again. A process of a choice rests with all others
 * of that choice; one that is balanced by default rests alone.
 *
 * knuma_scand only, so no lock; others see a process's mode.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid.h>
#include <linux/sched.h>
#include "autonuma.h"
#include "balance.h"
#include "choice.h"
#include "decision.h"
#include "pace.h"
#include "rest.h"
#include "scand.h"
#include "stats.h"
#include "takeback.h"
#include "trace.h"

static struct an_rest *rest_of(struct an_process *p)
{
	return p->choice ? &p->choice->rest : &p->rest;
}

/* Who rests, for the log: the process by which it was found out. */
static void say_rests(const struct an_process *p, const struct an_rest *r)
{
	struct an_decision d = an_about(pid_nr(p->pid), r->why);
	u32 s = an_watch_rest_ms(&r->watch, an_now_ms()) / MSEC_PER_SEC;

	an_count_reason(d.why, 1);
	an_decided(rest, &d);
	if (p->choice && p->choice->cgroup)
		pr_info_ratelimited("cgroup %llu rests for %u s: %s\n",
				    p->choice->cgroup, s, an_reason_name(r->why));
	else
		pr_info_ratelimited("process %d rests for %u s: %s\n",
				    d.tgid, s, an_reason_name(r->why));
}

static void say_resumes(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	an_count_reason(why, 1);
	an_decided(resume, &d);
}

/* Nothing of it is planted, moved or preferred any more. */
static void put_to_rest(struct an_process *p)
{
	WRITE_ONCE(p->mode, AN_MODE_REST);
	p->scanning = false;
	an_balance_forget(p);
	an_scand_charge(p, an_take_back_from(p->mm));
}

/* What the gears have spent on a process in all, ns. */
static u64 gears_ns(const struct an_process *p)
{
	return p->scand_ns + READ_ONCE(p->balanced_ns) +
	       atomic64_read(&p->migrated_ns);
}

/* What was done and spent meanwhile is no part of its next pass. */
static void wake(struct an_process *p)
{
	p->watched_moved = atomic_long_read(&p->moved_ever);
	p->watched_spent = gears_ns(p);
	p->watched_ran = p->seen_ns;
	memset(p->tally, 0, sizeof(p->tally));
	WRITE_ONCE(p->alone, 0);	/* nobody was looked at meanwhile */
	WRITE_ONCE(p->pace.changed, false);
	an_pace_rearm(p);
	WRITE_ONCE(p->mode, an_choice_mode(p->choice));
}

/**
 * an_rest_apply - let a process rest, or go on, as the watchdog wants it
 * @p: the process
 *
 * Context: knuma_scand, sleeps: not where CPU time is taken by an_busy_clock().
 */
void an_rest_apply(struct an_process *p)
{
	struct an_rest *r = rest_of(p);
	enum an_reason why = AN_R_NONE;

	if (r->watch.rests)
		why = an_watch_judge(&r->watch, an_now_ms());
	if (why != AN_R_NONE)
		say_resumes(p, why);
	if (r->watch.rests && p->mode != AN_MODE_REST)
		put_to_rest(p);
	else if (!r->watch.rests && p->mode == AN_MODE_REST)
		wake(p);
}

/* What the pass brought, from the end of the one before. */
static struct an_watch_pass describe(struct an_process *p)
{
	u64 moved = atomic_long_read(&p->moved_ever), spent = gears_ns(p);
	u64 ran = p->seen_ns;
	struct an_watch_pass pass = {
		.processes = p->choice ? p->choice->processes : 1,
		.dry = p->mode == AN_MODE_DRY,
		.resident = p->resident,
		.faults = p->tally[AN_T_FAULTS],
		.sampled = p->tally[AN_T_SEEN],
		.local = p->tally[AN_T_LOCAL],
		.moved = moved - p->watched_moved,
		.gears_ns = spent - p->watched_spent,
		.stalled_ns = p->tally[AN_T_STALLED] << AN_STALL_SHIFT,
		/* Threads that ended took theirs along. */
		.cpu_ns = ran - min(ran, p->watched_ran),
	};

	p->watched_moved = moved;
	p->watched_spent = spent;
	p->watched_ran = ran;
	return pass;
}

/**
 * an_rest_pass_ended - judge by what a pass brought whether it pays
 * @p: the process
 *
 * Context: knuma_scand, before the tally of the pass is cleared.
 */
void an_rest_pass_ended(struct an_process *p)
{
	struct an_watch_pass pass = describe(p);
	struct an_rest *r = rest_of(p);
	enum an_reason why;

	/* The first pass has nothing before it to be compared with. */
	if (p->mode == AN_MODE_REST || r->watch.rests || p->pass < 2)
		return;
	an_watch_add(&r->watch, &pass);
	why = an_watch_judge(&r->watch, an_now_ms());
	if (why == AN_R_NONE)
		return;
	r->why = why;
	say_rests(p, r);
}
