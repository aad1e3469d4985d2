// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 2, the hinting fault: asks the policy about the page, queues, cancels
 * or lets the fault migrate it, and keeps the statistics of the thread.
 *
 * Writes only what belongs to the faulting thread, per-CPU counters, the votes
 * on the region and the queue of the target node.
 */
#include <linux/mm.h>
#include <linux/sched/numa_balancing.h>
#include <linux/topology.h>
#include "autonuma.h"
#include "ballot.h"
#include "claims.h"
#include "decision.h"
#include "fault.h"
#include "lead.h"
#include "migrated.h"
#include "queue.h"
#include "regions.h"
#include "scope.h"
#include "stats.h"
#include "trace.h"
#include "walk.h"

static int this_cpupid(void)
{
	return cpu_pid_to_cpupid(raw_smp_processor_id(), an_pid_bits(current->pid));
}

static bool was_this_task(int last_cpupid)
{
	return cpupid_to_pid(last_cpupid) == an_pid_bits(current->pid);
}

static bool node_allowed(int nid, const nodemask_t *allowed)
{
	return node_state(nid, N_MEMORY) &&
	       (!allowed || node_isset(nid, *allowed)) &&
	       an_scope_node_allowed(current, nid);
}

static void describe(struct an_fault *f, struct folio *folio, int last_cpupid,
		     const nodemask_t *allowed, const struct an_process *p,
		     const struct an_thread *t)
{
	f->page_node = folio_nid(folio);
	f->cpu_node = numa_node_id();
	f->last_node = an_last_node(last_cpupid);
	f->same_task = was_this_task(last_cpupid);
	f->sharer = t && an_thread_shares(t);
	f->owner = t && an_thread_owns(t);
	f->has_home = an_any_node(p->home);
	f->page_home = an_in_map(p->home, f->page_node);
	f->cpu_home = an_in_map(p->home, f->cpu_node);
	f->core_pull = an_in_map(p->core, f->cpu_node) &&
		       !an_in_map(p->core, f->page_node);
	f->spread_pull = atomic_long_read(&p->spread) > 0 &&
			 atomic_long_read(&p->off[f->page_node]) > 0 &&
			 atomic_long_read(&p->off[f->cpu_node]) < 0;
	f->allowed = node_allowed(f->cpu_node, allowed);
	f->turn_node = AN_NO_NODE;
}

/* Has the last fault been of another process? One with the same pid bits hides. */
static bool used_by_others(const struct an_process *p, int last_cpupid)
{
	return an_last_node(last_cpupid) != AN_NO_NODE &&
	       READ_ONCE(p->where[cpupid_to_pid(last_cpupid)]) == AN_WHERE_NOBODY;
}

/* A thread that is younger than the pass is one of its own all the same. */
static void be_known(struct an_process *p)
{
	s16 *where = &p->where[an_pid_bits(current->pid)];

	if (READ_ONCE(*where) == AN_WHERE_NOBODY)
		WRITE_ONCE(*where, AN_NO_NODE);
}

/* Which home node takes the region, if it may and has room. */
static void find_turn(struct an_fault *f, const struct an_process *p,
		      unsigned long addr, const nodemask_t *allowed)
{
	DECLARE_BITMAP(map, MAX_NUMNODES);
	int nid;

	an_copy_nodes(map, an_shared_home(p));
	nid = an_policy_turn(map, nr_node_ids, addr / AN_REGION_SIZE);
	if (nid != AN_NO_NODE && nid != f->page_node &&
	    node_allowed(nid, allowed) && an_migrated_takes(nid))
		f->turn_node = nid;
}

/* How gear 1 saw the page of a fault, when it made it fault. */
struct an_past_state {
	bool sample;		/* of its region; else for itself */
	bool at_rest;		/* used where it is, as far as known */
	bool hopeless;		/* used from several nodes */
	bool forgot;		/* with others of a torn region, by being written to */
	bool mute;		/* the thread is not where it belongs */
};

