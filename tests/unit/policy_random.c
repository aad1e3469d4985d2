// SPDX-License-Identifier: GPL-2.0
/*
 * The policy on random snapshots, against its definitions written a second
 * time, against the best of all placements, and in closed loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy_random.h"
#include "sim.h"
#include "unit.h"

/* The definitions of policy.h, written a second time */

static u32 ref_nearest(const struct world *w, u32 p, u32 n)
{
	u32 m, best = 1000;

	for (m = 0; m < w->s.nr_nodes; m++) {
		u32 d = w->distance[n * w->s.nr_nodes + m];

		if (in_map(w->s.procs[p].home, m) && (m == n || d < best))
			best = d;
	}
	if (in_map(w->s.procs[p].home, n))
		best = w->distance[n * w->s.nr_nodes + n];
	return best;
}

/* In 1/1024, as all means here. */
static u64 ref_home_mean(const struct world *w, u32 p, u32 n)
{
	const struct an_proc *proc = &w->s.procs[p];
	u64 sum = 0, all = 0;
	u32 i;

	if (home_size(w, p) == 1 || !proc->nr_pages)
		return 1024 * ref_nearest(w, p, n);
	for (i = 0; i < proc->nr_pages; i++) {
		struct an_pages *at = &w->pages[proc->pages + i];
		u64 near = ref_nearest(w, p, n), d = near;

		if (in_map(proc->home, at->node))
			d = w->distance[n * w->s.nr_nodes + at->node];
		sum += (near + d) * at->pages;
		all += 2 * at->pages;
	}
	return sum * 1024 / all;
}

static u64 ref_real(u64 shared, u64 all, u32 threads)
{
	if (threads > 1)
		shared = shared * threads / (threads - 1);
	return shared < all ? shared : all;
}

static u64 ref_cost(const struct world *w, u32 t, u32 n)
{
	const struct an_task *task = &w->s.tasks[t];
	u64 all = 0, shared = 0, sum = 0, proc_all = 0, proc_shared = 0;
	u64 threads = 0, private, real;
	bool homed = home_size(w, task->proc);
	u32 i, o;

	for (o = 0; o < w->s.nr_tasks; o++) {
		const struct an_task *other = &w->s.tasks[o];

		threads += other->proc == task->proc;
		for (i = 0; i < other->nr_faults; i++) {
			struct an_faults *f = &w->faults[other->faults + i];

			if (other->proc == task->proc) {
				proc_all += f->private + f->shared;
				proc_shared += f->shared;
			}
			if (o != t)
				continue;
			all += f->private + f->shared;
			shared += f->shared;
			sum += 1024ULL * f->private *
			       w->distance[n * w->s.nr_nodes + f->node];
			if (!homed)
				sum += 1024ULL * f->shared *
				       w->distance[n * w->s.nr_nodes + f->node];
		}
	}
	if (!all || all < w->s.min_faults) {
		if (!homed || !proc_all)
			return 0;
		return task->load * (ref_real(proc_shared, proc_all, threads) *
				     ref_home_mean(w, task->proc, n) /
				     proc_all);
	}
	if (!homed)
		return task->load * (sum / all);
	private = all - shared;
	real = ref_real(shared, all, threads);
	sum = (all - real) * (private ? sum / private : 0) / 2;
	sum += real * ref_home_mean(w, task->proc, n);
	return task->load * (sum / all);
}

static u64 ref_goal(const struct world *w)
{
	u64 goal = 0;
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++)
		goal += ref_cost(w, t, w->s.tasks[t].node);
	return goal;
}

/* What a step may not do; counts of each, over all random snapshots. */
static struct {
	u32 steps, moves, gain, small, affinity, fixed, isolated, load, idle,
	    node, replay, more, endless, homes;
} bad;

static void check_task(const struct world *w, u32 t, u32 from, u32 to)
{
	bad.affinity += w->s.tasks[t].allowed &&
			!in_map(w->s.tasks[t].allowed, to);
	bad.fixed += w->s.tasks[t].fixed;
	bad.isolated += !w->s.nodes[to].capacity;
	bad.node += w->s.tasks[t].node != from || from == to;
}

