// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 1, knuma_scand: finds the processes to balance, walks their memory at
 * the pace of their own CPU time, counts pages per node and plants hinting
 * faults.
 *
 * One thread, so its state and the list of processes need no lock. It holds
 * mmap_lock for one chunk at a time, and mm_users never.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "balance.h"
#include "ballot.h"
#include "batch.h"
#include "claims.h"
#include "decision.h"
#include "lead.h"
#include "migrated.h"
#include "pace.h"
#include "queue.h"
#include "regions.h"
#include "rest.h"
#include "scand.h"
#include "scope.h"
#include "shared.h"
#include "stats.h"
#include "takeback.h"
#include "walk.h"
#include "trace.h"

/* How often scand looks at the processes it knows, and for new ones. */
#define TICK_MS			50
#define DISCOVER_MS		500

/* One page table: the most that is walked under one hold of mmap_lock. */
#define CHUNK			PMD_SIZE

/*
 * Chunks that share one TLB flush: the interrupt of every CPU of the process
 * is what a pass costs most. 64 MiB take about a millisecond to walk.
 */
#define BATCH_CHUNKS		32

/*
 * More than a quarter of a process's pages on their way are to arrive first. Not
 * less: as queues are not equally long, most workers would wait for the last one.
 */
#define BACKLOG_PART		4

/*
 * Nice value: a third of a task's weight. Beside two busy CPUs, the smallest usual
 * node, that is within the 17 % by which the load balancer lets nodes differ.
 */
#define SCAND_NICE		5

static struct task_struct *scand;

/* Set by who chooses, taken by scand. */
static bool roused;

/* Only scand: CPU time used and when, to stay within the budget. */
static u64 budget_runtime, budget_clock;

/*
 * All processes, dropping RCU in between: start with the caller's own group
 * leader, which is in the circular list and stays, and end on meeting it
 * again. A reference keeps @prev; if it has left the list, the walk ends
 * early and the rest is found the next time.
 */
static struct task_struct *next_process(struct task_struct *prev)
{
	struct task_struct *own = current->group_leader, *p = prev;
	struct task_struct *found = NULL;

	rcu_read_lock();
	while (pid_alive(prev) && (p = next_task(p)) != own) {
		if (an_scope_thread(p)) {
			found = get_task_struct(p);
			break;
		}
	}
	rcu_read_unlock();
	if (prev != own)
		put_task_struct(prev);
	return found;
}

static void say_skipped(pid_t tgid, enum an_reason why)
{
	struct an_decision d = an_about(tgid, why);

	an_decided(process_skipped, &d);
}

/* Returns AN_R_IN_SCOPE, or why not. */
static enum an_reason take(struct task_struct *leader, struct mm_struct *mm,
			   struct an_choice *choice)
{
	struct pid *pid = get_task_pid(leader, PIDTYPE_TGID);
	struct an_process *p = an_process_add(mm, pid, choice);
	struct an_decision d = an_about(pid_nr(pid), AN_R_IN_SCOPE);

	put_pid(pid);
	if (!p)
		return AN_R_SKIP_NO_MEMORY;
	an_decided(process_taken, &d);
	return AN_R_IN_SCOPE;
}

/* Returns whether the process is balanced already; if not, @why tells. */
static bool known(struct task_struct *leader, struct mm_struct *mm,
		  enum an_reason *why)
{
	struct an_activity act;
	bool found;

	rcu_read_lock();
	found = an_process_find(mm);
	if (!found) {
		an_scope_activity(leader, &act);
		*why = an_scope_check(leader, mm, &act);
	}
	rcu_read_unlock();
	return found;
}

static void skip(struct task_struct *leader, enum an_reason why)
{
	an_count_reason(why, 1);
	if (an_watched(process_skipped))
		say_skipped(task_tgid_nr(leader), why);
}

/* A process that was asked for, or not excluded. */
static void consider_wanted(struct task_struct *leader,
			    struct an_choice *choice)
{
	struct mm_struct *mm = an_scope_mm(leader);
	enum an_reason why;

