// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the pace of gear 1, in TAP: policy_pace.c of module/.
 *
 *	pace_test [seed [iterations]]
 */
#include <stdio.h>
#include "policy_pace.h"
#include "unit.h"

#define MIN_MS		100
#define MAX_MS		60000
#define MIB		256ULL	/* pages */
#define GIB		(1024 * MIB)
#define LONG		20	/* passes: enough for any period */

static u32 iterations = 100000;

/* A process between passes. */
struct play {
	struct an_pace pace;
	struct an_pace_facts f;
};

/* All of it has been local for long; a sample of what rests has faulted. */
static struct play settled(u64 pages)
{
	struct play p = {
		.f = {
			.resident = pages,
			.size = pages,
			.seen = pages,
			.rested = pages / 16,
			.min_ms = MIN_MS,
			.max_ms = MAX_MS,
			.pages_per_mib = MIB,
		},
	};

	an_policy_pace_start(&p.pace, MIN_MS);
	return p;
}

static enum an_reason ended(struct play *p)
{
	p->f.pass++;
	return an_policy_pace_ended(&p->pace, &p->f);
}

/* The reason of the last of so many passes, each of which moves @moves pages. */
static enum an_reason passes(struct play *p, u32 nr, u64 moves)
{
	enum an_reason why = AN_R_NONE;

	while (nr--) {
		p->f.moved += moves;
		why = ended(p);
	}
	return why;
}

static struct play quiet(u64 pages)
{
	struct play p = settled(pages);

	passes(&p, LONG, 0);
	return p;
}

static bool looks_at_all(const struct play *p)
{
	return p->pace.one_in == 1 && p->pace.rest_one_in == 1;
}

static void test_quiet(void)
{
	struct play p = settled(256 * MIB);

	ok(looks_at_all(&p) && p.pace.period_ms == MIN_MS,
	   "start: all of it, as often as may be");
	passes(&p, 1, 0);
	ok(p.pace.period_ms == 2 * MIN_MS, "quiet: half as often");
	passes(&p, LONG, 0);
	ok(p.pace.period_ms == 1000, "quiet: once a second");
	ok(p.pace.rest_one_in == 16, "quiet: a sixteenth of it");
	ok(quiet(4 * GIB).pace.period_ms == 8000, "quiet: 2 s for each GiB");
	ok(quiet(100 * GIB).pace.period_ms == MAX_MS, "quiet: not beyond the longest period");
	ok(quiet(4 * MIB).pace.rest_one_in == 1, "quiet: all of 4 MiB");
	ok(quiet(1024 * GIB).pace.rest_one_in == 512, "quiet: half a million pages of 1 TiB");
	p = settled(20 * MIB);
	p.f.size = 128 * GIB;
	ok(passes(&p, LONG, 0) == AN_R_PASS_QUIET && p.pace.rest_one_in == 64 &&
	   p.pace.period_ms == MAX_MS, "quiet: a shared segment counts, though it is not its turn");
}

static void test_busy(void)
{
	struct play p = quiet(256 * MIB);

	p.f.restless = p.f.resident / 2;
	ok(passes(&p, 1, p.f.restless) == AN_R_PASS_BUSY && p.pace.period_ms == 500,
	   "busy: twice as often");
	passes(&p, LONG, p.f.restless);
	ok(p.pace.period_ms == MIN_MS && p.pace.one_in == 1,
	   "busy: as often as may be");
	p.f.restless = p.f.resident / 16;
	ok(passes(&p, 1, p.f.restless) == AN_R_PASS_QUIET, "a sixteenth to gain: quiet");
}