/* After the step: @to is less crowded, per CPU, than @from was. */
static bool less_crowded(const struct world *w, const struct an_step *step,
			 u64 from_load)
{
	return node_load(w, step->to) * w->s.nodes[step->from].capacity <
	       from_load * w->s.nodes[step->to].capacity ||
	       !w->s.tasks[step->task].load;
}

/* Plays one step in @w, which is as it was before, and checks it. */
static void check_step(struct world *w, const struct an_step *step)
{
	u64 before = ref_goal(w), own = ref_cost(w, step->task, step->from);
	u64 from_load = node_load(w, step->from);
	u64 to_load = node_load(w, step->to);

	bad.steps++;
	check_task(w, step->task, step->from, step->to);
	w->s.tasks[step->task].node = step->to;
	if (step->other != AN_NO_TASK) {
		own += ref_cost(w, step->other, step->to);
		check_task(w, step->other, step->to, step->from);
		w->s.tasks[step->other].node = step->from;
	} else {
		bad.moves++;
		if (w->s.nodes[step->to].idle_cpus)
			w->s.nodes[step->to].idle_cpus--;
		else
			bad.idle += step->reason != AN_R_MOVE_EVEN ||
				    !less_crowded(w, step, from_load);
		if (node_load(w, step->from) +
		    (w->s.nodes[step->from].idle_cpus + 1) * CPU <=
		    w->s.nodes[step->from].capacity + CPU / 2)
			w->s.nodes[step->from].idle_cpus++;
	}
	bad.gain += !step->gain || before - ref_goal(w) != step->gain ||
		    step->part != step->gain * 1000 / own;
	bad.small += step->gain * 1024 < own * w->s.min_gain;
	bad.load += node_load(w, step->to) > to_load &&
		    node_load(w, step->to) > node_bound(w, step->to);
	bad.load += node_load(w, step->from) > from_load &&
		    node_load(w, step->from) > node_bound(w, step->from);
}

static void check_homes(const struct world *w)
{
	u32 p, n;

	for (p = 0; p < w->s.nr_procs; p++) {
		for (n = 0; n < w->s.nr_nodes; n++) {
			bad.homes += in_map(w->s.procs[p].home, n) &&
				     !w->s.nodes[n].capacity;
			bad.homes += in_map(w->s.procs[p].core, n) &&
				     !in_map(w->s.procs[p].home, n);
		}
		for (; n < w->words * WORD_BITS; n++)
			bad.homes += in_map(w->s.procs[p].home, n);
	}
}

static void check_random(struct world *w)
{
	struct an_step *steps;
	struct world *copy;
	u32 i, nr;

	find_homes(w);
	check_homes(w);
	copy = world_copy(w);
	bad.gain += an_policy_goal(&w->s) != ref_goal(w);
	nr = run(w, &steps);
	bad.endless += nr >= w->s.max_steps;
	for (i = 0; i < nr; i++)
		check_step(copy, &steps[i]);
	for (i = 0; i < w->s.nr_tasks; i++)
		bad.replay += w->s.tasks[i].node != copy->s.tasks[i].node;
	bad.replay += an_policy_goal(&w->s) != ref_goal(copy);
	bad.more += !!run(w, NULL);
	free(steps);
	world_free(copy);
}

/* Homes and balance in turn, statistics frozen: comes to rest. */
static u32 rounds_to_rest(struct world *w)
{
	u32 i, last = 0;

	for (i = 1; i <= 20; i++) {
		unsigned long *homes = need(w->s.nr_procs * w->words,
					    sizeof(long));
		size_t size = w->s.nr_procs * w->words * sizeof(long);

		memcpy(homes, w->homes, size);
		find_homes(w);
		if (run(w, NULL) || memcmp(homes, w->homes, size))
			last = i;
		free(homes);
	}
	return last;
}

