// SPDX-License-Identifier: GPL-2.0
/*
 * Home nodes of autonuma: where the memory that the threads of a process share
 * is to be, and its threads with it; homeset.c finds those of several nodes.
 * Like all of the policy it never touches the kernel: no kernel call, no
 * recursion, no floating point, nothing on the stack that grows with the
 * machine.
 *
 * Overflow: see policy.c.
 */
#include "homes.h"

/* Rounds of improving homes per call: two do in practice, the rest waits. */
#define HOME_ROUNDS	8
/* Processes tried for an exchange per node, and per process and round. */
#define PARTNERS	32
#define ALL_PARTNERS	64

/*
 * Evidence of sharing: a process gets home nodes when at least 1/4 of its
 * faults are on pages of several threads, and loses them below 1/8.
 */
#define SHARED_GAIN	4
#define SHARED_KEEP	8

/* The same for a home that is there: noise of the loads must not evict it. */
static u64 slack_keep(u64 fair)
{
	return 2 * slack_new(fair);
}

/*
 * And above that, with more demand than CPUs, before a process is torn: a quarter,
 * by which the load balancer lets nodes differ. Where every node has as many
 * threads as another, noise makes some processes larger than their fair share.
 */
static u64 slack_crowd(const struct work *w, u64 fair)
{
	u64 above = fair - fair * 1024 / w->overcommit;

	return above < fair / 4 ? above : fair / 4;
}

/* Whether a home of its own pays: see SHARED_GAIN. */
static bool shows_sharing(const struct an_snapshot *s,
			  const struct proc_sum *proc)
{
	u64 part = proc->nr_home ? SHARED_KEEP : SHARED_GAIN;

	return proc->faults && proc->faults >= s->min_faults &&
	       an_shared_part(proc->shared, proc->faults, proc->nr) * part >=
	       proc->faults;
}

/* Whether @t could be moved off @n for good. */
static bool may_leave(const struct an_snapshot *s, const struct an_task *t,
		      u32 n)
{
	u32 m = t->allowed ? map_next(t->allowed, s->nr_nodes, 0) : 0;

	if (t->bound)
		return false;
	while (m < s->nr_nodes && (m == n || !s->nodes[m].capacity))
		m = t->allowed ? map_next(t->allowed, s->nr_nodes, m + 1) : m + 1;
	return m < s->nr_nodes;
}

/*
 * A task without home claims its CPU on the node of most of its faults, not
 * where it runs: the load balancer moves it about, its memory stays. What little
 * memory some have does not count for much: see claims_on().
 */
static void claim_for_loner(const struct an_snapshot *s, struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	const struct proc_sum *proc = &w->proc[task->proc];
	u32 i;

	if (!has_evidence(s, w, t))
		return;
	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		const struct an_faults *f = &s->faults[i];
		struct node_sum *node = &w->node[f->node];

		if (2 * ((u64)f->private + f->shared) <= w->task[t].faults)
			continue;
		if (!proc->pages || !may_leave(s, task, f->node)) {
			node->claim += demand_of(task);
			continue;
		}
		node->lone += demand_of(task);
		node->lone_pages += proc->pages / proc->nr;
	}
}

static void sum_procs(const struct an_snapshot *s, struct work *w)
{
	u32 p, t, i;

	for (p = 0; p < s->nr_procs; p++) {
		const struct an_proc *in = &s->procs[p];
		struct proc_sum *proc = &w->proc[p];

		an_breathe(s, p);
		for (i = in->pages; i < in->pages + in->nr_pages; i++)
			proc->pages += s->pages[i].pages;
		if (in->core)
			map_clear(in->core, s->nr_nodes);
		proc->gathers = shows_sharing(s, proc) ||
				(in->moving && proc->nr_home && proc->nr);
		proc->fresh = !proc->nr_home;
	}
	for (t = 0; t < s->nr_tasks; t++) {
		struct proc_sum *proc = &w->proc[s->tasks[t].proc];

		an_breathe(s, t);
		proc->demand += demand_of(&s->tasks[t]);
		proc->steady += an_home_steady_demand(s, w, t);
		if (!proc->gathers)
			claim_for_loner(s, w, t);
	}
}