static void test_vain(void)
{
	struct play p = quiet(256 * MIB);

	p.f.restless = p.f.resident / 2;
	passes(&p, 1, p.f.restless);
	ok(passes(&p, 3, p.f.restless / 32) == AN_R_PASS_BUSY, "three passes in vain: goes on");
	ok(passes(&p, 1, p.f.restless / 32) == AN_R_PASS_VAIN, "four: enough");
	ok(p.pace.one_in == 8 && p.pace.rest_one_in == 16,
	   "in vain: a sixteenth of all, be it at rest or not");
	p.f.asked = p.f.resident / 8;
	ok(passes(&p, 8, p.f.restless / 32) == AN_R_PASS_BUSY, "not while much is asked who uses it most");
	p.f.asked = p.f.resident / 16;
	ok(passes(&p, 4, p.f.restless / 32) == AN_R_PASS_VAIN, "little of it does not matter");
	p.f.asked = 0;
	p.f.tries = true;
	ok(passes(&p, 8, 0) == AN_R_PASS_BUSY, "nor while huge pages are taken apart for a trial");
	p.f.tries = false;
	ok(passes(&p, 4, 0) == AN_R_PASS_VAIN, "but when that has told");
	ok(passes(&p, 1, p.f.restless / 8) == AN_R_PASS_BUSY && p.pace.one_in == 1,
	   "in vain: until something moves");
	p = settled(512 * GIB);
	p.f.restless = p.f.resident;
	ok(passes(&p, LONG, 65 * MIB) == AN_R_PASS_BUSY, "in vain: not what moves as fast as it can");
	ok(passes(&p, 4, 64 * MIB) == AN_R_PASS_VAIN, "in vain: what hardly moves");
	p = quiet(256 * MIB);
	p.f.restless = p.f.resident / 2;
	p.f.spreads = true;
	ok(passes(&p, LONG, 1) == AN_R_PASS_BUSY, "spreads: not in vain while anything moves");
	ok(passes(&p, LONG, 0) == AN_R_PASS_VAIN, "spreads: nothing moves");
	an_policy_pace_sooner(&p.pace, MIN_MS);
	ok(p.pace.period_ms == MIN_MS && passes(&p, 1, 0) == AN_R_PASS_BUSY,
	   "sooner: no longer in vain");
}

static void test_growth(void)
{
	struct play p = settled(16 * MIB);
	u32 i, vain = 0;

	for (i = 0; i < LONG; i++) {
		p.f.restless = p.f.resident;
		vain += passes(&p, 1, 0) == AN_R_PASS_VAIN;
		p.f.resident += p.f.resident / 8;
	}
	ok(!vain, "grows: nothing moves, and it is not in vain");
	ok(passes(&p, 5, 0) == AN_R_PASS_VAIN, "grown: it is");
}

static void test_stirred(void)
{
	struct play p = quiet(256 * MIB);

	p.f.roused = p.f.rested / 10;
	ok(passes(&p, 1, 0) == AN_R_PASS_QUIET, "a tenth from elsewhere: quiet");
	p.f.roused++;
	ok(passes(&p, 1, 0) == AN_R_PASS_STIRRED && looks_at_all(&p) &&
	   p.pace.period_ms == MIN_MS, "more: all of it, soon");
	p.f.roused = 0;
	ok(passes(&p, 1, 0) == AN_R_PASS_STIRRED, "stirred: the next pass tells nothing yet");
	ok(passes(&p, 1, 0) == AN_R_PASS_QUIET, "stirred: the one after it does");
	p.f.rested = 1000;
	p.f.roused = 1000;
	p.f.seen = 1000;
	ok(passes(&p, 1, 0) == AN_R_PASS_QUIET, "few faults on what rests: as before");
	p.f.rested = 2000;
	p.f.roused = 2000;
	p.f.seen = 17 * 16 * p.f.rested;
	ok(passes(&p, 1, 0) == AN_R_PASS_QUIET, "little of it rests: tells nothing");
}

static void test_look(void)
{
	struct play p = quiet(GIB);

	p.f.rested = p.f.resident / 16 / 4 - 1;
	p.f.roused = p.f.rested;
	an_policy_pace_look(&p.pace, &p.f);
	ok(!p.pace.stirred, "look: less than a quarter has faulted");
	p.f.rested++;
	p.f.seen = p.f.rested;
	an_policy_pace_look(&p.pace, &p.f);
	ok(p.pace.stirred && looks_at_all(&p) && p.pace.period_ms == MIN_MS,
	   "look: a quarter, the next pass comes soon");
	ok(!p.pace.changed, "look: not a change of threads that share");
}

static void test_change(void)
{
	struct play p = quiet(256 * MIB);
	u32 i;

	p.f.may_change = true;
	p.f.roused = p.f.rested / 2;
	passes(&p, 1, 0);
	ok(p.pace.stirred && !p.pace.changed, "half from elsewhere: stirred only");
	p.f.roused = p.f.rested;
	passes(&p, 1, 0);
	ok(p.pace.changed && p.pace.changed_pass == p.f.pass + 1,
	   "stirred: changed, as soon as the pass that sees all tells it");
	p = quiet(256 * MIB);
	p.f.may_change = true;
	p.f.roused = p.f.rested;
	passes(&p, 1, 0);
	ok(p.pace.changed && p.pace.stirred, "all from elsewhere: changed");
	ok(!an_policy_pace_awaits(&p.pace, p.f.pass), "changed: the next pass is not held up");
	passes(&p, 1, p.f.resident);
	ok(an_policy_pace_awaits(&p.pace, p.f.pass), "changed: the one after it is");
	for (i = 0; p.pace.changed && i < LONG; i++)
		passes(&p, 1, p.f.resident);
	ok(i == 8, "changed: for eight passes (%u)", i);
	p = quiet(256 * MIB);
	p.f.may_change = true;
	p.f.roused = p.f.rested;
	passes(&p, 1, 0);
	p.f.roused = 0;
	passes(&p, 2, p.f.resident);
	ok(!p.pace.changed, "changed: until all is in place");
}