	if (!mm)
		return;
	if (!known(leader, mm, &why)) {
		if (why == AN_R_NONE)
			why = take(leader, mm, choice);
		if (why == AN_R_IN_SCOPE)
			an_count_reason(why, 1);
		else
			skip(leader, why);
	}
	mmdrop(mm);
}

/* Take a process under balance, if it is in scope. */
static void consider(struct task_struct *leader)
{
	struct an_choice *choice;
	enum an_reason why;

	rcu_read_lock();
	choice = an_choice_get(an_choice_of(leader));
	rcu_read_unlock();
	why = an_scope_wanted(choice);
	if (why == AN_R_NONE)
		consider_wanted(leader, choice);
	else
		skip(leader, why);
	an_choice_put(choice);
}

static void discover(void)
{
	struct task_struct *p = current;

	while ((p = next_process(p))) {
		consider(p);
		cond_resched_tasks_rcu_qs();
	}
}

static void pass_begin(struct an_process *p, u64 cpu_ns)
{
	memset(p->counting, 0, nr_node_ids * sizeof(*p->counting));
	memset(p->settled, 0, nr_node_ids * sizeof(*p->settled));
	p->restless = 0;
	p->asked = 0;
	p->tries = false;
	p->scan_addr = 0;
	p->scanning = true;
	p->cpu_ns = cpu_ns;
	WRITE_ONCE(p->pass, p->pass + 1);
	atomic_long_set(&p->moved, atomic_long_read(&p->moved) / 2);
	if (!(p->pass % AN_TRIALS_PASSES))
		atomic_cmpxchg_relaxed(&p->trials, 0, 1);
}

static void pass_end(struct an_process *p)
{
	unsigned long resident = 0;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		WRITE_ONCE(p->pages[nid], p->counting[nid]);
		resident += p->counting[nid];
	}
	p->resident = resident;
	p->scanning = false;
	an_count(AN_C_SCAN_PASSES, 1);
}

/* Shall this pass make pages of this mapping fault? */
static enum an_reason vma_wanted(struct an_process *p,
				 struct vm_area_struct *vma)
{
	enum an_reason why = an_scope_vma(vma);

	if (why == AN_R_NONE && !an_shared_turn(vma, p))
		why = AN_R_VMA_NOT_ITS_TURN;
	return why;
}

static void skip_vma(const struct an_process *p,
		     struct vm_area_struct *vma, enum an_reason why)
{
	struct an_decision d;

	an_count_reason(why, 1);
	if (!an_watched(vma_skipped))
		return;
	d = an_about(pid_nr(p->pid), why);
	d.addr = vma->vm_start;
	d.pages = vma_pages(vma);
	an_decided(vma_skipped, &d);
}

/*
 * Does each page of the region have to fault for itself? Its pages have owners of
 * their own, or a fault can move no more than its own page.
 */
static bool page_by_page(const struct an_guide *g)
{
	return g->verdict == AN_V_TORN ||
	       (g->verdict == AN_V_GATHER &&
		READ_ONCE(an_params.migrate) == AN_MIGRATE_FAULT);
}

static void uphold_claim(struct an_process *p, const struct vm_area_struct *vma,
			 unsigned long addr, u64 votes, bool anew)
{
	if (an_claims_uphold(p, vma, addr, votes, anew))
		WRITE_ONCE(p->claimant.holds, true);
}

/*
 * A process goes on using what it does while others have their turn. Returns where to go
 * on: a GiB at once, as that is no work, and none at all for who has no claim.
 */
static unsigned long uphold_claims(struct an_process *p, const struct vm_area_struct *vma,
				   unsigned long addr)
{
	unsigned long end = min(ALIGN(addr + 1, 1UL << AN_BLOCK_SHIFT), vma->vm_end);
	atomic64_t *votes;

	if (!p->claimant.held)
		return vma->vm_end;
	for (; addr < end; addr = ALIGN(addr + 1, AN_REGION_SIZE)) {
		votes = an_regions_find(p, addr);
		if (!votes)
			break;		/* nor any other of this GiB */
		uphold_claim(p, vma, addr, atomic64_read(votes), false);
	}
	return end;
}