/*
 * A region has its verdict; of a page by itself, that its last user was on its node
 * tells less.
 */
static bool settled(const struct an_process *p, const struct an_past_state *was)
{
	return was->at_rest && (was->sample ? READ_ONCE(p->pace.in_place) :
					      READ_ONCE(p->pace.all_in_place));
}

/* What the past of the page tells, by its verdict, if any, before this fault. */
static void weigh_past(struct an_fault *f, const struct an_process *p,
		       struct an_past_state *was)
{
	f->settled = settled(p, was);
	was->mute = !an_policy_votes(f);
}

/* The use of most memory has changed, and this is the first pass to tell. */
static bool use_changed(const struct an_process *p)
{
	return READ_ONCE(p->pace.changed) &&
	       READ_ONCE(p->pace.changed_pass) == READ_ONCE(p->pass);
}

/* The parts of what was a huge page were to tell who uses them, and did. */
static void end_trial(struct an_process *p, unsigned long addr,
		      enum an_verdict verdict)
{
	if (verdict == AN_V_TORN)
		atomic_add(AN_TRIALS_MORE, &p->trials);
	an_regions_say_split(p, addr, verdict == AN_V_TORN ?
			     AN_R_SPLIT_PAYS : AN_R_SPLIT_VAIN);
}

/* The verdict of these votes, and of others who use the region. */
static void judge(struct an_fault *f, const struct an_process *p,
		  const struct vm_area_struct *vma, unsigned long addr, u64 votes)
{
	f->verdict = an_ballot_verdict_of(votes, f->mapped, &f->leader);
	if (f->mapped)
		f->verdict = an_claims_heed(p, vma, addr, f->verdict, &f->leader);
}

/* It uses the region of a shared mapping. */
static void claim(const struct an_fault *f, struct an_process *p,
		  const struct vm_area_struct *vma, unsigned long addr, bool huge)
{
	bool several = READ_ONCE(p->claimant.node) == AN_NODES_SEVERAL;

	if (an_claim(p, vma, addr, huge, several ? AN_NODES_SEVERAL : f->cpu_node) &&
	    !READ_ONCE(p->claimant.holds))
		WRITE_ONCE(p->claimant.holds, true);
}

/* A ballot on what several nodes use was won. */
static void count_lead(struct an_process *p, unsigned long addr, int nid)
{
	atomic_t *lead = an_leads_find(p, addr);
	int old, new;

	if (!lead)
		return;
	old = atomic_read(lead);
	do {
		new = an_lead_count(old, nid);
	} while (!atomic_try_cmpxchg_relaxed(lead, &old, new));
}

/* Finds the verdict with this vote; until then it is the one before. */
static void cast(struct an_fault *f, struct an_process *p,
		 const struct vm_area_struct *vma, unsigned long addr,
		 atomic64_t *votes, const struct an_vote *vote)
{
	s64 old = atomic64_read(votes), new;
	int won;

	do {
		new = an_ballot_vote(old, vote);
	} while (!atomic64_try_cmpxchg_relaxed(votes, &old, new));
	won = an_ballot_won(old, vote);
	if (won != AN_NO_NODE && f->verdict == AN_V_SHARED && !f->mapped)
		count_lead(p, addr, won);
	judge(f, p, vma, addr, new);
	if (an_ballot_on_trial(old) && !an_ballot_on_trial(new))
		end_trial(p, addr, f->verdict);
}

