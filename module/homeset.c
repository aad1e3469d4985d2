// SPDX-License-Identifier: GPL-2.0
/*
 * Home nodes of a process that no single node holds: few, and near each other.
 * Like all of the policy it never touches the kernel: no kernel call, no
 * recursion, no floating point, nothing on the stack that grows with the
 * machine.
 *
 * Overflow: see policy.c.
 */
#include "homes.h"

/*
 * Starting points tried for a home of several nodes, the cheapest first; fewer
 * for a process that only finds no room: there may be many, and each of them
 * looks at all nodes of a large machine.
 */
#define SEEDS		8
#define SEEDS_LARGE	2

static void set_take(const struct an_snapshot *s, struct work *w, u32 n)
{
	u32 i;

	map_add(w->set, n);
	w->node[n].in_set = true;
	for (i = 0; i < w->nr_pool; i++)
		w->node[w->pool[i]].near += distance(s, n, w->pool[i]);
	w->weighed += w->nr_pool;
}

/* What the nodes of a set can take; the demand of the threads that are bound to them. */
struct set_sum {
	u64 room, bound, fair;
};

static struct set_sum set_with(const struct an_snapshot *s, const struct work *w, u32 p,
			       struct set_sum sum, u32 n)
{
	sum.room += part_on(s, w, p, n);
	sum.bound += w->node[n].bound_here;
	sum.fair += w->node[n].fair;
	return sum;
}

static u64 lacks(u64 want, u64 has)
{
	return want > has ? want - has : 0;
}

/*
 * How much nearer @n brings a set of @sum to what it lacks: room, or the nodes of who is
 * bound, be they full.
 */
static u64 set_gain(const struct an_snapshot *s, const struct work *w, u32 p,
		    struct set_sum sum, u32 n)
{
	struct set_sum with = set_with(s, w, p, sum, n);
	u64 want = w->proc[p].demand;
	u64 room = lacks(want, sum.room) - lacks(want, with.room);
	u64 bound = lacks(want, w->anywhere + sum.bound) -
		    lacks(want, w->anywhere + with.bound);

	return w->nowhere ? room : an_larger(room, bound);
}

/* The node nearest to the set that adds something, nr_nodes if none does. */
static u32 set_next(const struct an_snapshot *s, const struct work *w, u32 p,
		    struct set_sum sum)
{
	u64 rest = w->proc[p].demand - taken_of(w, sum.room, sum.bound);
	u64 least = rest < AN_LOAD_ONE / 2 ? rest : AN_LOAD_ONE / 2;
	u32 best = s->nr_nodes;
	u32 i;

	for (i = 0; i < w->nr_pool; i++) {
		u32 n = w->pool[i];
		const struct node_sum *node = &w->node[n], *b;

		if (node->in_set || !usable_on(w, n) ||
		    set_gain(s, w, p, sum, n) < least)
			continue;
		b = &w->node[best];
		if (best == s->nr_nodes || node->near < b->near ||
		    (node->near == b->near &&
		     (part_on(s, w, p, n) > part_on(s, w, p, best) ||
		      (part_on(s, w, p, n) == part_on(s, w, p, best) &&
		       better_home(w, n, best)))))
			best = n;
	}
	return best;
}

static void set_start(const struct an_snapshot *s, struct work *w)
{
	u32 i;

	map_clear(w->set, s->nr_nodes);
	for (i = 0; i < w->nr_pool; i++) {
		w->node[w->pool[i]].near = 0;
		w->node[w->pool[i]].in_set = false;
	}
}

/* All that the process may use: it does not fit anywhere. In w->best. */
static void take_all(const struct an_snapshot *s, struct work *w)
{
	u32 n;

	map_clear(w->best, s->nr_nodes);
	for (n = 0; n < s->nr_nodes; n++)
		if (usable_on(w, n))
			map_add(w->best, n);
}

/*
 * Builds in w->set a home for @p around @seed, of nodes of the pool. Returns its
 * number of nodes, 0 if they do not suffice.
 */
static u32 set_build(const struct an_snapshot *s, struct work *w, u32 p,
		     u32 seed)
{
	struct set_sum sum = { 0 };
	u32 nr = 0;
	u32 n = seed;

	set_start(s, w);
	while (n < s->nr_nodes) {
		set_take(s, w, n);
		nr++;
		sum = set_with(s, w, p, sum, n);
		if (taken_of(w, sum.room, sum.bound) + slack_new(sum.fair) >=
		    w->proc[p].demand)
			return nr;
		n = set_next(s, w, p, sum);
	}
	return 0;
}

