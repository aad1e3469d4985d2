// SPDX-License-Identifier: GPL-2.0
/* Hand-made and random snapshots, see world.h. */
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "world.h"

void set_distance(struct world *w, u32 a, u32 b, u8 d)
{
	w->distance[a * w->s.nr_nodes + b] = d;
	w->distance[b * w->s.nr_nodes + a] = d;
}

struct world *world_new(u32 nr_nodes, u32 nr_tasks, u32 nr_procs, u32 cpus)
{
	struct world *w = need(1, sizeof(*w));
	struct an_snapshot *s = &w->s;
	u32 i, j;

	s->nr_nodes = nr_nodes;
	s->nr_tasks = nr_tasks;
	s->nr_procs = nr_procs;
	s->min_faults = 16;
	s->min_gain = 32;
	s->imbalance_pct = 117;
	s->max_steps = 4 * nr_tasks + 16;
	w->words = (nr_nodes + WORD_BITS - 1) / WORD_BITS;
	s->nodes = need(nr_nodes, sizeof(*s->nodes));
	w->distance = need((size_t)nr_nodes * nr_nodes, 1);
	s->distance = w->distance;
	s->tasks = need(nr_tasks, sizeof(*s->tasks));
	s->procs = need(nr_procs, sizeof(*s->procs));
	w->faults = need((size_t)nr_tasks * nr_nodes, sizeof(*w->faults));
	w->pages = need((size_t)nr_procs * nr_nodes, sizeof(*w->pages));
	s->faults = w->faults;
	s->pages = w->pages;
	w->homes = need((size_t)nr_procs * w->words, sizeof(long));
	w->cores = need((size_t)nr_procs * w->words, sizeof(long));
	w->were = need((size_t)nr_procs * w->words, sizeof(long));
	w->allowed = need((size_t)nr_tasks * w->words, sizeof(long));
	/* Exactly as large as promised: the sanitizer checks the edges. */
	s->scratch = need(1, an_policy_scratch(nr_nodes, nr_tasks, nr_procs));
	for (i = 0; i < nr_nodes; i++) {
		s->nodes[i].capacity = cpus * CPU;
		s->nodes[i].idle_cpus = cpus;
		s->nodes[i].room = 1 << 20;
		for (j = 0; j <= i; j++)
			set_distance(w, i, j, i == j ? LOCAL : REMOTE);
	}
	for (i = 0; i < nr_tasks; i++) {
		s->tasks[i].faults = i * nr_nodes;
		s->tasks[i].load = CPU;
	}
	for (i = 0; i < nr_procs; i++) {
		s->procs[i].pages = i * nr_nodes;
		s->procs[i].home = w->homes + i * w->words;
		s->procs[i].core = w->cores + i * w->words;
		s->procs[i].was_core = w->were + i * w->words;
	}
	return w;
}

void world_free(struct world *w)
{
	free(w->s.nodes);
	free(w->distance);
	free(w->s.tasks);
	free(w->s.procs);
	free(w->faults);
	free(w->pages);
	free(w->homes);
	free(w->cores);
	free(w->were);
	free(w->allowed);
	free(w->s.scratch);
	free(w);
}

/* As gear 4 does it: the cores of the call before are known. */
void find_homes(struct world *w)
{
	memcpy(w->were, w->cores, w->s.nr_procs * w->words * sizeof(long));
	an_policy_homes(&w->s);
}

struct world *world_copy(const struct world *from)
{
	const struct an_snapshot *f = &from->s;
	struct world *w = world_new(f->nr_nodes, f->nr_tasks, f->nr_procs, 0);
	u32 i;

	w->s.min_faults = f->min_faults;
	w->s.min_gain = f->min_gain;
	w->s.imbalance_pct = f->imbalance_pct;
	w->s.max_steps = f->max_steps;
	memcpy(w->s.nodes, f->nodes, f->nr_nodes * sizeof(*f->nodes));
	memcpy(w->distance, from->distance, (size_t)f->nr_nodes * f->nr_nodes);
	memcpy(w->s.tasks, f->tasks, f->nr_tasks * sizeof(*f->tasks));
	memcpy(w->faults, from->faults,
	       (size_t)f->nr_tasks * f->nr_nodes * sizeof(*w->faults));
	memcpy(w->pages, from->pages,
	       (size_t)f->nr_procs * f->nr_nodes * sizeof(*w->pages));
	memcpy(w->homes, from->homes,
	       (size_t)f->nr_procs * from->words * sizeof(long));
	memcpy(w->allowed, from->allowed,
	       (size_t)f->nr_tasks * from->words * sizeof(long));
	for (i = 0; i < f->nr_procs; i++)
		w->s.procs[i].nr_pages = f->procs[i].nr_pages;
	for (i = 0; i < f->nr_tasks; i++) {
		if (f->tasks[i].allowed)
			w->s.tasks[i].allowed = w->allowed + i * w->words;
	}
	return w;
}