void test_properties(void)
{
	u32 i, last, worst = 0, restless = 0;

	memset(&bad, 0, sizeof(bad));
	for (i = 0; i < iterations; i++) {
		struct world *w = i % 50 ? random_world(8, 24) :
					   random_world(70, 40);

		check_random(w);
		last = rounds_to_rest(w);
		if (last > worst)
			worst = last;
		restless += last >= 20;
		world_free(w);
	}
	note("%u snapshots, %u steps, %u of them moves; at rest after %u",
	     iterations, bad.steps, bad.moves, worst);
	ok(bad.steps > iterations / 2 && bad.moves > iterations / 20,
	   "property: the snapshots give it something to do");
	ok(!bad.gain, "property: J falls by exactly the gain of each step");
	ok(!bad.small, "property: by at least min_gain of the tasks' part");
	ok(!bad.affinity, "property: affinity never broken");
	ok(!bad.fixed, "property: fixed tasks never moved");
	ok(!bad.isolated, "property: nodes without CPUs never a target");
	ok(!bad.load, "property: load bound never broken");
	ok(!bad.idle, "property: a move takes an idle CPU, or leaves a more crowded node");
	ok(!bad.node && !bad.replay, "property: steps can be replayed");
	ok(!bad.endless, "property: ends before max_steps");
	ok(!bad.more, "property: a second call finds nothing");
	ok(!bad.homes, "property: homes have CPUs");
	ok(!restless, "property: homes and balance in turn come to rest");
}

/* Optimum of small cases, by trying all placements */

/* Wider than what steps can reach: idle CPUs do not matter here. */
static bool placement_fits(const struct world *w, const u64 *before)
{
	u32 n;

	for (n = 0; n < w->s.nr_nodes; n++) {
		if (node_load(w, n) > before[n] &&
		    node_load(w, n) > node_bound(w, n))
			return false;
	}
	return true;
}

static u64 best_goal(struct world *w, u64 cost[7][3])
{
	u32 nodes = w->s.nr_nodes, tasks = w->s.nr_tasks, all = 1, i, t;
	u64 before[3] = { 0 }, best = ~0ULL;
	u32 from[7];

	for (t = 0; t < tasks; t++) {
		from[t] = w->s.tasks[t].node;
		all *= nodes;
	}
	for (i = 0; i < nodes; i++)
		before[i] = node_load(w, i);
	for (i = 0; i < all; i++) {
		u32 rest = i;
		u64 goal = 0;
		bool may = true;

		for (t = 0; t < tasks; t++, rest /= nodes) {
			u32 to = rest % nodes;

			w->s.tasks[t].node = to;
			goal += cost[t][to];
			if (to == from[t])
				continue;
			may = may && w->s.nodes[to].capacity &&
			      !w->s.tasks[t].fixed &&
			      (!w->s.tasks[t].allowed ||
			       in_map(w->s.tasks[t].allowed, to));
		}
		if (may && goal < best && placement_fits(w, before))
			best = goal;
	}
	for (t = 0; t < tasks; t++)
		w->s.tasks[t].node = from[t];
	return best;
}

/* @busy: all threads fully busy, as in the benchmarks. */
void test_optimal(bool busy, double max_mean)
{
	double sum = 0, worst = 0;
	u32 i, n, t, nr = 0, exact = 0, within = 0;

	for (i = 0; i < iterations; i++) {
		struct world *w = world_to_optimize(3, 7, busy);
		u64 cost[7][3], best, got;
		double off;

		for (t = 0; t < w->s.nr_tasks; t++) {
			for (n = 0; n < w->s.nr_nodes; n++)
				cost[t][n] = ref_cost(w, t, n);
		}
		best = best_goal(w, cost);
		run(w, NULL);
		got = an_policy_goal(&w->s);
		world_free(w);
		if (!best)
			continue;
		off = 100.0 * ((double)got - best) / best;
		sum += off;
		worst = off > worst ? off : worst;
		exact += got <= best;
		within += off <= 2;
		nr++;
	}
	note("%s loads, %u cases: %u exact, %u within 2 %%, mean %.3f %%, worst %.1f %%",
	     busy ? "full" : "mixed", nr, exact, within, sum / nr, worst);
	ok(sum / nr <= max_mean, "optimum: %s loads: mean within %.2f %%",
	   busy ? "full" : "mixed", max_mean);
}