/* Mean distance between the nodes of @set, in 1/1024. */
static u64 set_width(const struct an_snapshot *s, const unsigned long *set)
{
	u64 sum = 0, nr = 0;
	u32 a, b;

	for (a = map_next(set, s->nr_nodes, 0); a < s->nr_nodes;
	     a = map_next(set, s->nr_nodes, a + 1)) {
		nr++;
		for (b = map_next(set, s->nr_nodes, 0); b < s->nr_nodes;
		     b = map_next(set, s->nr_nodes, b + 1))
			sum += distance(s, a, b);
	}
	return nr ? sum * 1024 / (nr * nr) : 0;
}

/* Finds the distance of every node to the set. */
static void find_nearest(const struct an_snapshot *s, struct work *w,
			 const unsigned long *set)
{
	u32 n;

	for (n = 0; n < s->nr_nodes; n++)
		w->node[n].nearest = an_set_distance(s, set, n);
}

/**
 * an_home_set_cost - what a home of several nodes costs a process
 * @s: the snapshot
 * @w: its sums
 * @set: bitmap of the nodes
 * @p: index of the process
 *
 * The way to the nearest of them, and what the threads will see once memory is
 * spread over them.
 *
 * Return: the cost.
 */
struct home_cost an_home_set_cost(const struct an_snapshot *s, struct work *w,
				  const unsigned long *set, u32 p)
{
	const struct an_proc *in = &s->procs[p];
	const struct proc_sum *proc = &w->proc[p];
	bool known = in->nr_pages + proc->nr > s->nr_nodes;
	u64 weight = proc->demand + proc->nr;
	struct home_cost cost = { 0 };
	u32 i, n;

	if (known)
		find_nearest(s, w, set);
	w->weighed += 1 + in->nr_pages + proc->nr;
	for (i = in->pages; i < in->pages + in->nr_pages; i++) {
		n = s->pages[i].node;
		cost.memory += (u64)s->pages[i].pages *
			       (known ? w->node[n].nearest :
					an_set_distance(s, set, n));
	}
	if (proc->pages)
		cost.memory = cost.memory * 1024 / proc->pages * weight / 1024;
	cost.memory += set_width(s, set) * weight / 1024;
	cost.all = cost.memory;
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		n = s->tasks[w->by_proc[i]].node;
		cost.all += (demand_of(&s->tasks[w->by_proc[i]]) + 1) *
			    (known ? w->node[n].nearest :
				     an_set_distance(s, set, n));
	}
	return cost;
}

/* The cheapest of the pool that is worth a try as seed and was not tried yet. */
static u32 next_seed(const struct an_snapshot *s, const struct work *w, u32 p,
		     u32 last)
{
	u32 best = s->nr_nodes;
	u32 i;

	for (i = 0; i < w->nr_pool; i++) {
		u32 n = w->pool[i];

		if (!part_on(s, w, p, n))
			continue;
		if (last < s->nr_nodes && !better_home(w, last, n))
			continue;
		if (best == s->nr_nodes || better_home(w, n, best))
			best = n;
	}
	return best;
}

/* Whether @p is larger than any node: there are no more such than nodes. */
static bool is_large(const struct work *w, u32 p)
{
	return w->proc[p].demand > w->most_fair;
}

/*
 * The fewest, then the cheapest nodes of the pool for @p, in w->best. Returns
 * how many, 0 if it finds none.
 */
static u32 find_set_in(const struct an_snapshot *s, struct work *w, u32 p)
{
	u32 seed = next_seed(s, w, p, s->nr_nodes);
	u32 seeds = w->nr_pool <= CANDIDATES || is_large(w, p) ? SEEDS :
								 SEEDS_LARGE;
	u64 least = 0;
	u32 fewest = 0;
	u32 i;

	for (i = 0; i < seeds && seed < s->nr_nodes; i++) {
		u32 nr = set_build(s, w, p, seed);

		if (nr && (!fewest || nr <= fewest)) {
			struct home_cost whole = an_home_set_cost(s, w, w->set, p);
			u64 cost = w->fresh ? whole.all : whole.memory;

			if (!fewest || nr < fewest || cost < least) {
				map_copy(w->best, w->set, s->nr_nodes);
				fewest = nr;
				least = cost;
			}
		}
		seed = next_seed(s, w, p, seed);
	}
	return fewest;
}