static u64 overcommit_by(u64 demand, u64 capacity)
{
	return capacity && demand > capacity ? demand * 1024 / capacity : 1024;
}

/* Shares the demand of all out over the nodes, by capacity. */
static void set_fair(const struct an_snapshot *s, struct work *w)
{
	u64 capacity = 0, demand = 0, steady = 0;
	u32 i;

	for (i = 0; i < s->nr_nodes; i++) {
		capacity += s->nodes[i].capacity;
		demand += s->nodes[i].other_load;
		steady += steady_others(s, i);
		w->node[i].claim += s->nodes[i].other_load;
	}
	for (i = 0; i < s->nr_procs; i++) {
		demand += w->proc[i].demand;
		steady += w->proc[i].steady;
	}
	w->most_fair = 0;
	w->overcommit = overcommit_by(demand, capacity);
	w->steady_overcommit = overcommit_by(steady, capacity);
	for (i = 0; i < s->nr_nodes; i++) {
		w->node[i].fair = s->nodes[i].capacity * w->overcommit / 1024;
		if (w->node[i].fair > w->most_fair)
			w->most_fair = w->node[i].fair;
	}
}

/* The fair share of @set. */
static u64 fair_share(const struct an_snapshot *s, const struct work *w,
		      const unsigned long *set)
{
	u64 fair = 0;
	u32 n;

	for (n = map_next(set, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(set, s->nr_nodes, n + 1))
		fair += w->node[n].fair;
	return fair;
}

/* Whether the home of @p would do for it, were nobody else there. */
static bool home_suffices(const struct an_snapshot *s, const struct work *w,
			  u32 p)
{
	u64 fair = fair_share(s, w, s->procs[p].home);

	if (w->proc[p].nr_home == 1)
		fair += slack_crowd(w, fair);
	return fair + slack_keep(fair) >= w->proc[p].demand;
}

/*
 * The order in which processes are given homes. Those first that have one that they
 * have not outgrown, so that nobody who needs another drives them away; of them those
 * on few nodes first, as the others have more to choose from. Then large ones first,
 * half a CPU apart, so that noise hardly ever changes it.
 */
static u64 rank_of(const struct an_snapshot *s, const struct work *w, u32 p)
{
	u32 nr_home = w->proc[p].nr_home;
	u64 step = AN_LOAD_ONE / 2;
	u64 rank = (w->proc[p].demand + step / 2) / step;

	if (nr_home && home_suffices(s, w, p))
		rank += (u64)(s->nr_nodes + 1 - nr_home) << 32;
	return rank;
}

static void order_procs(const struct an_snapshot *s, struct work *w)
{
	u32 i;

	w->heap.len = 0;
	for (i = 0; i < s->nr_procs; i++) {
		an_breathe(s, i);
		an_heap_push(&w->heap, i, rank_of(s, w, i));
	}
	for (i = 0; i < s->nr_procs; i++) {
		an_breathe(s, i);
		w->order[i] = an_heap_pop(&w->heap);
	}
}

/*
 * What a home on @n costs: each thread's way there, and the memory's. Memory
 * weighs as much as the threads together: threads that the load balancer has
 * scattered do not outvote settled memory, and where all processes have their
 * memory on one node it cancels out, so that the threads decide. Memory that
 * finds no room on @n counts twice: it stays remote.
 *
 * A thread counts its demand and one more, so that idle ones have a say too.
 */
static struct home_cost home_cost(const struct an_snapshot *s, struct work *w,
				  u32 p, u32 n)
{
	const struct an_proc *in = &s->procs[p];
	const struct proc_sum *proc = &w->proc[p];
	struct home_cost cost = { 0 };
	u64 missing = proc->pages;
	u32 i;

	w->weighed += 1 + in->nr_pages + proc->nr;
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		const struct an_task *t = &s->tasks[w->by_proc[i]];

		cost.all += (demand_of(t) + 1) * distance(s, n, t->node);
	}
	if (!proc->pages)
		return cost;
	for (i = in->pages; i < in->pages + in->nr_pages; i++) {
		const struct an_pages *at = &s->pages[i];

		cost.memory += (u64)at->pages * distance(s, n, at->node);
		if (at->node == n)
			missing -= at->pages;
	}
	cost.memory = divide(cost.memory * 1024, proc->pages) *
		      (proc->demand + proc->nr) / 1024;
	if (missing > s->nodes[n].room)
		cost.memory *= 2;
	cost.all += cost.memory;
	return cost;
}