/* A pass comes by. Returns whether more ballots may tell who leads. */
static bool look_at_lead(atomic_t *lead)
{
	int old = atomic_read(lead), new;

	do {
		new = an_lead_looked(old);
	} while (new != old && !atomic_try_cmpxchg_relaxed(lead, &old, new));
	return an_lead_open(new);
}

/*
 * Of a process's own memory that several nodes share: which one uses it most? As long as
 * that may be found out, it is asked as often as what is open, but each page faults once
 * only, as it is known that they are shared.
 */
static void ask_leader(struct an_process *p, unsigned long addr, struct an_guide *g)
{
	int nid;

	if (g->verdict == AN_V_GATHER || g->verdict == AN_V_TORN)
		an_leads_forget(p, addr, g->verdict == AN_V_TORN);
	if (g->verdict != AN_V_SHARED ||
	    READ_ONCE(an_params.migrate) == AN_MIGRATE_FAULT)
		return;
	g->lead = an_leads_make(p, addr);
	if (!g->lead)
		return;
	g->open = look_at_lead(g->lead);
	g->redraw = g->redraw && !g->open;
	nid = an_leads_node(p, g->lead);
	if (nid != AN_NO_NODE) {
		g->verdict = AN_V_LED;
		g->node = nid;
	}
}

/* The votes on the region of @addr, NULL to look at it page by page. */
static atomic64_t *ask_region(struct an_process *p, struct vm_area_struct *vma,
			      unsigned long addr, struct an_guide *g)
{
	bool mapped = vma->vm_flags & VM_SHARED;
	atomic64_t *votes;
	union an_ballot b;

	memset(g, 0, sizeof(*g));
	votes = an_regions_make(p, addr);
	g->each = !votes;
	if (!votes)
		return NULL;
	b.word = atomic64_read(votes);
	g->mapped = mapped;
	g->unused = mapped && an_ballot_unused(b.word);
	if (mapped)
		uphold_claim(p, vma, addr, b.word, true);
	b.sparse = 0;
	g->verdict = an_ballot_verdict_of(b.word, mapped, &g->node);
	if (mapped)
		g->verdict = an_claims_heed(p, vma, addr, g->verdict, &g->node);
	g->each = page_by_page(g);
	g->again = g->verdict == AN_V_TORN && b.each;
	g->draw = an_ballot_next_draw(b.word);
	g->redraw = b.yes || b.last_yes;
	if (an_ballot_on_trial(b.word) && an_ballot_used(b.word))
		p->tries = true;
	if (!mapped)
		ask_leader(p, addr, g);
	return votes;
}

/* A draw of which no page can fault is done with. */
static u64 planted(u64 word, const struct an_guide *g)
{
	static const struct an_vote nobody = { .mute = true };

	if (g->huge)
		return an_ballot_asked(word);
	if (g->each && !g->sparse)
		return an_ballot_planted_each(word, g->verdict == AN_V_TORN,
					      g->mapped, g->asked);
	if (g->drawn)
		word = an_ballot_drawn(word, g->draw, g->rests, g->mapped);
	if (g->drawn && !g->found)
		word = an_ballot_vote(word, &nobody);
	return an_ballot_sparse(word, g->sparse);
}

static void note_planted(struct an_process *p, unsigned long addr,
			 atomic64_t *votes, const struct an_guide *g)
{
	s64 old, new;

	if (!votes)
		return;
	old = atomic64_read(votes);
	do {
		new = planted(old, g);
	} while (!atomic64_try_cmpxchg_relaxed(votes, &old, new));
	if (an_ballot_on_trial(old) && !an_ballot_on_trial(new))
		an_regions_say_split(p, addr, AN_R_SPLIT_VAIN);
}

/* It was asked who leads; or who did has left, and it is to be asked anew. */
static void note_lead(struct an_process *p, const struct an_guide *g,
		      unsigned long pages)
{
	int old, new;

	if (g->left)
		atomic_set(g->lead, 0);
	if (!g->open || !g->drawn)
		return;
	p->asked += pages;
	old = atomic_read(g->lead);
	do {
		new = an_lead_asked(old);
	} while (!atomic_try_cmpxchg_relaxed(g->lead, &old, new));
}

