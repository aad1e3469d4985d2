// SPDX-License-Identifier: GPL-2.0
/* Closed loop of the policy, see sim.h. */
#include <stdlib.h>
#include <string.h>
#include "sim.h"
#include "unit.h"

static struct sim_page *sim_pick(struct sim *m, u32 t)
{
	u32 private = m->procs * SIM_SHARED + t * SIM_PRIVATE;

	if (chance(m->private))
		return &m->pages[private + rnd(SIM_PRIVATE)];
	return &m->pages[t / m->threads * SIM_SHARED + rnd(SIM_SHARED)];
}

static bool sim_home(const struct sim *m, u32 p, int node)
{
	return in_map(m->w->s.procs[p].home, node);
}

static void sim_fault(struct sim *m, u32 t)
{
	struct sim_page *page = sim_pick(m, t);
	u32 *stats = &m->stats[2 * t * m->nodes];
	int cpu = m->w->s.tasks[t].node;
	u32 p = t / m->threads, n, own = 0, shared = 0;
	struct an_fault f = {
		.page_node = page->node, .cpu_node = cpu,
		.last_node = page->last_node, .allowed = true,
		.same_task = page->last_task == t,
		.has_home = home_size(m->w, p),
		.page_home = sim_home(m, p, page->node),
		.cpu_home = sim_home(m, p, cpu),
		.core_pull = in_map(m->w->s.procs[p].core, cpu) &&
			     !in_map(m->w->s.procs[p].core, page->node),
	};
	enum an_reason reason;

	for (n = 0; n < m->nodes; n++) {
		own += stats[2 * n];
		shared += stats[2 * n + 1];
	}
	f.sharer = shared > own;
	m->accesses++;
	m->local += page->node == cpu;
	stats[2 * page->node + (page->last_task != t &&
				page->last_task != AN_NO_TASK)]++;
	reason = an_policy_fault(&f);
	if (!m->dry && (reason == AN_R_FOLLOW || reason == AN_R_FOLLOW_HOME)) {
		m->moved++;
		m->returned += page->visited >> cpu & 1;
		page->visited |= 1U << cpu;
		page->node = cpu;
	}
	page->last_node = cpu;
	page->last_task = t;
}

static u32 sim_count(const struct sim *m, u32 n)
{
	u32 t, nr = 0;

	for (t = 0; t < m->w->s.nr_tasks; t++)
		nr += m->w->s.tasks[t].node == n;
	return nr;
}

/* Pulls from crowded nodes to idle CPUs, and swaps two tasks now and then. */
static void sim_load_balancer(struct sim *m)
{
	struct an_task *tasks = m->w->s.tasks;
	u32 t, n, nr = m->w->s.nr_tasks;

	for (t = 0; t < nr; t++) {
		n = rnd(m->nodes);
		if (sim_count(m, tasks[t].node) > m->cpus &&
		    sim_count(m, n) < m->cpus)
			tasks[t].node = n;
	}
	if (chance(m->disturb)) {
		u32 a = rnd(nr), b = rnd(nr);

		n = tasks[a].node;
		tasks[a].node = tasks[b].node;
		tasks[b].node = n;
	}
}

/* The snapshot that the module would take: noisy loads, decayed statistics. */
static void sim_snapshot(struct sim *m)
{
	struct an_snapshot *s = &m->w->s;
	u32 t, n, p, i;

	memset(m->w->faults, 0, s->nr_tasks * m->nodes * sizeof(*m->w->faults));
	memset(m->w->pages, 0, s->nr_procs * m->nodes * sizeof(*m->w->pages));
	for (t = 0; t < s->nr_tasks; t++) {
		s->tasks[t].nr_faults = 0;
		s->tasks[t].load = 950 + rnd(75);
		s->tasks[t].held = m->dry;
		s->tasks[t].fixed = m->dry || m->cool[t];
		m->cool[t] -= !!m->cool[t];
		for (n = 0; n < m->nodes; n++) {
			u32 *stats = &m->stats[2 * (t * m->nodes + n)];

			add_faults(m->w, t, n, stats[0], stats[1]);
			stats[0] /= 2;
			stats[1] /= 2;
		}
	}
	for (p = 0; p < s->nr_procs; p++) {
		u32 count[32] = { 0 };

		for (i = 0; i < SIM_SHARED; i++)
			count[m->pages[p * SIM_SHARED + i].node]++;
		for (i = 0; i < m->threads * SIM_PRIVATE; i++)
			count[m->pages[m->procs * SIM_SHARED +
				p * m->threads * SIM_PRIVATE + i].node]++;
		s->procs[p].dry = m->dry;
		s->procs[p].nr_pages = 0;
		for (n = 0; n < m->nodes; n++)
			add_pages(m->w, p, n, count[n]);
	}
	for (n = 0; n < m->nodes; n++) {
		u32 busy = sim_count(m, n);

		s->nodes[n].other_load = rnd(100);
		s->nodes[n].idle_cpus = busy < m->cpus ? m->cpus - busy : 0;
	}
}