/* Notes the pages per node of the process in hand. */
static void find_pages(const struct an_snapshot *s, struct work *w, u32 p)
{
	const struct an_proc *in;
	u32 i;

	if (w->paged != AN_NO_TASK) {
		in = &s->procs[w->paged];
		for (i = in->pages; i < in->pages + in->nr_pages; i++)
			w->node[s->pages[i].node].pages = 0;
	}
	in = &s->procs[p];
	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		w->node[s->pages[i].node].pages = s->pages[i].pages;
	w->paged = p;
}

/* Pages and the costs of the candidates, for the process in hand. */
static void find_costs(const struct an_snapshot *s, struct work *w, u32 p)
{
	u32 i;

	an_find_usable(s, w, p);
	find_pages(s, w, p);
	w->fresh = w->proc[p].fresh;
	an_proc_candidates(s, w, p);
	for (i = 0; i < w->cand.nr; i++) {
		u32 n = w->cand.node[i];

		w->node[n].cost = home_cost(s, w, p, n);
	}
}

/* Whether all threads of @p could be at home on @n, with @slack to spare. */
static bool single_fits(const struct an_snapshot *s, const struct work *w,
			u32 p, u32 n, u64 slack)
{
	u64 demand = w->proc[p].demand;

	return usable_on(w, n) >= demand + w->proc[p].nr &&
	       claims_on(s, w, p, n) + demand <= w->node[n].fair + slack;
}

/* Whether @n can become the only home of @p; see slack_crowd(). */
static bool single_takes(const struct an_snapshot *s, const struct work *w,
			 u32 p, u32 n, bool crowd)
{
	u64 fair = w->node[n].fair;

	return single_fits(s, w, p, n, slack_new(fair) +
				    (crowd ? slack_crowd(w, fair) : 0));
}

/* The nearest node of those that hold @p, as seen from most of its memory. */
static u32 nearest_fitting(const struct an_snapshot *s, const struct work *w,
			   u32 p, u32 from, bool crowd)
{
	u32 best = s->nr_nodes;
	u32 n;

	for (n = 0; n < s->nr_nodes; n++) {
		if (single_takes(s, w, p, n, crowd) &&
		    (best == s->nr_nodes ||
		     distance(s, from, n) < distance(s, from, best)))
			best = n;
	}
	return best;
}

/*
 * Makes candidates of the nodes that hold @p, as none of those found does: of
 * the nearest ones, as many as are weighed anyway.
 */
static void weigh_fitting(const struct an_snapshot *s, struct work *w, u32 p,
			  bool crowd)
{
	u32 from = w->cand.nr_centres ? w->cand.centre[0] :
					s->tasks[w->by_proc[w->proc[p].first]].node;
	u32 n = nearest_fitting(s, w, p, from, crowd);
	u32 least = n < s->nr_nodes ? distance(s, from, n) : 0;

	w->cand.nr = 0;
	for (; n < s->nr_nodes && w->cand.nr < CANDIDATES; n++) {
		if (distance(s, from, n) > least ||
		    !single_takes(s, w, p, n, crowd))
			continue;
		w->node[n].candidate = w->cand.search;
		w->node[n].cost = home_cost(s, w, p, n);
		w->cand.node[w->cand.nr++] = n;
	}
}

/* The best of the candidates that holds all of @p, nr_nodes if none does. */
static u32 best_fitting(const struct an_snapshot *s, const struct work *w,
			u32 p, bool crowd)
{
	u32 best = s->nr_nodes;
	u32 i;

	for (i = 0; i < w->cand.nr; i++) {
		u32 n = w->cand.node[i];

		if (single_takes(s, w, p, n, crowd) &&
		    (best == s->nr_nodes || better_home(w, n, best)))
			best = n;
	}
	return best;
}

