// SPDX-License-Identifier: GPL-2.0
/*
 * The pace of gear 1, see policy_pace.h: where little is left to gain, or nothing
 * comes of it, seldom, and a sample is enough.
 */
#include "policy_pace.h"

/*
 * Of what is expected to stay as it is, one part in 16 is looked at; of a small
 * process more, of a large one fewer: 2048 to 524,288 pages, of which gear 1
 * makes a few of each region fault.
 */
#define SAMPLE_ONE_IN		16
#define SAMPLE_PAGES_MIN	2048
#define SAMPLE_PAGES_MAX	524288

/*
 * A quiet process is walked every second of CPU time at least, or so much later as
 * it is larger: 2 s for each GiB, for a walk of some 3 ms.
 */
#define QUIET_MS		1000
#define QUIET_MS_PER_GIB	2000

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
 * Faults on fewer pages at rest than this, by those they stand for, tell nothing:
 * 8 samples of regions, or two huge pages.
 */
#define MIN_REST_FAULTS		1024

/* A quarter of those that were made to has faulted: no need to wait for the pass. */
#define ENOUGH_ONE_IN		4

/*
 * So many passes that moved less than 1/16 of the pages not at rest: what is
 * remote stays so, be it shared, its target full or its threads away from home.
 */
#define VAIN_PASSES		4
#define VAIN_PART		16

/*
 * Nor is a pass in vain that moved so many pages (64 MiB), however large the process: a
 * pass takes 3 ms of CPU time per GiB, in which no worker moves a 16th of that.
 */
#define VAIN_MOST		16384

/* A process that never had more than 15/16 of its memory before has just begun. */
#define GROWTH_PART		16

static u64 between(u64 n, u64 least, u64 most)
{
	return an_larger(an_smaller(n, most), least);
}

/**
 * an_policy_pace_start - the pace of a process of which nothing is known
 * @pace: is set
 * @min_ms: the shortest period
 */
void an_policy_pace_start(struct an_pace *pace, u32 min_ms)
{
	*pace = (struct an_pace){
		.period_ms = min_ms,
		.one_in = 1,
		.rest_one_in = 1,
	};
}

/**
 * an_policy_pace_sooner - what was quiet may be so no longer
 * @pace: of a process
 * @min_ms: the shortest period
 */
void an_policy_pace_sooner(struct an_pace *pace, u32 min_ms)
{
	pace->vain_passes = 0;
	pace->period_ms = min_ms;
}

/* Is but a small part of what is used at rest? It tells nothing of the others. */
static bool little_rests(const struct an_pace *pace,
			 const struct an_pace_facts *f)
{
	return f->rested * pace->rest_one_in * QUIET_ONE_IN < f->seen;
}

/* Are pages at rest at rest no longer? Too few faults leave it as it was. */
static bool stirred(const struct an_pace *pace, const struct an_pace_facts *f)
{
	if (little_rests(pace, f))
		return false;
	if (f->rested < MIN_REST_FAULTS)
		return pace->stirred;
	return f->roused * STIRRED_ONE_IN > f->rested;
}

/*
 * All of it is looked at, as soon as may be: by the next pass. The faults until its end
 * may be of two rates of sampling: it stays stirred, whatever they say, but they can
 * tell of a change.
 */
static void begin_stir(struct an_pace *pace, const struct an_pace_facts *f)
{
	an_policy_pace_sooner(pace, f->min_ms);
	pace->stirred = true;
	pace->stir_pass = f->pass + 1;
	pace->one_in = 1;
	pace->rest_one_in = 1;
}

/*
 * Had each thread its memory with it, and has most of that another user now? Then
 * threads may have to change places. Where several threads share, the home nodes
 * say what belongs where.
 */
static bool begins_to_change(const struct an_pace *pace,
			     const struct an_pace_facts *f)
{
	return f->may_change && !pace->changed && !little_rests(pace, f) &&
	       f->rested >= MIN_REST_FAULTS && f->roused * 2 > f->rested;
}

static void begin_change(struct an_pace *pace, const struct an_pace_facts *f)
{
	begin_stir(pace, f);
	pace->changed_pass = f->pass + 1;
	pace->changed = true;
}

/* Memory at rest is stirred now, or still: has that begun, or more than that? */
static void judge_stir(struct an_pace *pace, const struct an_pace_facts *f,
		       bool stirs)
{
	if (begins_to_change(pace, f))
		begin_change(pace, f);
	else if (stirs && !pace->stirred)
		begin_stir(pace, f);
}

/**
 * an_policy_pace_look - have the faults told enough before the next pass ends
 * @pace: of a process between two passes
 * @f: what is known so far
 *
 * The next pass may be seconds away.
 */
void an_policy_pace_look(struct an_pace *pace, const struct an_pace_facts *f)
{
	if (f->rested * pace->rest_one_in * ENOUGH_ONE_IN >= f->resident)
		judge_stir(pace, f, stirred(pace, f));
}

/* All is in place again, nothing comes of it, or it is no longer a change. */
static void end_change(struct an_pace *pace, u32 pass, bool vain)
{
	if (!pace->stirred || vain ||
	    an_pass_reached(pass, pace->changed_pass + CHANGED_PASSES))
		pace->changed = false;
}