/* Asks the region of the page. */
static void ask_region(struct an_fault *f, struct an_process *p,
		       const struct vm_area_struct *vma, unsigned long addr,
		       atomic64_t *votes, struct an_past_state *was)
{
	struct an_vote vote = {
		.node = f->cpu_node,
		.pass = READ_ONCE(p->pass),
		.mapped = f->mapped,
	};
	u64 before = atomic64_read(votes);

	judge(f, p, vma, addr, before);
	was->sample = f->verdict != AN_V_TORN && f->verdict != AN_V_NONE;
	was->forgot = f->verdict == AN_V_TORN && f->last_node == AN_NO_NODE;
	if (was->sample) {
		f->stale = READ_ONCE(an_params.migrate) != AN_MIGRATE_FAULT &&
			   !an_walk_faults_again(vma, addr,
						 an_ballot_drawn_again(before));
		was->hopeless = an_ballot_rests(before) &&
				(f->verdict == AN_V_SHARED ||
				 f->verdict == AN_V_FOREIGN);
		was->at_rest = an_ballot_rests(before) && !was->hopeless;
	}
	weigh_past(f, p, was);
	if (f->mapped && !was->mute) {
		f->claimed = f->foreign && an_claimed(p, vma, addr, false, f->cpu_node);
		claim(f, p, vma, addr, false);
	}
	vote.known = an_policy_tells(f);
	vote.same = an_policy_same(f);
	vote.mute = was->mute;
	if (f->verdict != AN_V_NONE)
		cast(f, p, vma, addr, votes, &vote);
}

/* Of what several nodes use: does one most, and may have it? */
static void heed_leader(struct an_fault *f, struct an_process *p,
			unsigned long addr, const nodemask_t *allowed)
{
	int nid;

	if (f->mapped || f->lone || f->verdict != AN_V_SHARED)
		return;
	nid = an_leads_node(p, an_leads_find(p, addr));
	if (nid == AN_NO_NODE || !node_allowed(nid, allowed))
		return;
	f->verdict = AN_V_LED;
	f->leader = nid;
	f->full = !an_migrated_takes(nid);
}

/* Only then may huge pages be taken apart, or be kept from being made. */
static bool moves_memory(const struct an_process *p)
{
	return READ_ONCE(p->mode) == AN_MODE_ACT &&
	       READ_ONCE(an_params.migrate) != AN_MIGRATE_OFF;
}

/* Votes on a huge page of a file tell that the process uses it, and no more. */
static void ask_huge_mapped(struct an_fault *f, struct an_process *p,
			    const struct vm_area_struct *vma, unsigned long addr,
			    atomic64_t *votes)
{
	bool votes_here = f->mapped && an_policy_votes(f);
	u64 old = atomic64_read(votes), new = 0;

	if (f->mapped)
		new = an_ballot_huge_mapped(old, f->cpu_node, !votes_here);
	if (new != old)		/* also of its parts, before it was one */
		atomic64_set(votes, new);
	if (votes_here)
		claim(f, p, vma, addr, true);
}

/* A huge page that is mapped by small entries is one page all the same. */
static void heed_claims(struct an_fault *f, const struct an_process *p,
			const struct vm_area_struct *vma, unsigned long addr,
			struct folio *folio)
{
	if (f->mapped && folio_test_pmd_mappable(folio) &&
	    (f->verdict == AN_V_NONE || f->verdict == AN_V_TORN) &&
	    an_claimed(p, vma, addr, true, f->cpu_node))
		f->verdict = AN_V_FOREIGN;
}

/* Asks the region of a huge page of a process's own: whether several nodes use it. */
static void ask_huge(struct an_fault *f, const struct an_process *p,
		     atomic64_t *votes)
{
	bool same = f->last_node == f->cpu_node;
	s64 old, new;

	if (!an_policy_votes(f) || !an_policy_tells(f))
		return;
	old = atomic64_read(votes);
	do {
		new = an_ballot_huge(old, same);
	} while (!atomic64_try_cmpxchg_relaxed(votes, &old, new));
	f->contested = an_ballot_contested(new) && moves_memory(p) &&
		       atomic_read(&p->trials) > 0;
}

/* Pages are put where they can be found: the folio as this mm maps it. */
static struct an_span span_of(struct vm_fault *vmf, unsigned long addr,
			      struct folio *folio)
{
	struct an_span span = {
		.mm = vmf->vma->vm_mm,
		.addr = addr & PAGE_MASK,
		.pages = 1,
		.from = folio_nid(folio),
	};

