// SPDX-License-Identifier: GPL-2.0
/*
 * What a dry run may expect of balancing. The policy is played to rest on a
 * copy of the snapshot, with the tasks of dry runs set free; in between, the
 * memory of dry runs goes where an_policy_fault() sends it in the long run.
 *
 * What is left out: the time that it takes, homes and other load that change, a
 * target node that fills up on the way, what the load balancer makes of it.
 *
 * Like all of the policy it never touches the kernel: no kernel call, no
 * recursion, no floating point, nothing on the stack that grows with the
 * machine.
 *
 * Overflow: a part is at most 2^30, two of them multiplied 2^60; what a part is
 * taken of is cut to 33 bits before. Loads are at most 2^10, tasks below 2^20.
 */
#include "forecast.h"
#include "policy_work.h"

/* Parts are in 1/2^30 of the whole: 256 rounds of truncation do not show. */
#define PART_BITS	30

/*
 * Steps and memory in turn: three do in practice. Each one costs as much as a
 * round of gear 4.
 */
#define MAX_TURNS	8

/*
 * So many faults on a page show where it stays. One not at rest is made to
 * fault in each pass: minutes.
 */
#define PAGE_FAULTS	256

/* A sharer by less than 1/8 is none at times: the noise of the statistics. */
#define SHARER_MARGIN	8

/* Where memory is, as an_policy_fault() tells places apart. */
enum place {
	PLACE_AWAY,		/* not at home, or there is no home */
	PLACE_HOME,
	PLACE_CORE,
	PLACE_NR
};

/* What is known of a node, for the process in hand. */
struct site {
	u64 touch;		/* part of its shared faults from here */
	u64 same[2];		/* two in a row, of one task; [1]: a sharer */
	u64 pull[PLACE_NR];	/* part of what is there that a fault brings */
	u64 shared;		/* part of its shared memory that is here */
	u64 memory;		/* all its memory here, in faults on it */
	enum place place;
};

/* The scratch memory: lay_out() and copy_all() make it. */
struct play {
	struct an_snapshot s;	/* the copy */
	struct an_pages *pages;	/* of all processes, then nr_nodes per dry run */
	u32 dry_pages;		/* index of those of the first dry run */
	struct site *site;
};

/* Parts */

/* What part @some is of @all, which is not 0. */
static u64 part_of(u64 some, u64 all)
{
	for (; all >> 33; all >>= 1)
		some >>= 1;
	return (some << PART_BITS) / all;
}

/* That part of @all. */
static u64 take(u64 part, u64 all)
{
	u32 cut = 0;

	for (; all >> 33; all >>= 1)
		cut++;
	return (all * part >> PART_BITS) << cut;
}

/* The copy */

/* Entries of s->pages that are in use. */
static u32 pages_used(const struct an_snapshot *s)
{
	u32 used = 0;
	u32 p;

	for (p = 0; p < s->nr_procs; p++) {
		const struct an_proc *proc = &s->procs[p];

		if (proc->pages + proc->nr_pages > used)
			used = proc->pages + proc->nr_pages;
	}
	return used;
}

static size_t dry_runs(const struct an_snapshot *s)
{
	size_t nr = 0;
	u32 p;

	for (p = 0; p < s->nr_procs; p++)
		nr += s->procs[p].dry;
	return nr;
}

static size_t lay_out(struct play *f, const void *base,
		      const struct an_snapshot *s)
{
	size_t nr_pages = pages_used(s) + dry_runs(s) * s->nr_nodes;
	size_t used = 0;

	carve(base, &used, 1, sizeof(*f));
	f->s.nodes = carve(base, &used, s->nr_nodes, sizeof(*f->s.nodes));
	f->s.tasks = carve(base, &used, s->nr_tasks, sizeof(*f->s.tasks));
	f->s.procs = carve(base, &used, s->nr_procs, sizeof(*f->s.procs));
	f->pages = carve(base, &used, nr_pages, sizeof(*f->pages));
	f->site = carve(base, &used, s->nr_nodes, sizeof(*f->site));
	return used;
}

/**
 * an_forecast_scratch - memory that an_forecast() needs
 * @s: the snapshot
 *
 * Context: any; linear in processes.
 * Return: bytes, to be aligned like a u64. The content need not be set.
 */