void put(struct world *w, u32 t, u32 proc, u32 node)
{
	struct an_node *n = &w->s.nodes[node];

	w->s.tasks[t].proc = proc;
	w->s.tasks[t].node = node;
	if (n->idle_cpus && w->s.tasks[t].load)
		n->idle_cpus--;
}

void add_faults(struct world *w, u32 t, u32 node, u32 private, u32 shared)
{
	struct an_task *task = &w->s.tasks[t];
	u32 i;

	if (!private && !shared)
		return;
	for (i = 0; i < task->nr_faults; i++) {
		if (w->faults[task->faults + i].node == node)
			break;
	}
	if (i == task->nr_faults)
		task->nr_faults++;
	w->faults[task->faults + i].node = node;
	w->faults[task->faults + i].private += private;
	w->faults[task->faults + i].shared += shared;
}

void add_pages(struct world *w, u32 p, u32 node, u32 pages)
{
	struct an_proc *proc = &w->s.procs[p];

	if (!pages)
		return;
	w->pages[proc->pages + proc->nr_pages].node = node;
	w->pages[proc->pages + proc->nr_pages].pages = pages;
	proc->nr_pages++;
}

void allow(struct world *w, u32 t, u32 node)
{
	unsigned long *map = w->allowed + t * w->words;

	map[node / WORD_BITS] |= 1UL << (node % WORD_BITS);
	w->s.tasks[t].allowed = map;
}