	if (folio_test_pmd_mappable(folio) && pmd_trans_huge(*vmf->pmd)) {
		span.addr = addr & HPAGE_PMD_MASK;
		span.pages = HPAGE_PMD_NR;
	}
	return span;
}

/* What was decided on a page may hold for all of its region. */
static void widen(struct an_span *span, const struct an_fault *f)
{
	if (!an_policy_whole_region(f))
		return;
	span->addr = ALIGN_DOWN(span->addr, AN_REGION_SIZE);
	span->pages = AN_REGION_PAGES;
}

/* The pages should move, and the process's are not moved now. */
static int would_move(const struct an_process *p, struct an_thread *t,
		      const struct an_span *span)
{
	bool dry = READ_ONCE(p->mode) == AN_MODE_DRY;

	if (dry && t)
		an_tally(t, AN_T_WOULD_MOVE, t->weight);
	an_migrated_decline(span, dry ? AN_R_QUEUE_DRY : AN_R_QUEUE_REST);
	return NUMA_NO_NODE;
}

/* Of what is to be spread, so much is on its way: a node takes no more than it lacks. */
static void spend_spread(struct an_process *p, enum an_reason why,
			 const struct an_span *span, unsigned long pages)
{
	if (why != AN_R_SPREAD)
		return;
	atomic_long_sub(pages, &p->spread);
	atomic_long_sub(pages, &p->off[span->from]);
	atomic_long_add(pages, &p->off[span->to]);
}

/* Returns the node for a migration in this fault, if the rate allows it. */
static int move_now(enum an_reason why, struct an_process *p,
		    struct an_thread *t, const struct an_span *span,
		    unsigned long pages)
{
	if (!an_migrated_admit(p, span, pages))
		return NUMA_NO_NODE;
	spend_spread(p, why, span, pages);
	if (t)
		an_tally(t, AN_T_MOVED, pages);
	return span->to;
}

/*
 * A region goes where its thread is, for a few faults on it. What they said of its
 * use, pass by pass and halved with each, twice its pages at most, goes along; or
 * gear 4 would send the thread after memory that has left.
 */
static void take_use_along(struct an_thread *t, const struct an_process *p,
			   const struct an_span *span)
{
	u32 *from = &t->nodes[2 * span->from], *to = &t->nodes[2 * span->to];
	u32 use = min(*from, 2 * span->pages * READ_ONCE(p->pace.one_in));

	WRITE_ONCE(*from, *from - use);
	WRITE_ONCE(*to, *to + use);
}

/* What is asked of the current thread before it brings memory by itself. */
static void describe_carrier(struct an_fault *f)
{
	f->carriers = READ_ONCE(an_params.migrate) == AN_MIGRATE_THREAD;
	f->crowded = an_migrated_crowded(f->cpu_node) ||
		     cpumask_any_but(cpumask_of_node(f->cpu_node),
				     raw_smp_processor_id()) >= nr_cpu_ids;
	f->prompt = (current->policy == SCHED_NORMAL ||
		     current->policy == SCHED_BATCH) && task_nice(current) <= 0;
}

static void move_later(enum an_reason why, struct an_fault *f,
		       struct an_process *p, struct an_thread *t,
		       struct an_span *span)
{
	int added;

	widen(span, f);
	describe_carrier(f);
	span->carry = an_policy_carries(f, span->to,
					span->pages == AN_REGION_PAGES);
	added = an_migrated_queue(p, span, why);
	if (added < 0)
		return;
	spend_spread(p, why, span, added);
	if (!t)
		return;
	t->queued_to = span->to;
	/* Once, not again with each fault on it until it is brought. */
	if (added && why == AN_R_FOLLOW && span->pages == AN_REGION_PAGES)
		take_use_along(t, p, span);
}