size_t an_forecast_scratch(const struct an_snapshot *s)
{
	struct play f;

	return lay_out(&f, NULL, s);
}

/* The steps of a turn are as many as it takes, not as many as a round may do. */
static u32 step_limit(u32 nr_tasks)
{
	return nr_tasks < AN_NO_TASK / 8 ? 4 * nr_tasks + 16 : AN_NO_TASK / 2;
}

static struct play *copy_all(const struct an_snapshot *s, void *scratch)
{
	struct play *f = scratch;
	u32 used = pages_used(s);
	u32 t;

	f->s = *s;
	f->dry_pages = used;
	lay_out(f, scratch, s);
	memcpy(f->s.nodes, s->nodes, s->nr_nodes * sizeof(*s->nodes));
	memcpy(f->s.procs, s->procs, s->nr_procs * sizeof(*s->procs));
	memcpy(f->pages, s->pages, used * sizeof(*s->pages));
	for (t = 0; t < s->nr_tasks; t++) {
		f->s.tasks[t] = s->tasks[t];
		f->s.tasks[t].fixed = s->tasks[t].fixed && !s->tasks[t].held;
	}
	f->s.pages = f->pages;
	f->s.max_steps = step_limit(s->nr_tasks);
	return f;
}

/* Where memory goes */

static enum place place_of(const struct an_proc *proc, u32 n)
{
	if (!map_has(proc->home, n))
		return PLACE_AWAY;
	return proc->core && map_has(proc->core, n) ? PLACE_CORE : PLACE_HOME;
}

/*
 * Whether the task is a sharer all the time. One near the border is none at
 * times; then its private memory comes, and stays.
 */
static bool is_sharer(const struct task_sum *sum)
{
	u64 least = sum->faults * AN_SHARER_NUM / AN_SHARER_DEN;

	return sum->shared >= least + least / SHARER_MARGIN;
}

/* Whether memory at @from comes to @n by the second fault in a row from there. */
static bool comes(const struct play *f, const struct proc_sum *proc,
		  enum place from, u32 n, bool same_task, bool sharer)
{
	enum place to = f->site[n].place;
	struct an_fault fault = {
		.page_node = AN_NO_NODE,
		.cpu_node = n,
		.last_node = n,
		.same_task = same_task,
		.sharer = sharer,
		.has_home = proc->nr_home,
		.page_home = from != PLACE_AWAY,
		.cpu_home = to != PLACE_AWAY,
		.core_pull = to == PLACE_CORE && from != PLACE_CORE,
		.allowed = f->s.nodes[n].room,
	};
	enum an_reason why = an_policy_fault(&fault);

	return why == AN_R_FOLLOW || why == AN_R_FOLLOW_HOME;
}

/* Who touches the shared memory of @p from where, and where it is now. */
static void find_touch(const struct play *f, const struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	u32 i, k, n;

	memset(f->site, 0, f->s.nr_nodes * sizeof(*f->site));
	for (n = 0; n < f->s.nr_nodes; n++)
		f->site[n].place = place_of(&f->s.procs[p], n);
	for (i = proc->first; i < proc->first + proc->nr && proc->shared; i++) {
		const struct an_task *task = &f->s.tasks[w->by_proc[i]];
		const struct task_sum *sum = &w->task[w->by_proc[i]];
		struct site *site = &f->site[task->node];
		u64 part = part_of(sum->shared, proc->shared);

		site->touch += part;
		site->same[is_sharer(sum)] += part * part >> PART_BITS;
		for (k = task->faults; k < task->faults + task->nr_faults; k++)
			f->site[f->s.faults[k].node].shared +=
				f->s.faults[k].shared;
	}
	for (n = 0; n < f->s.nr_nodes && proc->shared; n++)
		f->site[n].shared = part_of(f->site[n].shared, proc->shared);
}

/*
 * How probable it is that one fault brings a shared page to each node: two
 * faults in a row from there, by one task or by two.
 */