/* Pages for which each stands that was made to fault. */
static unsigned long stands_for(const struct an_guide *g)
{
	return g->drawn ? AN_REGION_PAGES / AN_BALLOT_SAMPLES : 1;
}

/*
 * What a process maps but does not use is others' memory: its pages that were made to
 * fault mostly still will. But they may have been mapped anew, when moved: a look in
 * so many passes, whichever of them are those that have a turn.
 */
#define UNUSED_BITS	3

static bool left_to_others(const struct an_process *p, unsigned long addr,
			   const struct an_guide *g)
{
	return g->unused &&
	       (hash_32(p->pass, UNUSED_BITS) + addr / AN_REGION_SIZE) %
		       (1 << UNUSED_BITS);
}

/* Where the pass goes on behind this chunk, or 0 where nothing is left. */
static unsigned long plant_chunk(struct an_process *p, unsigned long addr,
				 struct an_plant *plant)
{
	struct vm_area_struct *vma = find_vma(p->mm, addr);
	unsigned long start, end, planted = plant->planted, counted = plant->counted;
	enum an_reason why;
	atomic64_t *votes;

	if (!vma)
		return 0;
	why = vma_wanted(p, vma);
	if (why == AN_R_VMA_NOT_ITS_TURN) {
		end = uphold_claims(p, vma, max(addr, vma->vm_start));
		if (end < vma->vm_end)
			return end;
	}
	if (why != AN_R_NONE) {
		skip_vma(p, vma, why);
		return vma->vm_end;
	}
	start = an_walk_next(vma, max(addr, vma->vm_start));
	if (start == vma->vm_end)
		return start;
	end = min(ALIGN(start + 1, CHUNK), vma->vm_end);
	votes = ask_region(p, vma, start, &plant->guide);
	if (left_to_others(p, start, &plant->guide))
		return end;
	an_walk_plant(vma, start, end, plant);
	an_shared_walked(vma, (plant->planted - planted) * stands_for(&plant->guide));
	plant->guide.asked = plant->planted > planted || plant->counted == counted;
	note_planted(p, start, votes, &plant->guide);
	note_lead(p, &plant->guide, plant->counted - counted);
	return end;
}

static void hold(const struct an_process *p, enum an_reason why)
{
	struct an_decision d = an_about(p ? pid_nr(p->pid) : 0, why);

	an_count_reason(why, 1);
	if (an_watched(scan_held))
		an_decided(scan_held, &d);
}

enum an_chunk { CHUNK_DONE, CHUNK_LAST, CHUNK_BUSY, CHUNK_DEAD };

static enum an_chunk scan_chunk(struct an_process *p, struct an_plant *plant)
{
	unsigned long next = p->scan_addr, counted = plant->counted;
	struct mm_struct *mm = p->mm;

	if (!mmap_read_trylock(mm)) {
		an_count(AN_C_SCAN_LOCK_BUSY, 1);
		hold(p, AN_R_HELD_LOCK);
		return CHUNK_BUSY;
	}
	if (!an_walk_may(mm)) {
		mmap_read_unlock(mm);
		return CHUNK_DEAD;
	}
	/* Unsuitable mappings cost a look, not a chunk. */
	do {
		next = plant_chunk(p, next, plant);
	} while (next && plant->counted == counted &&
		 !mmap_lock_is_contended(mm) && !need_resched() &&
		 !kthread_should_stop());
	mmap_read_unlock(mm);
	p->scan_addr = next;
	return next ? CHUNK_DONE : CHUNK_LAST;
}

static void say_planted(const struct an_process *p, enum an_reason why,
			unsigned long pages, const struct an_plant *plant)
{
	struct an_decision d = an_about(pid_nr(p->pid), why);

	if (!pages)
		return;
	an_count_reason(why, 1);
	d.addr = plant->first;
	d.pages = pages;
	if (an_watched(planted))
		an_decided(planted, &d);
}