/* Had it never more than 15/16 of this memory when a pass ended before? */
static bool grows(struct an_pace *pace, u64 resident)
{
	bool grows = resident - resident / GROWTH_PART > pace->resident_seen;

	if (resident > pace->resident_seen)
		pace->resident_seen = resident;
	return grows;
}

/*
 * A pass moves pages at the second fault: some in a row that moved hardly any
 * of the pages not at rest are in vain. Not as long as memory gets spread, nor while
 * it is still being made: nobody can have used that twice; nor while much of it is asked
 * who uses it most, for that takes more passes than these; nor while it is being seen
 * whether huge pages are to be taken apart: if so, there are more of them.
 */
static bool in_vain(struct an_pace *pace, const struct an_pace_facts *f)
{
	u64 moved = f->moved - pace->moved_seen;
	u64 enough = f->spreads ? 0 : an_smaller(f->restless / VAIN_PART, VAIN_MOST);

	if (grows(pace, f->resident) || moved > enough ||
	    f->asked * QUIET_ONE_IN > f->resident || f->tries)
		pace->vain_passes = 0;
	else if (pace->vain_passes < VAIN_PASSES)
		pace->vain_passes++;
	pace->moved_seen = f->moved;
	return pace->vain_passes == VAIN_PASSES;
}

static u32 quiet_period_max(const struct an_pace_facts *f)
{
	u64 mib = f->size / f->pages_per_mib;
	u64 ms = an_larger(mib * QUIET_MS_PER_GIB / 1024, QUIET_MS);

	return an_smaller(ms, f->max_ms);
}

static u32 sample_one_in(u64 resident)
{
	u64 one_in = between(resident / SAMPLE_PAGES_MIN, 1, SAMPLE_ONE_IN);

	return an_larger(resident / SAMPLE_PAGES_MAX, one_in);
}

/*
 * Of what is at rest, which share faults: all once that is doubtful, and twice
 * as much as has to be spread.
 */
static u32 rest_one_in(const struct an_pace *pace,
		       const struct an_pace_facts *f)
{
	u32 one_in = sample_one_in(f->size);

	if (pace->stirred)
		return 1;
	return f->to_spread ?
	       between(f->resident / (2 * f->to_spread), 1, one_in) : one_in;
}

/* Of what is not at rest, and in vain: no more than a sample of all pages. */
static u32 restless_one_in(const struct an_pace_facts *f)
{
	u32 one_in = sample_one_in(f->size);

	if (!f->resident)
		return 1;
	return between(f->restless * one_in / f->resident, 1, one_in);
}

static void set_period(struct an_pace *pace, const struct an_pace_facts *f,
		       bool quiet)
{
	if (quiet)
		pace->period_ms = an_smaller(pace->period_ms * 2ULL,
					     quiet_period_max(f));
	else
		pace->period_ms = an_larger(pace->period_ms / 2, f->min_ms);
}

/**
 * an_policy_pace_ended - how soon the next pass comes, and what of it faults
 * @pace: of the process
 * @f: what the pass has found
 *
 * Where little is left to gain, or nothing comes of it, seldom. What is to be spread
 * is at rest, but has to fault to be spread.
 *
 * Return: why: AN_R_PASS_VAIN, AN_R_PASS_STIRRED, AN_R_PASS_QUIET or AN_R_PASS_BUSY.
 */
enum an_reason an_policy_pace_ended(struct an_pace *pace,
				    const struct an_pace_facts *f)
{
	bool stirs = pace->stir_pass == f->pass || stirred(pace, f);
	bool vain, little;

	judge_stir(pace, f, stirs);
	pace->stirred = stirs;
	little = !stirs && !f->spreads &&
		 f->restless * QUIET_ONE_IN <= f->resident;
	vain = in_vain(pace, f);
	end_change(pace, f->pass, vain);
	set_period(pace, f, little || vain);
	pace->one_in = vain ? restless_one_in(f) : 1;
	pace->rest_one_in = vain ? sample_one_in(f->size) :
				   rest_one_in(pace, f);
	if (little)
		return AN_R_PASS_QUIET;
	if (vain)
		return AN_R_PASS_VAIN;
	return stirs ? AN_R_PASS_STIRRED : AN_R_PASS_BUSY;
}

/**
 * an_policy_pace_placed - how much of its memory has the process where it uses it
 * @pace: of the process; in_place and all_in_place are set
 * @pass: the last one that has ended
 * @local: faults from the node of the page, lately, each as the pages it stands for
 * @seen: all faults, likewise
 *
 * If the next pass has to look at all, a few faults have told so, of a sample. What was
 * known before they came holds until all of memory has been seen; if that shows a
 * change, until it has been seen once more.
 */
void an_policy_pace_placed(struct an_pace *pace, u32 pass, u64 local, u64 seen)
{
	if (pace->stirred && pace->stir_pass == pass + 1)
		return;
	pace->in_place = local * 2 > seen;
	pace->all_in_place = local * 8 > seen * 7;
}

/**
 * an_policy_pace_awaits - is it after a change, so that threads may change places
 * @pace: of a process
 * @pass: the last one that has ended
 *
 * Votes of two passes make memory follow; threads that change places are cheaper.
 * They do not all change their use at the same time, so this holds until all is in
 * place again.
 */
bool an_policy_pace_awaits(const struct an_pace *pace, u32 pass)
{
	return pace->changed && an_pass_reached(pass, pace->changed_pass);
}