static void test_placed(void)
{
	struct play p = quiet(256 * MIB);

	an_policy_pace_placed(&p.pace, p.f.pass, 50, 100);
	ok(!p.pace.in_place && !p.pace.all_in_place, "placed: half is local, not most");
	an_policy_pace_placed(&p.pace, p.f.pass, 51, 100);
	ok(p.pace.in_place && !p.pace.all_in_place, "placed: most");
	an_policy_pace_placed(&p.pace, p.f.pass, 7, 8);
	ok(p.pace.in_place && !p.pace.all_in_place, "placed: 7/8 are not all");
	an_policy_pace_placed(&p.pace, p.f.pass, 8, 8);
	ok(p.pace.all_in_place, "placed: all");
	p.f.roused = p.f.rested / 2;
	passes(&p, 1, 0);
	an_policy_pace_placed(&p.pace, p.f.pass, 0, 8);
	ok(p.pace.in_place && p.pace.all_in_place, "placed: a sample that stirs does not tell");
	passes(&p, 1, 0);
	an_policy_pace_placed(&p.pace, p.f.pass, 0, 8);
	ok(!p.pace.in_place && !p.pace.all_in_place, "placed: the pass that sees all does");
	p = quiet(256 * MIB);
	an_policy_pace_placed(&p.pace, p.f.pass, 8, 8);
	p.f.roused = p.f.rested / 2;
	passes(&p, 1, 0);
	an_policy_pace_placed(&p.pace, p.f.pass, 4, 8);
	p.f.may_change = p.pace.in_place;
	p.f.roused = p.f.rested * 3 / 4;
	passes(&p, 1, 0);
	ok(p.pace.changed, "placed: a sample of before and after does not hide a change");
}

/* What happens must not depend on the number of the pass. */
static void test_wrap(void)
{
	struct play a = quiet(256 * MIB), b;
	u32 i, differ = 0;

	a.f.may_change = true;
	b = a;
	b.f.pass = ~0U - 2;
	b.pace.stir_pass = b.f.pass - 1000;
	b.pace.changed_pass = b.pace.stir_pass;
	for (i = 0; i < LONG; i++) {
		a.f.roused = b.f.roused = i < LONG / 2 ? a.f.rested : 0;
		differ += passes(&a, 1, 7) != passes(&b, 1, 7);
		differ += a.pace.changed != b.pace.changed;
		differ += an_policy_pace_awaits(&a.pace, a.f.pass) !=
			  an_policy_pace_awaits(&b.pace, b.f.pass);
	}
	ok(!differ, "passes: their number wraps around");
}

static u64 anything(void)
{
	return chance(20) ? 0 : rnd64() >> (20 + rnd(44));
}

static void set_anything(struct an_pace_facts *f)
{
	f->resident = anything();
	f->size = f->resident + (chance(50) ? 0 : anything());
	f->restless = rnd64() % (f->resident + 1);
	f->moved += anything();
	f->to_spread = chance(50) ? 0 : anything();
	f->spreads = f->to_spread || chance(20);
	f->seen = anything();
	f->rested = anything();
	f->roused = rnd64() % (f->rested + 1);
	f->may_change = chance(50);
	f->tries = chance(20);
}

static bool in_bounds(const struct play *p)
{
	const struct an_pace *pace = &p->pace;

	return pace->period_ms >= MIN_MS && pace->period_ms <= MAX_MS &&
	       pace->one_in && pace->rest_one_in && pace->vain_passes <= 4;
}

static void test_anything(void)
{
	struct play p = settled(MIB);
	u32 i, wrong = 0;

	for (i = 0; i < iterations; i++) {
		set_anything(&p.f);
		if (chance(30))
			an_policy_pace_look(&p.pace, &p.f);
		else
			ended(&p);
		wrong += !in_bounds(&p);
		if (chance(5))
			an_policy_pace_sooner(&p.pace, MIN_MS);
	}
	ok(!wrong, "anything: all bounds hold");
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_quiet();
	test_busy();
	test_vain();
	test_growth();
	test_stirred();
	test_look();
	test_change();
	test_placed();
	test_wrap();
	test_anything();
	return done();
}