static void book_planted(struct an_process *p, const struct an_plant *plant)
{
	say_planted(p, AN_R_PLANT_RESTLESS, plant->planted - plant->samples,
		    plant);
	say_planted(p, AN_R_PLANT_SAMPLE, plant->samples, plant);
	p->restless += plant->restless;
	an_count(AN_C_SCAN_COUNTED, plant->counted);
	an_count(AN_C_SCAN_PLANTED, plant->planted);
	WRITE_ONCE(p->planted, p->planted + plant->planted);
	count_vm_numa_events(NUMA_PTE_UPDATES, plant->planted);
	count_vm_numa_events(NUMA_HUGE_PTE_UPDATES, plant->huge);
	count_memcg_events_mm(p->mm, NUMA_PTE_UPDATES, plant->planted);
}

/* Some chunks, each under its own hold of mmap_lock, and one TLB flush. */
static enum an_chunk scan_batch(struct an_process *p)
{
	struct an_plant plant = {
		.counting = p->counting,
		.settled = p->settled,
		.home = p->home,
		.where = p->where,
		.pass = p->pass,
		.one_in = p->pace.one_in,
		.rest_one_in = p->pace.rest_one_in,
		.random = get_random_u32() | 1,
	};
	enum an_chunk result;
	int chunk = 0;
	u64 start;

	an_walk_begin(p->mm, &plant);
	do {
		result = scan_chunk(p, &plant);
	} while (result == CHUNK_DONE && ++chunk < BATCH_CHUNKS &&
		 !need_resched());
	start = an_busy_clock();
	if (an_walk_end(p->mm, &plant))
		WRITE_ONCE(p->flush_ns,
			   an_policy_batch_average(p->flush_ns, an_busy_since(start)));
	book_planted(p, &plant);
	return result;
}

static void budget_start(void)
{
	budget_runtime = READ_ONCE(current->se.sum_exec_runtime);
	budget_clock = ktime_get_ns();
}

/* Sleep off what exceeds the budget: so many percent of all CPUs. */
static void keep_budget(void)
{
	u64 pct = READ_ONCE(an_params.scan_budget_pct) * num_online_cpus();
	u64 used, elapsed, due;

	used = READ_ONCE(current->se.sum_exec_runtime) - budget_runtime;
	elapsed = ktime_get_ns() - budget_clock;
	due = div64_u64(used * 100, pct);
	if (due > elapsed + NSEC_PER_MSEC) {
		hold(NULL, AN_R_HELD_BUDGET);
		schedule_timeout_interruptible(nsecs_to_jiffies(due - elapsed));
	}
	if (elapsed > NSEC_PER_SEC)	/* no credit for idle seconds */
		budget_start();
}

/* Of the choice's own budget, on top of the module's. */
static void spend_budget(struct an_choice *c, u64 used)
{
	u64 now = ktime_get_ns(), pct;

	if (!c || !c->asked.scan_budget_pct)
		return;
	pct = (u64)c->asked.scan_budget_pct * num_online_cpus();
	c->scan_ns = max(c->scan_ns, now) + div64_u64(used * 100, pct);
}

static bool budget_spent(const struct an_process *p)
{
	if (!p->choice || p->choice->scan_ns <= ktime_get_ns() + NSEC_PER_MSEC)
		return false;
	hold(p, AN_R_HELD_BUDGET);
	return true;
}

/* Has the process earned its next pass? CPU time per running thread counts. */
static bool pass_due(struct an_process *p, const struct an_activity *act)
{
	u64 elapsed = jiffies_to_nsecs(jiffies - p->seen_jiffies);
	u64 used = act->cpu_ns - min(act->cpu_ns, p->seen_ns);

	if (elapsed)
		p->threads = clamp_t(u64, div64_u64(used + elapsed / 2, elapsed),
				     1, act->threads);
	p->seen_ns = act->cpu_ns;
	p->seen_jiffies = jiffies;
	if (act->cpu_ns < p->cpu_ns)	/* threads that ended took theirs along */
		p->cpu_ns = act->cpu_ns;
	return act->cpu_ns - p->cpu_ns >=
	       (u64)p->pace.period_ms * NSEC_PER_MSEC * p->threads;
}