bool in_map(const unsigned long *map, u32 n)
{
	return map[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

u32 home_size(const struct world *w, u32 p)
{
	u32 n, nr = 0;

	for (n = 0; n < w->s.nr_nodes; n++)
		nr += in_map(w->s.procs[p].home, n);
	return nr;
}

/* The only home node, or nr_nodes. */
u32 home_of(const struct world *w, u32 p)
{
	u32 n, home = w->s.nr_nodes;

	for (n = 0; n < w->s.nr_nodes; n++) {
		if (in_map(w->s.procs[p].home, n))
			home = n;
	}
	return home_size(w, p) == 1 ? home : w->s.nr_nodes;
}

u32 run(struct world *w, struct an_step **out)
{
	struct an_step *steps = need(w->s.max_steps, sizeof(*steps));
	u32 nr = an_policy_balance(&w->s, steps);

	if (out)
		*out = steps;
	else
		free(steps);
	return nr;
}

u64 node_load(const struct world *w, u32 n)
{
	u64 load = w->s.nodes[n].other_load;
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++) {
		if (w->s.tasks[t].node == n)
			load += w->s.tasks[t].load;
	}
	return load;
}

/* Load that a step may bring a node to, as docs/algorithm.md defines it. */
u64 node_bound(const struct world *w, u32 n)
{
	u64 own = w->s.nodes[n].capacity, capacity = 0, load = 0, mean = 0;
	u64 slack = own * w->s.imbalance_pct / 100 - own;
	u32 i;

	for (i = 0; i < w->s.nr_nodes; i++) {
		capacity += w->s.nodes[i].capacity;
		load += w->s.nodes[i].other_load;
	}
	for (i = 0; i < w->s.nr_tasks; i++)
		load += w->s.tasks[i].load;
	if (capacity)
		mean = own * load / capacity * w->s.imbalance_pct / 100;
	if (slack > CPU / 2)
		slack = CPU / 2;
	return own + slack > mean ? own + slack : mean;
}

/* Idle CPUs as the number of tasks tells; nothing else runs. */
void set_idle(struct world *w)
{
	u32 n, t;

	for (n = 0; n < w->s.nr_nodes; n++) {
		u32 cpus = w->s.nodes[n].capacity / CPU, busy = 0;

		for (t = 0; t < w->s.nr_tasks; t++)
			busy += w->s.tasks[t].node == n;
		w->s.nodes[n].other_load = 0;
		w->s.nodes[n].idle_cpus = busy < cpus ? cpus - busy : 0;
	}
}

/* Threads of processes that share all, every page on node 0. */
struct world *sharers(u32 nodes, u32 cpus, u32 procs, u32 threads)
{
	struct world *w = world_new(nodes, procs * threads, procs, cpus);
	u32 p, i;

	for (p = 0; p < procs; p++) {
		add_pages(w, p, 0, 1000);
		for (i = 0; i < threads; i++)
			add_faults(w, p * threads + i, 0, 0, 100);
	}
	return w;
}

void scatter(struct world *w, u32 threads)
{
	u32 t;

	for (t = 0; t < w->s.nr_tasks; t++)
		put(w, t, t / threads, t % w->s.nr_nodes);
}

void make_ring(struct world *w)
{
	u32 a, b, n = w->s.nr_nodes;

	for (a = 0; a < n; a++) {
		for (b = 0; b < a; b++) {
			u32 hops = a - b < n - (a - b) ? a - b : n - (a - b);

			set_distance(w, a, b, LOCAL + 10 * hops);
		}
	}
}

/* Random snapshots */

static void random_distances(struct world *w)
{
	u32 a, b, kind = rnd(3);

	if (kind == 1)
		make_ring(w);
	for (a = 0; kind == 2 && a < w->s.nr_nodes; a++) {
		for (b = 0; b < a; b++)
			set_distance(w, a, b, 11 + rnd(60));
	}
}

static void random_task(struct world *w, u32 t, bool equal)
{
	struct an_task *task = &w->s.tasks[t];
	u32 i;

	task->load = chance(60) ? CPU : rnd(CPU + 1);
	put(w, t, rnd(w->s.nr_procs), rnd(w->s.nr_nodes));
	task->want = chance(20) ? rnd(CPU + 1) : 0;
	task->fixed = chance(10);
	task->bound = task->fixed && chance(50);
	for (i = 0; chance(15) && i < w->s.nr_nodes; i++) {
		if (chance(60))
			allow(w, t, i);
	}
	if (equal) {
		add_faults(w, t, 0, 0, 100);
		return;
	}
	for (i = 0; chance(95) && i < 4; i++)
		add_faults(w, t, rnd(w->s.nr_nodes), rnd(2) * rnd(500),
			   rnd(2) * rnd(500));
}

struct world *random_world(u32 max_nodes, u32 max_tasks)
{
	u32 tasks = rnd(max_tasks + 1);
	u32 procs = 1 + rnd(tasks + 1);
	struct world *w = world_new(1 + rnd(max_nodes), tasks, procs,
				    1 + rnd(4));
	bool equal = chance(15);
	u32 i;

	random_distances(w);
	for (i = 0; i < w->s.nr_nodes; i++) {
		struct an_node *n = &w->s.nodes[i];

		if (chance(10))
			n->capacity = 0;
		if (chance(20))
			n->other_load = rnd(2000);
		if (chance(10))
			n->room = rnd(500);
	}
	for (i = 0; i < procs; i++) {
		u32 n;

		for (n = 0; n < w->s.nr_nodes; n++)
			add_pages(w, i, n, equal ? !n * 1000 :
				  rnd(3) / 2 * rnd(1000));
		for (n = 0; chance(30) && n < w->s.nr_nodes; n++) {
			if (chance(30))
				w->s.procs[i].home[n / WORD_BITS] |=
					1UL << (n % WORD_BITS);
		}
	}
	for (i = 0; i < tasks; i++)
		random_task(w, i, equal);
	w->s.min_gain = rnd(3) * 20;
	w->s.imbalance_pct = 100 + rnd(50);
	return w;
}

/*
 * A random machine with homes, on which every step that lowers J may be taken.
 * @busy: all threads fully busy, as in the benchmarks.
 */
struct world *world_to_optimize(u32 max_nodes, u32 max_tasks, bool busy)
{
	struct world *w = random_world(max_nodes, max_tasks);
	u32 t;

	for (t = 0; busy && t < w->s.nr_tasks; t++)
		w->s.tasks[t].load = CPU;
	set_idle(w);
	w->s.min_gain = 0;
	an_policy_homes(&w->s);
	return w;
}