static void find_pull(const struct play *f, const struct proc_sum *proc)
{
	u32 from, n;

	for (n = 0; n < f->s.nr_nodes; n++) {
		struct site *site = &f->site[n];
		u64 same = site->same[0] + site->same[1];
		u64 both = site->touch * site->touch >> PART_BITS;

		if (!site->touch)
			continue;
		for (from = 0; from < PLACE_NR; from++) {
			if (comes(f, proc, from, n, true, false))
				site->pull[from] += site->same[0];
			if (comes(f, proc, from, n, true, true))
				site->pull[from] += site->same[1];
			if (both > same &&
			    comes(f, proc, from, n, false, false))
				site->pull[from] += both - same;
		}
	}
}

/* One fault on each shared page. Returns how much of the memory moved. */
static u64 shift_shared(const struct play *f)
{
	u64 here[PLACE_NR] = { 0 }, all[PLACE_NR] = { 0 };
	u64 moved = 0;
	u32 from, n;

	for (n = 0; n < f->s.nr_nodes; n++) {
		here[f->site[n].place] += f->site[n].shared;
		for (from = 0; from < PLACE_NR; from++)
			all[from] += f->site[n].pull[from];
	}
	for (n = 0; n < f->s.nr_nodes; n++) {
		struct site *site = &f->site[n];
		u64 out = site->shared * all[site->place] >> PART_BITS;
		u64 in = 0;

		for (from = 0; from < PLACE_NR; from++)
			in += here[from] * site->pull[from] >> PART_BITS;
		site->shared += in - out;
		moved += in > out ? in - out : 0;
	}
	return moved;
}

/* Where the shared memory of @p is in the long run: site[].shared. */
static void settle_shared(const struct play *f, const struct work *w, u32 p)
{
	u32 i;

	find_touch(f, w, p);
	find_pull(f, &w->proc[p]);
	for (i = 0; i < PAGE_FAULTS; i++) {
		if (!shift_shared(f))
			break;
	}
}

/*
 * What of the private faults of task @t will be local in the long run; all of
 * them are noted at the nodes where they will be.
 */
static u64 settle_private(const struct play *f, const struct work *w, u32 t)
{
	const struct an_task *task = &f->s.tasks[t];
	const struct proc_sum *proc = &w->proc[task->proc];
	bool sharer = is_sharer(&w->task[t]);
	u64 local = 0;
	u32 i;

	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		const struct an_faults *at = &f->s.faults[i];
		u32 n = at->node;

		if (n != task->node &&
		    comes(f, proc, f->site[n].place, task->node, true, sharer))
			n = task->node;
		f->site[n].memory += at->private;
		if (n == task->node)
			local += at->private;
	}
	return local;
}

/* The shared part of the memory of @p, beside the private one. */
static void add_shared(const struct play *f, const struct proc_sum *proc)
{
	u32 n;

	for (n = 0; n < f->s.nr_nodes; n++)
		f->site[n].memory += take(f->site[n].shared, proc->shared);
}

/* Puts the pages of @p where its faults will be, at @first of all pages. */
static void put_pages(struct play *f, const struct proc_sum *proc, u32 p,
		      u32 first)
{
	struct an_proc *in = &f->s.procs[p];
	u64 pages = 0;
	u32 i;

	for (i = in->pages; i < in->pages + in->nr_pages; i++)
		pages += f->pages[i].pages;
	in->pages = first;
	in->nr_pages = f->s.nr_nodes;
	for (i = 0; i < f->s.nr_nodes; i++) {
		f->pages[first + i].node = i;
		f->pages[first + i].pages =
			take(part_of(f->site[i].memory, proc->faults), pages);
	}
}

/* Shares */

/* Mean of the tasks of a process, by load. A task counts one more than that. */
struct mean {
	u64 sum;
	u64 weight;
};

static void mean_add(struct mean *mean, const struct an_task *task, u64 part)
{
	mean->sum += (task->load + 1) * part;
	mean->weight += task->load + 1;
}

static u32 mean_pm(const struct mean *mean)
{
	u64 half = 1ULL << (PART_BITS - 1);

	if (!mean->weight)
		return AN_SHARE_UNKNOWN;
	return (mean->sum / mean->weight * 1000 + half) >> PART_BITS;
}

/* What part of the accesses of task @t will be local. */
static u64 part_then(const struct play *f, const struct work *w, u32 t)
{
	const struct an_task *task = &f->s.tasks[t];
	const struct task_sum *sum = &w->task[t];
	u64 private = sum->faults - sum->shared;
	u64 shared, local;

	if (!sum->faults)
		return 0;
	shared = part_of(an_shared_part(sum->shared, sum->faults,
					w->proc[task->proc].nr), sum->faults);
	local = take(f->site[task->node].shared, shared);
	if (!private)
		return local;
	private = part_of(settle_private(f, w, t), private);
	return local + take(private, (1ULL << PART_BITS) - shared);
}