/* The best node that holds all of @p, nr_nodes if there is none. */
static u32 find_single(const struct an_snapshot *s, struct work *w, u32 p,
		       bool crowd)
{
	u32 best = best_fitting(s, w, p, crowd);

	if (best < s->nr_nodes || s->nr_nodes <= CANDIDATES)
		return best;
	weigh_fitting(s, w, p, crowd);
	return best_fitting(s, w, p, crowd);
}

/* Whether threads of the process in hand may run on all of @set. */
static bool set_usable(const struct an_snapshot *s, const struct work *w,
		       const unsigned long *set)
{
	u32 n;

	for (n = map_next(set, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(set, s->nr_nodes, n + 1)) {
		if (!usable_on(w, n))
			return false;
	}
	return true;
}

/* What @set adds to a home of @p, the process in hand. */
static u64 set_room(const struct an_snapshot *s, const struct work *w,
		    const unsigned long *set, u32 p)
{
	u64 room = 0, bound = 0;
	u32 n;

	for (n = map_next(set, s->nr_nodes, 0); n < s->nr_nodes;
	     n = map_next(set, s->nr_nodes, n + 1)) {
		room += part_on(s, w, p, n);
		bound += w->node[n].bound_here;
	}
	return taken_of(w, room, bound);
}

/* Whether the demand of @p fits on @set with @slack(fair) to spare. */
static bool set_fits(const struct an_snapshot *s, const struct work *w,
		     const unsigned long *set, u32 p, u64 (*slack)(u64 fair))
{
	return set_usable(s, w, set) &&
	       set_room(s, w, set, p) + slack(fair_share(s, w, set)) >=
	       w->proc[p].demand;
}

static u64 slack_none(u64 fair)
{
	(void)fair;
	return 0;
}

/*
 * Whether @p stays at home whatever the loads are. While its memory is on the
 * way there, its threads wait for it and look idle, and those who move it look
 * busy: another home by that would only make all of it move again.
 */
static bool home_awaits_memory(const struct an_snapshot *s,
			       const struct work *w, u32 p)
{
	return s->procs[p].moving && w->proc[p].nr_home &&
	       set_usable(s, w, s->procs[p].home);
}

/* Whether the last home of @p, not oversize, still does. Needs an_find_usable(). */
static bool home_holds(const struct an_snapshot *s, const struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	u64 fair;

	if (!proc->nr_home)
		return false;
	if (home_awaits_memory(s, w, p))
		return true;
	fair = w->node[proc->home].fair;
	if (proc->nr_home == 1)
		return single_fits(s, w, p, proc->home,
				   slack_keep(fair) + slack_crowd(w, fair));
	return set_fits(s, w, s->procs[p].home, p, slack_keep);
}

static void home_list_add(struct work *w, u32 p)
{
	struct node_sum *node = &w->node[w->proc[p].home];

	w->proc[p].prev = AN_NO_TASK;
	w->proc[p].next = node->head;
	if (node->head != AN_NO_TASK)
		w->proc[node->head].prev = p;
	node->head = p;
}

static void home_list_del(struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];

	if (proc->prev == AN_NO_TASK)
		w->node[proc->home].head = proc->next;
	else
		w->proc[proc->prev].next = proc->next;
	if (proc->next != AN_NO_TASK)
		w->proc[proc->next].prev = proc->prev;
}

/* Claims the home of @p. */
static void claim_home(const struct an_snapshot *s, struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];

	proc->placed = true;
	if (proc->nr_home == 1) {
		w->node[proc->home].claim += proc->demand;
		home_list_add(w, p);
		return;
	}
	find_costs(s, w, p);
	an_home_claim_set(s, w, p);
}

static void set_single_home(struct an_snapshot *s, struct work *w, u32 p, u32 n)
{
	map_clear(s->procs[p].home, s->nr_nodes);
	map_add(s->procs[p].home, n);
	w->proc[p].nr_home = 1;
	w->proc[p].home = n;
}

static void set_home(struct an_snapshot *s, struct work *w, u32 p)
{
	map_copy(s->procs[p].home, w->best, s->nr_nodes);
	w->proc[p].nr_home = 0;
	an_sum_home(s, w, p);
}