/* Closed loop */

#define SIM_PASSES	150
#define SIM_SETTLE	40	/* passes until it must have converged */

static void test_simulation(struct sim m)
{
	double sum = 0, share;
	u32 i, reached = 0, returned = 0, moved = 0, flaps = 0, steps = 0;
	u32 pages = m.procs * SIM_SHARED + m.procs * m.threads * SIM_PRIVATE;

	if (!m.want)
		m.want = .95;
	sim_start(&m);
	for (i = 1; i <= SIM_PASSES; i++) {
		share = sim_pass(&m) / m.best;
		if (!reached && share >= m.want)
			reached = i;
		if (i == SIM_SETTLE) {
			returned = m.returned;
			moved = m.moved;
			flaps = m.flaps;
			steps = m.steps;
		}
		if (i > SIM_SETTLE)
			sum += share;
	}
	sum /= SIM_PASSES - SIM_SETTLE;
	ok(reached && reached <= SIM_SETTLE && sum >= m.want,
	   "loop: %s: %.0f %% of the best after %u passes, then %.1f %%",
	   m.name, 100 * m.want, reached, 100 * sum);
	m.returned -= returned;
	ok(m.returned <= pages * (SIM_PASSES - SIM_SETTLE) / 100 &&
	   m.flaps == flaps,
	   "loop: %s: %u of %u pages returned in %u passes (%u moved, %u steps, %u homes changed)",
	   m.name, m.returned, pages, SIM_PASSES - SIM_SETTLE, m.moved - moved,
	   m.steps - steps, m.flaps - flaps);
	sim_end(&m);
}

void test_simulations(void)
{
	static const struct sim cases[] = {
		{ "4 nodes, 4x2 shared", 4, 2, 4, 2, 0, 1, .disturb = 5 },
		{ "4 nodes, 4x2 mixed", 4, 2, 4, 2, 40, 1, .disturb = 5 },
		{ "4 nodes, 8 slices", 4, 2, 1, 8, 100, 1, .disturb = 2 },
		{ "4 nodes, 8x1 private", 4, 2, 8, 1, 100, 1, .disturb = 5 },
		{ "4 nodes, 1x3", 4, 2, 1, 3, 0, 2. / 3, .disturb = 5 },
		{ "4 nodes, 1x4", 4, 2, 1, 4, 0, 2. / 4, .disturb = 5 },
		{ "4 nodes, 1x6", 4, 2, 1, 6, 0, 2. / 6, .disturb = 5 },
		{ "4 nodes, 1x8 table", 4, 2, 1, 8, 0, 2. / 8, .disturb = 5 },
		{ "4 nodes, 2x3", 4, 2, 2, 3, 0, 2. / 3, .disturb = 5 },
		/* Nine threads, eight CPUs: at best one node has three of a kind. */
		{ "4 nodes, 3x3", 4, 2, 3, 3, 0, 7. / 9, .disturb = 5,
		  .want = .7 },
		{ "4 nodes, 4x4", 4, 2, 4, 4, 0, 1, .disturb = 5 },
		{ "2 nodes, 2x2", 2, 2, 2, 2, 0, 1, .disturb = 2 },
		{ "8 nodes, 8x2", 8, 2, 8, 2, 0, 1, .disturb = 5 },
		{ "16 nodes, 16x4", 16, 4, 16, 4, 0, 1, .disturb = 5 },
		{ "16 nodes, 32x2", 16, 4, 32, 2, 0, 1, .disturb = 5 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_simulation(cases[i]);
}
