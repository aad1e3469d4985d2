// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the watchdog's judgement, in TAP: watch.c of module/.
 *
 *	watch_test [seed [iterations]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"
#include "unit.h"
#include "watch.h"

#define PAGES		100000	/* of a process */
#define FAULTS		20000	/* hinting faults of a pass */
#define PASS_MS		250	/* from pass to pass */
#define PASS_NS		250000000ULL	/* CPU time of the process in it */
#define LONG		2000	/* passes: a while */

static u32 iterations = 2000;

/* A scope and what happens to it. */
struct play {
	struct an_watch w;
	u32 processes;
	bool dry;
	u64 now_ms;
	u32 passes, rests, resumed;
	u32 first;		/* pass of the first rest */
	u32 wrong;		/* judgements that cannot be */
	u64 rest_ms;		/* length of the last rest */
	enum an_reason why;	/* of the last rest */
};

static struct play start(u32 processes)
{
	struct play p = { .processes = processes };

	return p;
}

static void judge(struct play *p)
{
	bool rested = an_watch_resting(&p->w, p->now_ms);
	enum an_reason why = an_watch_judge(&p->w, p->now_ms);

	if (why == AN_R_REST_OVER) {
		p->resumed++;
		p->wrong += rested || p->resumed > p->rests;
	} else if (why != AN_R_NONE) {
		p->rests++;
		p->why = why;
		p->rest_ms = p->w.rest_until_ms - p->now_ms;
		p->wrong += rested || an_reason_act(why) != AN_A_REST ||
			    !an_watch_resting(&p->w, p->now_ms);
		if (!p->first)
			p->first = p->passes;
	}
}

/* One pass: faults, local share in 1/1000, pages moved, cost in 1/1000 of the CPU. */
static void pass_of(struct play *p, u32 faults, u32 share_pm, u32 moved,
		    u32 cost_pm)
{
	struct an_watch_pass one = {
		.processes = p->processes,
		.dry = p->dry,
		.resident = PAGES,
		.faults = faults,
		.sampled = faults,
		.moved = moved,
		.gears_ns = PASS_NS * cost_pm / 2000,
		.stalled_ns = PASS_NS * cost_pm / 2000,
		.cpu_ns = PASS_NS,
	};
	u32 noise = rnd(21);	/* one point up or down */

	one.local = (u64)faults * share_pm / 1000;
	one.local = one.local * (990 + noise) / 1000;
	p->passes++;
	p->now_ms += PASS_MS;
	if (!an_watch_resting(&p->w, p->now_ms))
		an_watch_add(&p->w, &one);
	judge(p);
}

static void pass(struct play *p, u32 share_pm, u32 moved, u32 cost_pm)
{
	pass_of(p, FAULTS, share_pm, moved, cost_pm);
}

static void steady(struct play *p, u32 passes, u32 share_pm, u32 moved,
		   u32 cost_pm)
{
	while (passes--)
		pass(p, share_pm, moved, cost_pm);
}

/* What is never put to rest */

static void test_converged(void)
{
	struct play p = start(1);

	steady(&p, LONG, 950, 100, 5);
	ok(!p.rests, "converged: stays");
	p = start(1);
	steady(&p, LONG, 950, 100, 100);
	ok(!p.rests, "converged: even where looking at it costs 10 %%");
	p = start(1);
	steady(&p, LONG, 600, 100, 5);
	ok(!p.rests, "nothing to gain, nothing moved: the scanner's business");
	p = start(1);
	steady(&p, LONG, 0, 0, 0);
	ok(!p.rests, "all remote, nothing moved: likewise");
}

/* From @from to @to, the rest halved every @half passes; @copies per page. */
static struct play converge(u32 from, u32 to, u32 half, u32 copies)
{
	struct play p = start(1);
	double share = from;
	u32 i;

	for (i = 0; i < LONG; i++) {
		double step = (to - share) * .7 / half;

		pass(&p, share, copies * PAGES * step / 1000, 150);
		share += step;
	}
	return p;
}

static void test_converging(void)
{
	u32 i, rests = 0;

	for (i = 0; i < iterations / 20; i++) {
		u32 from = rnd(800), to = from + 150 + rnd(850 - from);

		rests += converge(from, to, 1 + rnd(40), 1 + rnd(3)).rests;
	}
	ok(!rests, "converging: never put to rest, fast or slow");
	ok(!converge(100, 500, 8, 2).rests, "converging: to 50 %% only");
}

/* A small process: its memory comes within the first window, and few faults tell so. */
static void test_small(void)
{
	struct play p = start(1);

	steady(&p, 6, 250, PAGES / 8, 100);
	while (p.passes < LONG)
		pass_of(&p, 40, 950, 0, 20);
	ok(!p.rests, "small: not judged by how it was before its memory came");
}

static void test_pays(void)
{
	struct play p = start(1);

	steady(&p, 4, 300, PAGES / 2, 50);
	steady(&p, LONG, 600, PAGES / 4, 100);
	ok(!p.rests, "risen to 60 %%: pays, though much is moved all the time");
}

/* A change of phase every @every passes; it takes five to follow. */
static struct play phases(u32 every, u32 low, u32 high)
{
	struct play p = start(1);
	u32 i;

	steady(&p, 20, high, 0, 5);
	for (i = 0; i < LONG; i++) {
		bool follows = i % every < 5;

		pass(&p, follows ? low : high, follows ? PAGES / 4 : 100,
		     follows ? 100 : 5);
	}
	return p;
}

static void test_phases(void)
{
	u32 every, rests = 0;

	for (every = 8; every < 200; every += 3)
		rests += phases(every, 250, 950).rests +
			 phases(every, 250, 800).rests;
	ok(!rests, "phases: a share that comes back each time pays");
	ok(!phases(LONG, 300, 850).rests, "phases: a single one does no harm");
}

/* One pass of a whole machine in closed loop. */
static void loop_pass(struct play *p, struct sim *m)
{
	u32 tasks = m->procs * m->threads, moved = m->moved;
	struct an_watch_pass one = { .processes = 1, .cpu_ns = PASS_NS };

	sim_pass(m);
	one.resident = m->procs * SIM_SHARED + tasks * SIM_PRIVATE;
	one.faults = m->accesses;
	one.sampled = m->accesses;
	one.local = m->local;
	one.moved = m->moved - moved;
	p->now_ms += PASS_MS;
	an_watch_add(&p->w, &one);
	judge(p);
}

/* Mean share of three windows, the most that a judgement is made of. */
static double loop_windows(struct play *p, struct sim *m)
{
	double sum = 0;
	u32 k;

	for (k = 0; k < 48; k++) {
		loop_pass(p, m);
		sum += (double)m->local / m->accesses / 48;
	}
	return sum;
}

/*
 * Most machines are never put to rest. Some are where nothing can be gained:
 * two threads that share all, on nodes of one CPU.
 */
static void test_loop(void)
{
	u32 i, k, rests = 0, wrong = 0, loops = iterations / 10;

	for (i = 0; i < loops; i++) {
		struct sim m = sim_random();
		struct play p = start(1);
		double began, share = 0;

		sim_start(&m);
		loop_pass(&p, &m);
		began = (double)m.local / m.accesses;
		for (k = 0; k < 4 && !p.rests; k++)
			share = loop_windows(&p, &m);
		rests += p.rests;
		wrong += p.rests && share > began + .05;
		if (p.rests)
			note("%ux%u CPUs, %u of %u threads, %u %% private: %s, %.3f became %.3f",
			     m.nodes, m.cpus, m.procs, m.threads, m.private,
			     an_reason_name(p.why), began, share);
		sim_end(&m);
	}
	ok(wrong * 100 <= loops,
	   "loop: at most one machine in 100 is put to rest that gains (%u of %u)",
	   wrong, loops);
	ok(rests * 20 <= loops, "loop: %u of %u others", rests, loops);
}

/* What is put to rest */

static void test_no_gain(void)
{
	struct play p = start(1);
	u32 i;

	steady(&p, 100, 500, PAGES / 20, 10);
	ok(p.rests == 1 && p.why == AN_R_REST_NO_GAIN,
	   "no gain: at rest after %u passes (%s)", p.first,
	   an_reason_name(p.why));
	ok(p.first == 48, "no gain: not before the third window");
	p = start(1);
	steady(&p, 48, 700, 100, 10);
	steady(&p, 60, 500, PAGES / 20, 10);
	ok(p.rests == 1 && p.why == AN_R_REST_NO_GAIN,
	   "no gain: it was better before");
	p = start(1);
	steady(&p, 4, 250, 0, 10);
	steady(&p, 12, 350, 0, 10);
	for (i = 0; i < LONG; i++)
		pass_of(&p, 5, 250, 0, 10);
	ok(p.rests && p.why == AN_R_REST_NO_GAIN,
	   "no gain: it seemed to in the beginning, and has few faults since (%u passes)",
	   p.first);
}

static void test_returns(void)
{
	struct play p = start(1);

	steady(&p, 100, 500, PAGES / 3, 10);
	ok(p.rests == 1 && p.why == AN_R_REST_RETURNS,
	   "returns: at rest after %u passes (%s)", p.first,
	   an_reason_name(p.why));
	p = start(1);
	steady(&p, 100, 950, PAGES / 3, 10);
	ok(p.rests == 1 && p.why == AN_R_REST_RETURNS,
	   "returns: even where the share is high and was so before");
	p = start(1);
	steady(&p, 4, 500, PAGES / 3, 10);
	while (!p.rests && p.passes < LONG)
		pass_of(&p, 5, 500, PAGES / 3, 10);
	ok(p.first == 48, "returns: as soon where few faults move all (%u passes)", p.first);
	p = start(1);
	steady(&p, 32, 500, PAGES / 3, 10);
	steady(&p, 100, 500, 100, 4);
	ok(!p.rests, "returns: two windows are not enough");
}

static void test_stalls(void)
{
	struct play p = start(1);

	steady(&p, 100, 500, 100, 80);
	ok(p.rests == 1 && p.why == AN_R_REST_STALLS,
	   "stalls: 8 %% for nothing, at rest after %u passes (%s)", p.first,
	   an_reason_name(p.why));
	p = start(1);
	steady(&p, 48, 500, 100, 40);
	ok(p.rests == 1 && p.why == AN_R_REST_NO_GAIN,
	   "no gain: 4 %% for nothing, though hardly anything moves");
	p = start(1);
	steady(&p, LONG, 500, 100, 5);
	ok(!p.rests, "no gain: 0.5 %% are borne");
	p = start(1);
	steady(&p, 4, 300, 1000, 80);
	steady(&p, LONG, 500, 100, 80);
	ok(!p.rests, "stalls: 8 %% for 20 points are borne");
}

static void test_dry(void)
{
	struct play p = start(1);

	p.dry = true;
	steady(&p, LONG, 300, 0, 40);
	ok(!p.rests, "dry run: 4 %% are borne, though nothing can be gained");
	p = start(1);
	p.dry = true;
	steady(&p, 100, 300, 0, 80);
	ok(p.rests == 1 && p.why == AN_R_REST_STALLS,
	   "dry run: 8 %%, at rest after %u passes (%s)", p.first,
	   an_reason_name(p.why));
}

static void test_set(void)
{
	struct play p = start(10);
	u32 i;

	steady(&p, 479, 500, PAGES / 20, 10);
	ok(!p.rests, "set of ten: a window is ten times as long");
	steady(&p, 1, 500, PAGES / 20, 10);
	ok(p.rests == 1, "set of ten: put to rest together");
	p = start(0);
	steady(&p, 100, 500, PAGES / 20, 10);
	ok(p.first == 48, "set of none: what is left of it counts as one");
	p = start(10);
	for (i = 0; i < 10 * LONG; i++)
		pass(&p, i < 10 ? 250 : i % 10 ? 900 : 500, PAGES / 20, 10);
	ok(!p.rests, "set of ten: one that gains nothing is carried along");
}

/* Rests */

static void test_back_off(void)
{
	struct play p = start(1);
	bool doubles = true, rested = true;
	u64 want = 10000;
	u32 i, rests;

	for (i = 0; i < 12; i++) {
		for (rests = p.rests; p.rests == rests;)
			pass(&p, 500, PAGES / 20, 10);
		doubles = doubles && p.rest_ms == want;
		rested = rested && an_watch_rest_ms(&p.w, p.now_ms) == want &&
			 an_watch_resting(&p.w, p.now_ms + want - 1) &&
			 !an_watch_resting(&p.w, p.now_ms + want);
		want = want * 2 < 3600000 ? want * 2 : 3600000;
		p.now_ms += p.rest_ms - PASS_MS;
	}
	ok(doubles, "back-off: 10 s, doubled to an hour");
	ok(rested, "back-off: at rest for so long");
	ok(p.resumed + 1 >= p.rests && !p.wrong, "back-off: resumed each time");
	p.now_ms += p.rest_ms;
	steady(&p, 5, 300, PAGES / 4, 10);
	steady(&p, 50, 800, 100, 10);
	steady(&p, 1, 800, 0, 0);
	ok(!p.w.rest_nr, "back-off: forgotten when a window pays");
}

/* Anything: no overflow, no division by zero, rests as long as they may be. */
static u64 anything(void)
{
	return chance(20) ? 0 : rnd64() >> rnd(64);
}

static u64 largest(const struct an_watch_sum *sum)
{
	u64 all = sum->sampled | sum->local | sum->moved;

	return all | sum->resident | sum->spent_ns | sum->cpu_ns;
}

static void test_fuzz(void)
{
	u32 i, k, rests = 0, wrong = 0;

	for (i = 0; i < iterations; i++) {
		struct play p = start(rnd(4));

		p.now_ms = chance(50) ? anything() : ~0ULL - 1 - rnd(1000000);
		for (k = 0; k < 300; k++) {
			struct an_watch_pass one = {
				.processes = chance(90) ? p.processes :
							  anything(),
				.resident = anything(),
				.faults = anything(),
				.sampled = anything(),
				.local = anything(),
				.moved = anything(),
				.gears_ns = anything(),
				.stalled_ns = anything(),
				.cpu_ns = anything(),
			};
			u64 later = p.now_ms + rnd(20000);
			u64 until = p.w.rest_until_ms;

			if (later > p.now_ms && later != ~0ULL)
				p.now_ms = later;
			an_watch_add(&p.w, &one);
			judge(&p);
			wrong += p.w.rests && p.w.rest_until_ms < until;
			wrong += p.w.rests && p.w.rest_until_ms < p.now_ms;
			wrong += an_watch_rest_ms(&p.w, p.now_ms) > 3600000;
			wrong += largest(&p.w.window) > 1ULL << 53;
			wrong += p.w.begun_pm > 1000 || p.w.share_pm > 1000;
		}
		wrong += p.wrong;
		rests += p.rests;
	}
	ok(rests > iterations / 50, "fuzz: %u rests", rests);
	ok(!wrong, "fuzz: shares and rests are what they may be");
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_converged();
	test_converging();
	test_small();
	test_pays();
	test_phases();
	test_loop();
	test_no_gain();
	test_returns();
	test_stalls();
	test_dry();
	test_set();
	test_back_off();
	test_fuzz();
	return done();
}