/* Whether @after is better than @before by the hysteresis, a quarter. */
static bool clearly_less(u64 after, u64 before)
{
	return after < before - before / 4;
}

/*
 * Whether a home that stands may be changed for one of cost @after: by all that
 * counts it must be clearly better, and better for the memory, too. So in a
 * machine that stays as it is homes come to rest, whatever threads do.
 */
static bool home_pays(struct home_cost after, struct home_cost before)
{
	return clearly_less(after.all, before.all) &&
	       after.memory < before.memory;
}

static struct home_cost add_costs(struct home_cost a, struct home_cost b)
{
	return (struct home_cost){ a.all + b.all, a.memory + b.memory };
}

/*
 * Whether @p stays at home though that does not hold, as the @nr nodes of w->best do
 * not either: with none found they are all nodes, and all of its memory would go there.
 * Something of its home has to be left for it.
 */
static bool stays_crowded(const struct an_snapshot *s, const struct work *w,
			  u32 p, u32 nr)
{
	const unsigned long *home = s->procs[p].home;

	return !nr && w->proc[p].nr_home && set_usable(s, w, home) &&
	       home_suffices(s, w, p) && set_room(s, w, home, p);
}

/*
 * Whether the last home of @p, more than one node needs, is to be kept though
 * w->best has @nr nodes.
 */
static bool keep_set(const struct an_snapshot *s, struct work *w, u32 p,
		     u32 nr)
{
	const unsigned long *home = s->procs[p].home;
	const struct proc_sum *proc = &w->proc[p];

	if (home_awaits_memory(s, w, p) || stays_crowded(s, w, p, nr))
		return true;
	if (!proc->nr_home || !set_fits(s, w, home, p, slack_keep))
		return false;
	if (nr < proc->nr_home)		/* else an_home_drop_node(), later */
		return !w->bound || !set_fits(s, w, w->best, p, slack_none);
	if (nr > proc->nr_home)
		return true;
	return !home_pays(an_home_set_cost(s, w, w->best, p),
			  an_home_set_cost(s, w, home, p));
}

/* Finds a home for @p, whatever it had. */
static void place_anew(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 n;

	find_costs(s, w, p);
	n = find_single(s, w, p, false);
	if (n == s->nr_nodes && w->overcommit > 1024)
		n = find_single(s, w, p, true);
	if (n < s->nr_nodes) {
		set_single_home(s, w, p, n);
	} else {
		n = an_home_find_set(s, w, p);
		if (!stays_crowded(s, w, p, n))
			set_home(s, w, p);
	}
	claim_home(s, w, p);
}

/* The largest demand that a node of this fair share takes if it is empty. */
static u64 most_demand(const struct work *w, u64 fair)
{
	return fair + slack_new(fair) + slack_crowd(w, fair);
}

/* Whether no node could hold @p even if nobody else had claims on it. */
static bool is_oversize(const struct an_snapshot *s, const struct work *w,
			u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	u32 n;

	if (!w->bound)
		return proc->demand > most_demand(w, w->most_fair);
	for (n = 0; n < s->nr_nodes; n++) {
		if (usable_on(w, n) >= proc->demand + proc->nr &&
		    proc->demand <= most_demand(w, w->node[n].fair))
			return false;
	}
	return true;
}

/*
 * The home that was wished for, be it crowded: the others make room. In no list
 * of homes, so nobody exchanges it.
 */
static void take_wish(struct an_snapshot *s, struct work *w, u32 p)
{
	struct proc_sum *proc = &w->proc[p];

	map_copy(s->procs[p].home, s->procs[p].wish, s->nr_nodes);
	proc->nr_home = 0;
	an_sum_home(s, w, p);
	proc->placed = true;
	an_find_usable(s, w, p);
	find_costs(s, w, p);
	an_home_claim_set(s, w, p);
}

/* What is larger than a node chooses at once, all else keeps what it has, if that holds. */
static void keep_or_choose(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 nr;

	an_find_usable(s, w, p);
	if (!is_oversize(s, w, p)) {
		if (home_holds(s, w, p))
			claim_home(s, w, p);
		return;
	}
	find_costs(s, w, p);
	nr = an_home_find_set(s, w, p);
	if (!keep_set(s, w, p, nr))
		set_home(s, w, p);
	claim_home(s, w, p);
}