/* What a look at the threads of a process finds. */
struct look {
	enum an_reason scope;
	u64 cpu_ns;
	bool due;
};

static void look_at(struct an_process *p, struct look *look)
{
	struct task_struct *leader, *user;
	struct an_activity act;

	look->scope = AN_R_SKIP_GONE;
	look->due = false;
	rcu_read_lock();
	leader = an_process_leader(p);
	user = leader ? an_scope_thread(leader) : NULL;
	/* It may have been born with another process's memory, and have left that by exec. */
	if (user && READ_ONCE(user->mm) == p->mm && an_walk_may(p->mm)) {
		an_scope_activity(leader, &act);
		look->scope = an_scope_check(leader, p->mm, &act);
		if (an_choice_of(leader) != p->choice)
			look->scope = AN_R_SKIP_CHANGED;
		else if (an_scope_wanted(p->choice) != AN_R_NONE)
			look->scope = an_scope_wanted(p->choice);
		look->cpu_ns = act.cpu_ns;
		if (an_pace_collect(p, leader) || xchg(&p->home_changed, false))
			an_pace_rearm(p);
		an_pace_look(p);
		look->due = pass_due(p, &act);
	}
	rcu_read_unlock();
}

/* Once in, a process that shrinks or whose threads are young stays in. */
static bool leaves_scope(enum an_reason scope)
{
	return scope != AN_R_NONE && scope != AN_R_SKIP_SMALL &&
	       scope != AN_R_SKIP_YOUNG;
}

static void finish_pass(struct an_process *p)
{
	struct task_struct *leader;

	pass_end(p);
	rcu_read_lock();
	leader = an_process_leader(p);
	if (leader)
		an_pace_pass_ended(p, leader);
	rcu_read_unlock();
}

/*
 * While much is waiting to be moved, or may not be moved yet, another pass would
 * only make the same pages fault again.
 */
static bool backlogged(const struct an_process *p)
{
	if (atomic_long_read(&p->queued) > (long)p->resident / BACKLOG_PART)
		hold(p, AN_R_HELD_BACKLOG);
	else if (an_choice_rate_spent(p->choice))
		hold(p, AN_R_HELD_RATE);
	else if (an_pace_tasks_first(p))
		hold(p, AN_R_HELD_TASKS);
	else
		return false;
	return true;
}

static void start_pass(struct an_process *p, u64 cpu_ns)
{
	struct task_struct *leader;
	struct an_decision d = an_about(pid_nr(p->pid), p->roused_now ?
					AN_R_SCAN_ROUSED : AN_R_SCAN_EARNED);

	p->roused_now = false;
	pass_begin(p, cpu_ns);
	rcu_read_lock();
	leader = an_process_leader(p);
	if (leader)
		an_pace_pass_begins(p, leader);
	rcu_read_unlock();
	d.pages = p->resident;
	an_count_reason(d.why, 1);
	an_decided(scan_start, &d);
}

enum attention { AN_FORGET, AN_IDLE, AN_SOON, AN_MORE };

/* mmap_lock not had so many times in a row: at the next tick. */
#define MAX_BUSY		10

static enum attention forget(const struct an_process *p, enum an_reason why)
{
	an_count_reason(why, 1);
	say_skipped(pid_nr(p->pid), why);
	return AN_FORGET;
}

/* One process, one turn: a batch of its pass, so that all get on. */
static enum attention attend(struct an_process *p)
{
	struct look look;

	if (time_after_eq(jiffies, p->seen_jiffies + msecs_to_jiffies(TICK_MS))) {
		look_at(p, &look);
		if (leaves_scope(look.scope))
			return forget(p, look.scope);
		if (p->mode == AN_MODE_REST)
			return AN_IDLE;
		if (look.due && !p->scanning && !backlogged(p))
			start_pass(p, look.cpu_ns);
	}
	if (!p->scanning || budget_spent(p))
		return AN_IDLE;
	switch (scan_batch(p)) {
	case CHUNK_DEAD:
		return forget(p, AN_R_SKIP_GONE);
	case CHUNK_LAST:
		finish_pass(p);
		return AN_IDLE;
	case CHUNK_BUSY:
		if (p->busy++ < MAX_BUSY)
			return AN_SOON;
		p->busy = 0;
		return AN_IDLE;
	default:
		p->busy = 0;
		return AN_MORE;
	}
}