/**
 * an_home_find_set - find a home of several nodes for a process
 * @s: the snapshot
 * @w: its sums, with the candidates and costs of the process
 * @p: index of the process
 *
 * The fewest, then the cheapest: of the candidates for a process that might have
 * fit on one node, else of all nodes, else all that may be used. They are in
 * w->best.
 *
 * Return: how many, 0 if it fits nowhere and they are all.
 */
u32 an_home_find_set(const struct an_snapshot *s, struct work *w, u32 p)
{
	u32 nr = 0;

	if (s->nr_nodes <= CANDIDATES || !is_large(w, p)) {
		w->pool = w->cand.node;
		w->nr_pool = w->cand.nr;
		nr = find_set_in(s, w, p);
	}
	if (!nr && s->nr_nodes > CANDIDATES) {
		w->pool = w->every;
		w->nr_pool = s->nr_nodes;
		nr = find_set_in(s, w, p);
	}
	if (!nr)
		take_all(s, w);
	return nr;
}

/* The node of the home of @p with most of its memory that is not in_set yet. */
static u32 next_to_fill(const struct an_snapshot *s, const struct work *w,
			u32 p)
{
	const unsigned long *home = s->procs[p].home;
	u32 best = s->nr_nodes;
	u32 n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (!w->node[n].in_set &&
		    (best == s->nr_nodes ||
		     w->node[n].pages > w->node[best].pages))
			best = n;
	}
	return best;
}

/*
 * Parts in 16 of what the fullest node of a home carries: to be of its core, and
 * to stay so. Two threads beside one are 8.
 */
#define CORE_TAKE	12
#define CORE_KEEP	9

/**
 * an_home_steady_demand - the CPU that a thread takes, for the core of its home
 * @s: the snapshot
 * @w: its sums
 * @t: index of the thread
 *
 * Two threads beside one are 2 to 1, although a main thread that was busy when they
 * began is only falling asleep: half a thread more, and the nodes would look alike.
 */
u64 an_home_steady_demand(const struct an_snapshot *s, const struct work *w,
			  u32 t)
{
	u64 demand = demand_of(&s->tasks[t]);
	bool uses = has_evidence(s, w, t);

	return uses || demand >= AN_LOAD_ONE / 2 ? demand : 0;
}

/*
 * What node @n of the home of @p can carry of its steady demand. Other processes at
 * home there keep what they have claimed, steady or not.
 */
static u64 steady_part_on(const struct an_snapshot *s, const struct work *w,
			  u32 p, u32 n)
{
	u64 fair = s->nodes[n].capacity * w->steady_overcommit / 1024;
	u64 claims = claims_on(s, w, p, n) - s->nodes[n].other_load +
		     steady_others(s, n);

	return an_smaller(fair > claims ? fair - claims : 0, usable_on(w, n));
}

/*
 * Does node @n of the home carry enough for its core? Threads that wait for their
 * memory to move want less CPU: meanwhile no node leaves the core, or all of the
 * memory would leave that node, and come back when they run again.
 */
static bool in_core(const struct an_snapshot *s, const struct work *w, u32 p,
		    u32 n, u64 fullest, bool was_in)
{
	if (was_in && s->procs[p].moving)
		return usable_on(w, n);
	return w->node[n].carries * 16 >=
	       fullest * (was_in ? CORE_KEEP : CORE_TAKE);
}

/*
 * The core of a home of several nodes: those that carry most, unless all do.
 * Without a core before, all nodes count as having been in it.
 */
static void set_core(const struct an_snapshot *s, const struct work *w, u32 p,
		     u64 fullest)
{
	const unsigned long *home = s->procs[p].home;
	const unsigned long *was = s->procs[p].was_core;
	bool all_were = was && map_next(was, s->nr_nodes, 0) == s->nr_nodes;
	unsigned long *core = s->procs[p].core;
	u32 nr = 0;
	u32 n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (!in_core(s, w, p, n, fullest,
			     all_were || (was && map_has(was, n))))
			continue;
		map_add(core, n);
		nr++;
	}
	if (nr == w->proc[p].nr_home)
		map_clear(core, s->nr_nodes);
}