static void move_home(struct an_snapshot *s, struct work *w, u32 p, u32 n)
{
	home_list_del(w, p);
	w->node[w->proc[p].home].claim -= w->proc[p].demand;
	set_single_home(s, w, p, n);
	w->node[n].claim += w->proc[p].demand;
	home_list_add(w, p);
}

/* Whether a change from @before to @after pays, for these processes. */
static bool home_gains(const struct work *w, u32 p, u32 q,
		       struct home_cost before, struct home_cost after)
{
	if (w->proc[p].fresh && w->proc[q].fresh)
		return after.all < before.all;
	return home_pays(after, before);
}

/* Whether @n stays within its fair share if @in takes the place of @out. */
static bool claim_swaps(const struct an_snapshot *s, const struct work *w,
			u32 n, u32 in, u32 out)
{
	const struct node_sum *node = &w->node[n];
	u64 before = claims_on(s, w, in, n);
	u64 after = before - w->proc[out].demand + w->proc[in].demand;

	return after <= before ||
	       after <= node->fair + slack_new(node->fair);
}

/* A process at home on @n that would gladly exchange with @p, or AN_NO_TASK. */
static u32 find_exchange(const struct an_snapshot *s, struct work *w, u32 p,
			 u32 n, u32 *left)
{
	u32 from = w->proc[p].home;
	u32 tried = 0;
	u32 q;

	for (q = w->node[n].head; q != AN_NO_TASK && tried++ < PARTNERS && *left;
	     q = w->proc[q].next, --*left) {
		struct home_cost before = add_costs(w->node[from].cost,
						    home_cost(s, w, q, n));
		struct home_cost after = add_costs(w->node[n].cost,
						   home_cost(s, w, q, from));

		/* A dry run does not go, so nobody gets its place. */
		if (!s->procs[q].moving && s->procs[p].dry == s->procs[q].dry &&
		    home_gains(w, p, q, before, after) &&
		    claim_swaps(s, w, n, p, q) && claim_swaps(s, w, from, q, p) &&
		    an_usable_by_all(s, w, q, from))
			return q;
	}
	return AN_NO_TASK;
}

/* Moves the one home node of @p to @n, if that pays. Needs find_costs(). */
static bool improve_to(struct an_snapshot *s, struct work *w, u32 p, u32 n,
		       u32 *left)
{
	u32 from = w->proc[p].home;
	u32 q;

	if (usable_on(w, n) < w->proc[p].demand + w->proc[p].nr)
		return false;
	if (single_fits(s, w, p, n, slack_new(w->node[n].fair)) &&
	    home_gains(w, p, p, w->node[from].cost, w->node[n].cost)) {
		move_home(s, w, p, n);
		return true;
	}
	q = find_exchange(s, w, p, n, left);
	if (q == AN_NO_TASK)
		return false;
	move_home(s, w, p, n);
	move_home(s, w, q, from);
	w->proc[q].content = false;
	return true;
}

/*
 * A home of several nodes becomes one with hardly any: just so much that what a main
 * thread does that waits for the others does not keep it large.
 */
static u64 slack_shrink(u64 fair)
{
	return fair / 64;
}

/*
 * Whether node @n of the home of @p, where nobody else has a home of several, does for
 * all of it. What it has claimed there itself is free for it.
 */
static bool fits_on_own(const struct an_snapshot *s, const struct work *w,
			u32 p, u32 n)
{
	const struct node_sum *node = &w->node[n];

	return map_has(s->procs[p].home, n) && node->homes == 1 &&
	       single_fits(s, w, p, n, node->own + slack_shrink(node->fair));
}

/* The best node of the home of @p that does for all of it, nr_nodes if none does. */
static u32 find_own(const struct an_snapshot *s, const struct work *w, u32 p)
{
	u32 best = s->nr_nodes;
	u32 n;

	for (n = w->proc[p].home; n < s->nr_nodes;
	     n = map_next(s->procs[p].home, s->nr_nodes, n + 1)) {
		if (fits_on_own(s, w, p, n) &&
		    (best == s->nr_nodes || better_home(w, n, best)))
			best = n;
	}
	return best;
}