/* So many ns of CPU time were for the process. Context: knuma_scand. */
void an_scand_charge(struct an_process *p, u64 used)
{
	WRITE_ONCE(p->scand_ns, p->scand_ns + used);
	spend_budget(p->choice, used);
	an_count(AN_C_SCAND_NS, used);
}

/* The CPU time is the process's; what may sleep books its own. */
static enum attention attend_charged(struct an_process *p)
{
	enum attention result;
	u64 start;

	an_rest_apply(p);
	start = an_busy_clock();
	result = attend(p);
	an_scand_charge(p, an_busy_since(start));
	return result;
}

/*
 * A process that is balanced no more keeps nothing of it. Its planted entries
 * are restored once no fault of it is acted upon any more.
 */
static void leave(struct an_process *p, struct list_head *dead)
{
	WRITE_ONCE(p->mode, AN_MODE_REST);
	an_balance_forget(p);
	an_scand_charge(p, an_take_back_from(p->mm));
	an_process_unlink(p, dead);
}

/*
 * Those that died wait for a grace period, and nobody for them: where programs come
 * and go by the dozen each round would take one.
 */
static LIST_HEAD(fresh_dead);
static LIST_HEAD(dead);
static unsigned long dead_since;

static void bury(void)
{
	if (!list_empty(&dead)) {
		if (!poll_state_synchronize_rcu(dead_since))
			return;
		an_process_reap(&dead);
	}
	list_splice_init(&fresh_dead, &dead);
	if (!list_empty(&dead))
		dead_since = start_poll_synchronize_rcu();
}

static void bury_all(void)
{
	list_splice_init(&fresh_dead, &dead);
	if (list_empty(&dead))
		return;
	synchronize_rcu();
	an_process_reap(&dead);
}

/* Returns what comes next: at once, soon, or at the next tick. */
static enum attention attend_all(void)
{
	enum attention all = AN_IDLE, result;
	struct an_process *p, *next;

	list_for_each_entry_safe(p, next, &an_processes, list) {
		if (kthread_should_stop())
			break;
		result = attend_charged(p);
		if (result == AN_FORGET)
			leave(p, &fresh_dead);
		else
			all = max(all, result);
		keep_budget();
		cond_resched_tasks_rcu_qs();
	}
	bury();
	return all;
}

/* Something was asked for: look at all processes at the next tick. */
void an_scand_rouse(void)
{
	WRITE_ONCE(roused, true);
}

static bool discovery_due(unsigned long discovered)
{
	return xchg(&roused, false) ||
	       time_after_eq(jiffies, discovered + msecs_to_jiffies(DISCOVER_MS));
}

/* A lock is free again before long. */
static void rest_until(enum attention next)
{
	if (next == AN_SOON)
		schedule_timeout_interruptible(1);
	else if (next == AN_IDLE)
		schedule_timeout_interruptible(msecs_to_jiffies(TICK_MS));
}

static int scand_main(void *unused)
{
	unsigned long discovered = jiffies - msecs_to_jiffies(DISCOVER_MS);

	budget_start();
	while (!kthread_should_stop()) {
		if (discovery_due(discovered)) {
			an_migrated_adjust();
			discover();
			keep_budget();
			discovered = jiffies;
		}
		rest_until(attend_all());
	}
	bury_all();
	return 0;
}

int an_scand_start(void)
{
	scand = kthread_run(scand_main, NULL, "knuma_scand");
	if (IS_ERR(scand))
		return PTR_ERR(scand);
	set_user_nice(scand, SCAND_NICE);
	return 0;
}

void an_scand_stop(void)
{
	kthread_stop(scand);
	scand = NULL;
}

