// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the forecast, in TAP: forecast.c of module/, on the policy.
 *
 *	forecast_test [seed [iterations]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "forecast.h"
#include "sim.h"
#include "unit.h"

static u32 iterations = 1000;

/* As gear 4 does it: homes, the steps of the others, then the forecast. */
static struct an_share *forecast(struct world *w)
{
	struct an_share *shares = need(w->s.nr_procs, sizeof(*shares));
	void *scratch;

	an_policy_homes(&w->s);
	run(w, NULL);
	/* Exactly as large as promised: the sanitizer checks the edges. */
	scratch = need(1, an_forecast_scratch(&w->s));
	an_forecast(&w->s, scratch, shares);
	free(scratch);
	return shares;
}

static void make_dry(struct world *w)
{
	u32 i;

	for (i = 0; i < w->s.nr_procs; i++)
		w->s.procs[i].dry = true;
	for (i = 0; i < w->s.nr_tasks; i++) {
		w->s.tasks[i].held = !w->s.tasks[i].fixed;
		w->s.tasks[i].fixed = true;
	}
}

static bool around(u32 pm, u32 want, u32 off)
{
	return pm + off >= want && pm <= want + off;
}

/* Forecasts for @w, all of it a dry run: each process from @now to @then. */
static void expect(struct world *w, u32 now, u32 then, const char *what)
{
	struct an_share *shares;
	bool good = true;
	u32 p;

	make_dry(w);
	shares = forecast(w);
	for (p = 0; p < w->s.nr_procs; p++)
		good = good && around(shares[p].now_pm, now, 1) &&
		       around(shares[p].then_pm, then, 1);
	ok(good, "%s: from %u to %u (%u to %u)", what, now, then,
	   shares[0].now_pm, shares[0].then_pm);
	free(shares);
	world_free(w);
}

/* Scenarios */

/* Two processes of four threads that share all, their memory spread evenly. */
static struct world *spread(u32 nodes, u32 cpus)
{
	struct world *w = world_new(nodes, 8, 2, cpus);
	u32 t, n;

	for (t = 0; t < 8; t++) {
		put(w, t, t / 4, t % nodes);
		for (n = 0; n < nodes; n++)
			add_faults(w, t, n, 30, 90);
	}
	for (n = 0; n < 2 * nodes; n++)
		add_pages(w, n / nodes, n % nodes, 1000);
	return w;
}

static void test_sharing(void)
{
	struct world *w;
	u32 t;

	expect(spread(2, 4), 500, 1000, "sharing: two processes, two nodes");
	expect(spread(4, 4), 250, 1000, "sharing: four nodes with room");
	/* Two of four CPUs are at home, the two home nodes share the memory. */
	expect(spread(4, 2), 250, 500, "sharing: two nodes for each process");
	w = sharers(2, 4, 1, 4);
	scatter(w, 4);
	for (t = 0; t < 2; t++)
		w->s.nodes[t].idle_cpus = 0;
	expect(w, 500, 1000, "sharing: no idle CPU at this moment");
	w = spread(2, 4);
	for (t = 0; t < 4; t++)
		w->s.tasks[t].fixed = true;
	expect(w, 500, 500, "sharing: bound where they are, both lose");
}

/* One process, all of its private memory on node 0. */
static struct world *loners(u32 nodes, u32 cpus, u32 threads)
{
	struct world *w = world_new(nodes, threads, 1, cpus);
	u32 t;

	for (t = 0; t < threads; t++) {
		put(w, t, 0, t % nodes);
		add_faults(w, t, 0, 200, 0);
	}
	add_pages(w, 0, 0, 1000);
	return w;
}

static void test_private(void)
{
	struct world *w = loners(4, 2, 8);
	struct an_share *shares;

	expect(w, 250, 1000, "private: memory follows where CPUs are taken");
	w = loners(2, 2, 1);
	w->s.tasks[0].node = 1;
	expect(w, 0, 1000, "private: one remote thread");
	w = loners(2, 2, 1);
	w->s.tasks[0].node = 1;
	w->s.tasks[0].fixed = true;
	expect(w, 0, 1000, "private: bound, so its memory comes");
	w = loners(2, 2, 1);
	w->s.tasks[0].node = 1;
	w->s.tasks[0].fixed = true;
	w->s.nodes[1].room = 0;
	expect(w, 0, 0, "private: bound to a full node");
	w = loners(4, 2, 8);
	w->s.min_faults = 1000;
	make_dry(w);
	shares = forecast(w);
	ok(shares->now_pm == AN_SHARE_UNKNOWN &&
	   shares->then_pm == AN_SHARE_UNKNOWN, "private: no evidence");
	free(shares);
	world_free(w);
	expect(loners(1, 4, 4), 1000, 1000, "private: a single node");
}

static void test_settled(void)
{
	struct world *w = world_new(2, 8, 2, 4);
	u32 t;

	for (t = 0; t < 8; t++) {
		put(w, t, t / 4, t / 4);
		add_faults(w, t, t / 4, 50, 50);
	}
	add_pages(w, 0, 0, 1000);
	add_pages(w, 1, 1, 1000);
	expect(w, 1000, 1000, "settled: stays");
}

/* Three threads on nodes of two CPUs: one of them will always be remote. */
static void test_oversize(void)
{
	struct world *w = world_new(4, 3, 1, 2);
	u32 t, n;

	for (t = 0; t < 3; t++) {
		put(w, t, 0, t + 1);
		for (n = 0; n < 4; n++)
			add_faults(w, t, n, 10, 50);
	}
	for (n = 0; n < 4; n++)
		add_pages(w, 0, n, 1000);
	expect(w, 250, 667, "oversize: memory gathers where two threads are");
	w = sharers(4, 2, 1, 8);
	scatter(w, 8);
	expect(w, 250, 250, "oversize: a table that all read stays");
}

/* A bound thread away from the others: home is where most may be. */
static void test_bound(void)
{
	struct world *w = sharers(2, 4, 1, 4);
	u32 t;

	for (t = 0; t < 4; t++) {
		put(w, t, 0, t % 2);
		w->s.tasks[t].fixed = t == 3;
	}
	expect(w, 500, 750, "bound: the three others gather");
}

static void test_mixed(void)
{
	struct world *w = spread(2, 4);
	struct an_share *shares;
	struct an_task *before;
	size_t size = w->s.nr_tasks * sizeof(*before);
	u32 t;

	w->s.procs[1].dry = true;
	for (t = 4; t < 8; t++) {
		w->s.tasks[t].fixed = true;
		w->s.tasks[t].held = true;
	}
	shares = forecast(w);
	ok(shares[0].then_pm == AN_SHARE_UNKNOWN && shares[0].now_pm == 500,
	   "mixed: a balanced process has no forecast");
	ok(shares[1].then_pm == 1000, "mixed: a dry run beside it has one (%u)",
	   shares[1].then_pm);
	before = need(1, size);
	memcpy(before, w->s.tasks, size);
	free(shares);
	shares = forecast(w);
	ok(!memcmp(before, w->s.tasks, size), "mixed: the snapshot stays");
	free(shares);
	free(before);
	world_free(w);
}

/* Random snapshots: anything goes, nothing breaks. */
static void test_random(void)
{
	u32 i, p, wide = 0, known = 0, changed = 0;

	for (i = 0; i < iterations; i++) {
		struct world *w = i % 50 ? random_world(8, 24) :
					   random_world(70, 40);
		struct an_share *shares;
		struct world *copy;

		make_dry(w);
		an_policy_homes(&w->s);
		copy = world_copy(w);
		shares = forecast(w);
		for (p = 0; p < w->s.nr_procs; p++) {
			known += shares[p].now_pm != AN_SHARE_UNKNOWN;
			wide += (shares[p].now_pm == AN_SHARE_UNKNOWN) !=
				(shares[p].then_pm == AN_SHARE_UNKNOWN);
			wide += shares[p].now_pm > 1000 &&
				shares[p].now_pm != AN_SHARE_UNKNOWN;
			wide += shares[p].then_pm > 1000 &&
				shares[p].then_pm != AN_SHARE_UNKNOWN;
		}
		for (p = 0; p < w->s.nr_tasks; p++)
			changed += w->s.tasks[p].node !=
				   copy->s.tasks[p].node;
		free(shares);
		world_free(copy);
		world_free(w);
	}
	ok(known > iterations, "random: %u shares known", known);
	ok(!wide, "random: all of them within 0 and 1000");
	ok(!changed, "random: nothing moved in the snapshot");
}

/* Closed loop: a dry run, its forecast, then the same for real */

#define DRY_PASSES	8	/* until the statistics are full */
#define REAL_PASSES	120
#define LAST_PASSES	40	/* the share reached is the mean of these */
#define MIN_GAIN_PM	200	/* smaller gains are not judged */
#define MAX_OFF_PCT	10	/* of the gain */
#define LOOPS		2	/* per iteration: a thousand cases are 0.7 % exact */

struct outcome {
	double now, then, real;
};

static double mean_pm(const struct an_share *shares, u32 nr, bool then)
{
	double sum = 0;
	u32 p;

	for (p = 0; p < nr; p++)
		sum += then ? shares[p].then_pm : shares[p].now_pm;
	return sum / nr;
}

static struct outcome play(struct sim *m)
{
	struct an_share *shares;
	struct outcome out = { 0 };
	u32 i;

	sim_start(m);
	m->dry = true;
	for (i = 0; i < DRY_PASSES; i++)
		sim_pass(m);
	shares = forecast(m->w);
	out.now = mean_pm(shares, m->procs, false);
	out.then = mean_pm(shares, m->procs, true);
	m->dry = false;
	for (i = 0; i < REAL_PASSES; i++) {
		double share = sim_pass(m);

		if (i >= REAL_PASSES - LAST_PASSES)
			out.real += 1000 * share / LAST_PASSES;
	}
	free(shares);
	sim_end(m);
	return out;
}

static double off_by(const struct outcome *out)
{
	return out->then > out->real ? out->then - out->real :
				       out->real - out->then;
}

static void test_loop(void)
{
	u32 i, judged = 0, close = 0, small = 0, small_close = 0;
	u32 loops = LOOPS * iterations;
	double sum = 0;

	for (i = 0; i < loops; i++) {
		struct sim m = sim_random();
		struct outcome out = play(&m);
		double off = off_by(&out), gain = out.real - out.now;
		bool near = 100 * off <= MAX_OFF_PCT * gain;

		if (gain < MIN_GAIN_PM) {
			small++;
			small_close += off <= MIN_GAIN_PM / 4;
			continue;
		}
		judged++;
		close += near;
		sum += 100 * off / gain;
		if (!near)
			note("%ux%u CPUs, %ux%u threads, %u %% private: %.0f to %.0f, not %.0f",
			     m.nodes, m.cpus, m.procs, m.threads, m.private,
			     out.now, out.real, out.then);
	}
	ok(judged > loops / 3, "loop: %u of %u gain 20 points or more",
	   judged, loops);
	/* 94.8 to 95.5 % by seed. */
	ok(100 * close >= 94 * judged,
	   "loop: %.1f %% of them within %u %% of the gain, mean %.1f %%",
	   100. * close / judged, MAX_OFF_PCT, sum / judged);
	ok(100 * small_close >= 90 * small,
	   "loop: %u of %u others within 5 points", small_close, small);
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_sharing();
	test_private();
	test_settled();
	test_oversize();
	test_bound();
	test_mixed();
	test_random();
	test_loop();
	return done();
}