/*
 * A small process that found no single free node gathers on one as soon as one
 * is free. The claims on its old nodes stand until the next call, also on the one that
 * it keeps.
 */
static bool shrink_home(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 n = find_own(s, w, p);

	if (n == s->nr_nodes) {
		n = find_single(s, w, p, false);
		if (n == s->nr_nodes ||
		    !single_fits(s, w, p, n, slack_shrink(w->node[n].fair)))
			return false;
	}
	set_single_home(s, w, p, n);
	if (s->procs[p].core)
		map_clear(s->procs[p].core, s->nr_nodes);
	w->node[n].claim += w->proc[p].demand;
	home_list_add(w, p);
	return true;
}

static bool drop_node(struct an_snapshot *s, struct work *w, u32 p)
{
	if (!an_home_drop_node(s, w, p))
		return false;
	if (w->proc[p].nr_home == 1)
		home_list_add(w, p);
	w->proc[p].content = true;	/* until its claims are right again */
	return true;
}

static bool improve_home(struct an_snapshot *s, struct work *w, u32 p)
{
	u32 left = ALL_PARTNERS;
	bool content = true;
	u32 i;

	find_costs(s, w, p);
	if (w->proc[p].nr_home > 1)
		return shrink_home(s, w, p) || drop_node(s, w, p);
	for (i = 0; i < w->cand.nr; i++) {
		u32 n = w->cand.node[i];

		if (w->node[n].cost.all >=
		    w->node[w->proc[p].home].cost.all)
			continue;
		if (improve_to(s, w, p, n, &left))
			return true;
		content = false;
	}
	w->proc[p].content = content;
	return false;
}

static bool improve_all(struct an_snapshot *s, struct work *w)
{
	bool changed = false;
	u32 i;

	for (i = 0; i < s->nr_procs; i++) {
		u32 p = w->order[i];

		an_breathe(s, 0);
		if (w->proc[p].gathers && w->proc[p].nr_home &&
		    !w->proc[p].content && !s->procs[p].wish &&
		    !s->procs[p].moving)
			changed |= improve_home(s, w, p);
	}
	return changed;
}

/**
 * an_policy_homes - choose the home nodes of every process
 * @s: the snapshot; the home bitmaps hold the last homes, or nothing, and get
 *	the new ones: empty for a process that shows no sharing
 *
 * A home is the fewest, nearest nodes that fit the demand of the process, in
 * competition with the others; or what was wished for. The last home is kept
 * while it holds with some slack, and nothing is better by a quarter; and in any
 * case while memory is on the way to it.
 *
 * Context: as @s->breathe() needs it; O(n log n) for n processes, tasks and
 * pages; and nodes per process that finds no room, or is bound to nodes. The
 * scratch is overwritten.
 */
void an_policy_homes(struct an_snapshot *s)
{
	struct work *w = an_sum_up(s);
	u32 i;

	w->bound = false;
	for (i = 0; i < s->nr_nodes; i++)
		w->every[i] = i;
	sum_procs(s, w);
	set_fair(s, w);
	order_procs(s, w);
	an_list_start(w, s->nr_nodes);
	for (i = 0; i < s->nr_procs; i++)
		if (s->procs[i].wish)
			take_wish(s, w, i);
	for (i = 0; i < s->nr_procs; i++) {
		an_breathe(s, 0);
		if (s->procs[w->order[i]].wish)
			continue;
		if (w->proc[w->order[i]].gathers)
			keep_or_choose(s, w, w->order[i]);
		else
			map_clear(s->procs[w->order[i]].home, s->nr_nodes);
	}
	for (i = 0; i < s->nr_procs; i++) {
		u32 p = w->order[i];

		an_breathe(s, 0);
		if (w->proc[p].gathers && !w->proc[p].placed)
			place_anew(s, w, p);
	}
	for (i = 0; i < HOME_ROUNDS; i++) {
		if (!improve_all(s, w))
			break;
	}
}