/*
 * Pages that should move. A page of a torn region moves alone: nobody can use
 * its entry while it faults, so moving it here needs no flush, and a worker
 * would need one for every few pages. One that other processes map needs one anyway.
 */
static int move(enum an_reason why, struct an_fault *f,
		struct an_process *p, struct an_thread *t, struct an_span *span,
		unsigned long pages)
{
	span->to = an_policy_target(f, why);
	if (READ_ONCE(p->mode) != AN_MODE_ACT)
		return would_move(p, t, span);
	switch (READ_ONCE(an_params.migrate)) {
	case AN_MIGRATE_THREAD:
	case AN_MIGRATE_ASYNC:
		if (f->verdict == AN_V_TORN && !f->mapped)
			return move_now(why, p, t, span, pages);
		move_later(why, f, p, t, span);
		return NUMA_NO_NODE;
	case AN_MIGRATE_FAULT:
		return move_now(why, p, t, span, pages);
	default:
		an_migrated_decline(span, AN_R_QUEUE_OFF);
		return NUMA_NO_NODE;
	}
}

/*
 * Has the huge page taken apart, if there are trials left. Should that fail, it has
 * to be found contested anew.
 */
static void split(struct an_process *p, const struct an_fault *f,
		  struct an_span *span)
{
	atomic64_t *votes = an_regions_find(p, span->addr);

	if (atomic_dec_if_positive(&p->trials) < 0)
		return;
	if (votes)
		atomic64_set(votes, 0);
	an_leads_forget(p, span->addr, true);
	if (f->last_node != AN_NO_NODE && f->last_node != f->page_node)
		an_migrated_cancel(p, span, f->last_node, AN_R_CONTRARY);
	span->to = f->cpu_node;
	span->split = true;
	if (an_migrated_queue(p, span, AN_R_CONTESTED) <= 0)
		atomic_inc(&p->trials);
}

/*
 * Carries out the decision. Returns the node for a migration in this fault,
 * else NUMA_NO_NODE.
 */
static int act(enum an_reason why, struct an_fault *f, struct an_process *p,
	       struct an_thread *t, struct an_span *span, unsigned long pages)
{
	switch (why) {
	case AN_R_LOCAL:
	case AN_R_CONTRARY:
		/*
		 * Only a fault from another node can have queued the page; what is
		 * queued for its turn is shared, and may go; and to a leader goes what
		 * is used elsewhere, too.
		 */
		if (f->verdict == AN_V_LED && f->page_node != f->leader)
			return NUMA_NO_NODE;
		if (f->last_node != AN_NO_NODE && f->last_node != f->page_node)
			an_migrated_cancel(p, span, f->last_node,
					   why);
		return NUMA_NO_NODE;
	case AN_R_FOLLOW:
	case AN_R_FOLLOW_LEADER:
	case AN_R_FOLLOW_HOME:
	case AN_R_SPREAD:
		return move(why, f, p, t, span, pages);
	case AN_R_CONTESTED:
		split(p, f, span);
		return NUMA_NO_NODE;
	default:
		return NUMA_NO_NODE;
	}
}

/*
 * Memory follows a thread that stays, not one that wake-ups or the load
 * balancer carry about: each change of node doubles the time it has to stay.
 */
#define DWELL_MS	50
#define MAX_HOPS	6U	/* 3.2 s */

/* Where gear 4 keeps this thread, if it does. A child may have inherited its mark. */
static int kept_on(const struct an_process *p)
{
	return READ_ONCE(an_params.balance) && READ_ONCE(p->mode) == AN_MODE_ACT ?
	       READ_ONCE(current->numa_preferred_nid) : NUMA_NO_NODE;
}

/*
 * Does gear 4 expect this thread back where it was to stay? It came from elsewhere,
 * unlike a new thread, which may have inherited the mark; and for a second at most, as
 * the mark of a thread that hardly runs is not looked after. After wandering().
 */