/**
 * an_home_claim_set - claim a home of several nodes, and find its core
 * @s: the snapshot
 * @w: its sums, with the pages and the usable nodes of the process
 * @p: index of the process
 *
 * The nodes are filled one by one, those that hold most of its memory first.
 */
void an_home_claim_set(const struct an_snapshot *s, struct work *w, u32 p)
{
	u64 rest = w->proc[p].demand, steady = w->proc[p].steady;
	const unsigned long *home = s->procs[p].home;
	u64 fullest = 0;
	u32 i, n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1))
		w->node[n].in_set = false;
	for (i = 0; i < w->proc[p].nr_home; i++) {
		u64 part, carries;

		n = next_to_fill(s, w, p);
		part = an_smaller(part_on(s, w, p, n), rest);
		carries = an_smaller(steady_part_on(s, w, p, n), steady);
		rest -= part;
		steady -= carries;
		w->node[n].claim += part;
		w->node[n].homes += w->proc[p].nr_home > 1;
		w->node[n].own = part;
		w->node[n].carries = carries;
		w->node[n].in_set = true;
		if (carries > fullest)
			fullest = carries;
	}
	if (s->procs[p].core)
		set_core(s, w, p, fullest);
	if (w->proc[p].nr_home) {
		w->node[w->proc[p].home].claim += rest;
		w->node[w->proc[p].home].own += rest;
	}
}

/* What @p, at home on @n, has claimed of it at most. */
static u64 claimed_at_most(const struct an_snapshot *s, const struct work *w,
			   u32 p, u32 n)
{
	const struct node_sum *node = &w->node[n];
	u64 claim = node->claim - s->nodes[n].other_load;

	if (node->homes == 1)
		return node->own;
	return claim < w->proc[p].demand ? claim : w->proc[p].demand;
}

/* Whether @p had better leave @a than @b: shared, little of its memory, or of claims. */
static bool leaves_first(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 a, u32 b)
{
	const struct node_sum *x = &w->node[a], *y = &w->node[b];
	bool leave_a = x->homes > 1, leave_b = y->homes > 1;

	if (leave_a != leave_b)
		return leave_a;
	if (x->pages != y->pages)
		return x->pages < y->pages;
	return claimed_at_most(s, w, p, a) < claimed_at_most(s, w, p, b);
}

static u32 node_to_leave(const struct an_snapshot *s, const struct work *w,
			 u32 p)
{
	const unsigned long *home = s->procs[p].home;
	u32 drop = w->proc[p].home;
	u32 n;

	for (n = map_next(home, s->nr_nodes, drop + 1); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (leaves_first(s, w, p, n, drop))
			drop = n;
	}
	return drop;
}

/*
 * Whether the home of @p does without @drop: the other nodes have room for what it
 * claims there, and are in no other home of several nodes, of which the claims may
 * come out otherwise in the next call; and neither its threads nor its memory
 * are bound to nodes, of which nobody knows whether @drop is one.
 */
static bool does_without(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 drop)
{
	const unsigned long *home = s->procs[p].home;
	u64 room = 0;
	u32 n;

	for (n = map_next(home, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(home, s->nr_nodes, n + 1)) {
		if (n == drop)
			continue;
		if (w->node[n].homes > 1)
			return false;
		room += part_on(s, w, p, n);
	}
	return !w->bound && room >= claimed_at_most(s, w, p, drop);
}

/**
 * an_home_drop_node - a process at home on several nodes leaves one, if it wants less
 * @s: the snapshot
 * @w: its sums, with the pages and the usable nodes of the process
 * @p: index of the process
 *
 * Its claims there stand until the next call, as well as on its lowest other node.
 *
 * Return: whether it did.
 */
bool an_home_drop_node(const struct an_snapshot *s, struct work *w, u32 p)
{
	u32 drop = node_to_leave(s, w, p);
	u64 claimed = claimed_at_most(s, w, p, drop);

	if (!does_without(s, w, p, drop))
		return false;
	map_remove(s->procs[p].home, drop);
	w->proc[p].nr_home = 0;
	an_sum_home(s, w, p);
	w->node[w->proc[p].home].claim += claimed;
	w->node[w->proc[p].home].own += claimed;
	if (s->procs[p].core && w->proc[p].nr_home == 1)
		map_clear(s->procs[p].core, s->nr_nodes);
	else if (s->procs[p].core)
		map_remove(s->procs[p].core, drop);
	return true;
}