/* Balance, and one step in ten that the kernel does not carry out. */
static void sim_balance(struct sim *m)
{
	struct an_snapshot *s = &m->w->s;
	size_t size = s->nr_procs * m->w->words * sizeof(long);
	unsigned long *before = need(1, size);
	struct an_step *steps;
	u32 *node = need(s->nr_tasks, sizeof(*node));
	u32 i, nr;

	memcpy(before, m->w->homes, size);
	for (i = 0; i < s->nr_tasks; i++)
		node[i] = s->tasks[i].node;
	find_homes(m->w);
	m->flaps += !!memcmp(before, m->w->homes, size);
	nr = run(m->w, &steps);
	m->steps += nr;
	for (i = 0; i < nr; i++)
		m->cool[steps[i].task] = 2;
	for (i = 0; i < s->nr_tasks; i++) {
		if (node[i] != s->tasks[i].node && chance(10))
			s->tasks[i].node = node[i];
	}
	free(steps);
	free(node);
	free(before);
}

double sim_pass(struct sim *m)
{
	u32 i, nr = m->w->s.nr_tasks;

	m->accesses = 0;
	m->local = 0;
	for (i = 0; i < nr * SIM_FAULTS; i++)
		sim_fault(m, i % nr);
	sim_snapshot(m);
	sim_balance(m);
	sim_load_balancer(m);
	return (double)m->local / m->accesses;
}

/* Memory as it may be found: by first touch, of one or of all, or interleaved. */
static void place_pages(struct sim *m)
{
	u32 tasks = m->procs * m->threads, kind = rnd(4), i;
	u32 shared = m->procs * SIM_SHARED;

	for (i = 0; i < shared + tasks * SIM_PRIVATE; i++) {
		u32 p = i < shared ? i / SIM_SHARED :
			(i - shared) / SIM_PRIVATE / m->threads;

		if (kind == 1)
			m->pages[i].node = p % m->nodes;
		else if (kind == 2)
			m->pages[i].node = rnd(m->nodes);
		else if (kind == 3)
			m->pages[i].node = i % m->nodes;
	}
}

struct sim sim_random(void)
{
	struct sim m = { .best = 1, .random = true };
	u32 wanted;

	m.nodes = 2 + rnd(5);
	m.cpus = 1 + rnd(4);
	m.threads = 1 + rnd(2 * m.cpus + 1);
	wanted = m.nodes * m.cpus * (30 + rnd(90)) / 100;
	m.procs = wanted / m.threads ? wanted / m.threads : 1;
	m.private = rnd(6) * 20;
	m.disturb = rnd(2);
	return m;
}

void sim_start(struct sim *m)
{
	u32 tasks = m->procs * m->threads, i;
	u32 pages = m->procs * SIM_SHARED + tasks * SIM_PRIVATE;

	m->w = world_new(m->nodes, tasks, m->procs, m->cpus);
	m->pages = need(pages, sizeof(*m->pages));
	m->stats = need(2 * tasks * m->nodes, sizeof(*m->stats));
	m->cool = need(tasks, sizeof(*m->cool));
	for (i = 0; i < pages; i++) {
		m->pages[i].last_node = AN_NO_NODE;
		m->pages[i].last_task = AN_NO_TASK;
	}
	for (i = 0; i < tasks; i++)
		put(m->w, i, i / m->threads, i % m->nodes);
	if (!m->random)
		return;
	if (chance(30))
		make_ring(m->w);
	place_pages(m);
}

void sim_end(struct sim *m)
{
	world_free(m->w);
	free(m->pages);
	free(m->stats);
	free(m->cool);
}