static bool is_expected_back(const struct an_process *p,
			     const struct an_thread *t, int nid)
{
	int kept = kept_on(p);

	return t->came && kept != NUMA_NO_NODE && kept != nid &&
	       time_before(jiffies, t->since + HZ);
}

static bool wandering(struct an_thread *t, int nid)
{
	unsigned long dwell = msecs_to_jiffies(DWELL_MS);

	if (t->fault_node != nid) {
		t->came = t->fault_node != NUMA_NO_NODE;
		t->hops += t->came;
		t->fault_node = nid;
		t->since = jiffies;
	}
	return t->hops && time_before(jiffies, t->since +
				      (dwell << min(t->hops, MAX_HOPS)));
}

/*
 * For an_fault_done(), and for the pace of the scanner. A page that faults stands
 * for those that were not made to: of its region, and of all that are at rest.
 */
static void note(struct an_thread *t, const struct an_process *p,
		 const struct an_fault *f, const struct an_past_state *was,
		 unsigned long pages)
{
	bool local = f->cpu_node == f->page_node;

	if (was->sample)
		pages = AN_REGION_PAGES / AN_BALLOT_SAMPLES;
	else if (was->at_rest && pages == 1)
		pages = AN_EACH_REST_ONE_IN;
	t->decided = true;
	t->knows = an_policy_knows(f);
	t->foreign = f->foreign;
	if (was->forgot)	/* more than it should if that is its first fault ever */
		t->weight = AN_AGAIN_ONE_IN;
	else
		t->weight = pages * (was->at_rest || was->hopeless ?
				     READ_ONCE(p->pace.rest_one_in) :
				     READ_ONCE(p->pace.one_in));
	an_tally(t, AN_T_FAULTS, 1);
	an_tally(t, AN_T_SEEN, t->weight);
	if (local)
		an_tally(t, AN_T_LOCAL, t->weight);
	if (!was->at_rest || was->mute)
		return;
	an_tally(t, AN_T_RESTED, pages);
	if (!local)
		an_tally(t, AN_T_ROUSED, pages);
}

/*
 * From decide() to fault(): what the thread waited for, a migration in its
 * fault included. Clocks of two CPUs may differ by a little.
 */
static void note_stall(struct an_thread *t)
{
	u64 now = local_clock();

	if (now > t->decided_ns)
		an_tally(t, AN_T_STALLED,
			 (now - t->decided_ns) >> AN_STALL_SHIFT);
}

static void say_fault(const struct an_fault *f, const struct an_span *span,
		      enum an_reason why)
{
	struct an_decision d = an_span_about(span, why);

	d.to = an_policy_target(f, why);
	d.last = f->last_node;
	an_decided(fault, &d);
}

/*
 * Not ours, or touched by a stranger (ptrace, ksmd, vhost): restored, and not counted
 * for one of ours that came to nothing before.
 */
static void forget_decided(void)
{
	struct an_thread *t = an_thread_find(current);

	if (t)
		t->decided = false;
}