static u64 part_now(const struct an_snapshot *s, const struct work *w, u32 t)
{
	const struct an_task *task = &s->tasks[t];
	u64 local = 0;
	u32 i;

	for (i = task->faults; i < task->faults + task->nr_faults; i++) {
		if (s->faults[i].node == task->node)
			local += (u64)s->faults[i].private +
				 s->faults[i].shared;
	}
	return part_of(local, w->task[t].faults);
}

static u32 share_now(const struct an_snapshot *s, const struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	struct mean mean = { 0 };
	u32 i;

	for (i = proc->first; i < proc->first + proc->nr; i++) {
		u32 t = w->by_proc[i];

		if (has_evidence(s, w, t))
			mean_add(&mean, &s->tasks[t], part_now(s, w, t));
	}
	return mean_pm(&mean);
}

/* The memory of @p follows its threads as they stand. Returns the share then. */
static u32 settle(const struct play *f, const struct work *w, u32 p)
{
	const struct proc_sum *proc = &w->proc[p];
	struct mean mean = { 0 };
	u32 i;

	settle_shared(f, w, p);
	add_shared(f, proc);
	for (i = proc->first; i < proc->first + proc->nr; i++) {
		u32 t = w->by_proc[i];
		u64 part = part_then(f, w, t);

		if (has_evidence(&f->s, w, t))
			mean_add(&mean, &f->s.tasks[t], part);
	}
	return mean_pm(&mean);
}

static void settle_all(struct play *f, struct an_share *shares)
{
	const struct work *w = an_sum_up(&f->s);
	u32 first = f->dry_pages;
	u32 p;

	for (p = 0; p < f->s.nr_procs; p++) {
		if (!f->s.procs[p].dry)
			continue;
		shares[p].then_pm = settle(f, w, p);
		if (w->proc[p].faults)
			put_pages(f, &w->proc[p], p, first);
		first += f->s.nr_nodes;
	}
}

/*
 * Which CPUs are idle at this moment tells nothing of the long run: so many are
 * as the loads leave, to the nearest one.
 */
static void set_idle(struct play *f)
{
	const struct work *w = an_sum_up(&f->s);
	u32 n;

	for (n = 0; n < f->s.nr_nodes; n++) {
		struct an_node *node = &f->s.nodes[n];
		u64 most = (u64)node->capacity + AN_LOAD_ONE / 2;
		u64 load = w->node[n].busy;

		node->idle_cpus = load < most ? (most - load) / AN_LOAD_ONE : 0;
	}
}

/**
 * an_forecast - the local share of processes, now and if they were balanced
 * @s: the snapshot after an_policy_homes(); after an_policy_balance() too if
 *	the steps for the others are to count as done. Not changed, but its
 *	scratch is overwritten
 * @scratch: an_forecast_scratch() bytes
 * @shares: filled in, room for each process
 *
 * Now: what part of its faults a thread has on memory of the node it runs on,
 * averaged over the threads that have at least @s->min_faults, by load. Then:
 * the same once all are at rest, with the held threads of dry runs set free.
 *
 * Context: as @s->breathe() needs it; as a round of gear 4 at most MAX_TURNS
 * times, and for each dry run PAGE_FAULTS * nodes. Without dry runs linear.
 */
void an_forecast(const struct an_snapshot *s, void *scratch,
		 struct an_share *shares)
{
	const struct work *w = an_sum_up(s);
	struct play *f;
	u32 p, steps;
	u32 turn = 0;

	for (p = 0; p < s->nr_procs; p++) {
		shares[p].now_pm = share_now(s, w, p);
		shares[p].then_pm = AN_SHARE_UNKNOWN;
	}
	if (!dry_runs(s))
		return;
	f = copy_all(s, scratch);
	do {
		set_idle(f);
		steps = an_policy_balance(&f->s, NULL);
		settle_all(f, shares);
		/* The first time the memory moves, whoever else does. */
	} while (++turn < MAX_TURNS && (steps || turn == 1));
}