/* The decide operation of the core hooks: contexts and locks are theirs. */
int an_fault_decide(struct vm_fault *vmf, unsigned long addr,
		    struct folio *folio, const nodemask_t *allowed)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct an_process *p = an_process_find(mm);
	struct an_fault f = {};
	struct an_thread *t;
	struct an_span span;
	enum an_reason why;
	struct an_past_state was = {};
	atomic64_t *votes;
	int last;

	if (!p || !an_running() || current->mm != mm) {
		forget_decided();
		return NUMA_NO_NODE;
	}
	t = an_thread_get(current);
	if (t) {
		t->queued_to = NUMA_NO_NODE;	/* of a fault that came to nothing */
		t->decided_ns = local_clock();
		an_thread_decay(t, p);
	}
	last = folio_xchg_last_cpupid(folio, this_cpupid());
	describe(&f, folio, last, allowed, p, t);
	f.from_user = vmf->flags & FAULT_FLAG_USER;
	f.wandering = t && wandering(t, f.cpu_node);
	f.expected = t && is_expected_back(p, t, f.cpu_node);
	was.at_rest = f.last_node == f.page_node;
	f.changed = use_changed(p);
	span = span_of(vmf, addr, folio);
	votes = an_regions_find(p, addr);
	f.mapped = vmf->vma->vm_flags & VM_SHARED;
	if (f.mapped)
		be_known(p);
	f.foreign = f.mapped && !f.same_task && used_by_others(p, last);
	f.lone = votes && !f.mapped && an_process_lone(p, current) &&
		 kept_on(p) == f.cpu_node;
	/* It was carried there, but is to stay: its memory need not wait. */
	if (f.lone)
		f.wandering = false;
	if (votes && span.pages != HPAGE_PMD_NR) {
		ask_region(&f, p, vmf->vma, addr, votes, &was);
	} else {
		weigh_past(&f, p, &was);
		if (votes && folio_test_anon(folio))
			ask_huge(&f, p, votes);
		else if (votes)
			ask_huge_mapped(&f, p, vmf->vma, addr, votes);
	}
	heed_claims(&f, p, vmf->vma, addr, folio);
	heed_leader(&f, p, addr, allowed);
	why = an_policy_fault(&f);
	if (an_policy_in_turn(&f, why))
		find_turn(&f, p, addr, allowed);
	if (t)
		note(t, p, &f, &was, folio_nr_pages(folio));
	an_count_reason(why, 1);
	if (an_watched(fault))
		say_fault(&f, &span, why);
	return act(why, &f, p, t, &span, folio_nr_pages(folio));
}

/*
 * The fault operation of the core hooks. @mem_node is where the memory is now;
 * a queued page counts where it is going, or the task would be sent after it.
 */
void an_fault_done(int last_cpupid, int mem_node, int pages, int flags)
{
	struct an_thread *t = an_thread_find(current);
	bool known, own;
	u32 shared;

	/* Only what decide() found to be this thread's own, in scope. */
	if (!t || !t->decided)
		return;
	t->decided = false;
	note_stall(t);
	an_count(AN_C_FAULTS, 1);
	if (flags & TNF_FAULT_LOCAL)
		an_count(AN_C_FAULTS_LOCAL, 1);
	if (flags & TNF_MIGRATED)
		an_migrated_by_fault(mem_node, pages);
	if (t->queued_to != NUMA_NO_NODE) {
		mem_node = t->queued_to;
		t->queued_to = NUMA_NO_NODE;
	}
	pages = t->weight;
	known = t->knows && !t->foreign;
	own = was_this_task(last_cpupid);
	if (known && own)
		WRITE_ONCE(t->known_private, t->known_private + pages);
	else if (known)
		WRITE_ONCE(t->known_shared, t->known_shared + pages);
	if (t->foreign)		/* what others use, too, draws the thread to where it is */
		shared = 0;
	else
		shared = known ? pages * !own : an_thread_shared_part(t, pages);
	WRITE_ONCE(t->nodes[2 * mem_node],
		   t->nodes[2 * mem_node] + pages - shared);
	WRITE_ONCE(t->nodes[2 * mem_node + 1],
		   t->nodes[2 * mem_node + 1] + shared);
}

/*
 * The apart operation of the core hooks: what was taken apart for its owners, or is
 * to tell who they are, is not put together again.
 */
bool an_fault_apart(struct mm_struct *mm, unsigned long addr)
{
	struct an_process *p = an_process_find(mm);
	atomic64_t *votes;

	if (!p || !an_running() || !moves_memory(p))
		return false;
	votes = an_regions_find(p, addr);
	if (!votes || !an_ballot_apart(atomic64_read(votes)))
		return false;
	an_regions_say_split(p, addr, AN_R_SPLIT_KEPT);
	return true;
}
