// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 4, CPU follows memory: knuma_balanced takes a snapshot, asks the
 * policy, carries out its moves and swaps, and verifies each of them.
 *
 * In a kernel thread of its own, not in the scheduler's hot paths. The load
 * balancer keeps the last word: what it takes away is counted, not fought.
 */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <trace/events/sched.h>
#include "autonuma.h"
#include "balance.h"
#include "decision.h"
#include "forecast.h"
#include "migrated.h"
#include "probe.h"
#include "snapshot.h"
#include "stats.h"
#include "trace.h"

static struct task_struct *balanced;

/* knuma_balanced's own. */
static struct an_view view;

/*
 * Held while this gear sets its marks, homes and preferred nodes, and while they
 * are taken off: a view is older than that, so whoever sets one looks first
 * whether the process may have it yet. Outside of the CPU hotplug lock.
 */
static DEFINE_MUTEX(marks_mutex);

/* jiffies: when the last round began that had no step to take. knuma_balanced writes. */
static unsigned long looked_jiffies;

static bool core_idle(int cpu)
{
	int sibling;

	for_each_cpu(sibling, topology_sibling_cpumask(cpu))
		if (!idle_cpu(sibling))
			return false;
	return true;
}

/* An idle CPU of @nid where @p may run: of an idle core if there is one. */
static int pick_idle_cpu(const struct task_struct *p, int nid)
{
	int cpu, found = -1;

	for_each_cpu_and(cpu, cpumask_of_node(nid), p->cpus_ptr) {
		if (!an_cpu_usable(cpu) || !idle_cpu(cpu))
			continue;
		if (core_idle(cpu))
			return cpu;
		found = cpu;
	}
	return found;
}

/*
 * For a move between crowded nodes: any CPU, in turn. The load balancer evens
 * out within the node, which it does at every tick and we could only guess.
 */
static int pick_busy_cpu(const struct task_struct *p, int nid)
{
	static int turn = -1;
	int cpu;

	for_each_cpu_wrap(cpu, cpumask_of_node(nid), turn + 1) {
		if (!cpumask_test_cpu(cpu, p->cpus_ptr) || !an_cpu_usable(cpu))
			continue;
		turn = cpu;
		return cpu;
	}
	return -1;
}

static void prefer(struct task_struct *p, int nid)
{
	if (READ_ONCE(p->numa_preferred_nid) != nid)
		sched_setnuma(p, nid);
}

/*
 * Verified: remember it, so that undoing it is seen. Who made way for another and
 * is to go on from there need not stay.
 */
static void book_move(struct task_struct *p, int nid, bool goes_on)
{
	struct an_thread *t;

	rcu_read_lock();
	t = an_thread_find(p);
	if (t)
		t->failed = 0;
	if (t && goes_on) {
		t->moved_to = NUMA_NO_NODE;
	} else if (t) {
		t->moved_to = nid;
		t->stay_away = 0;
		t->moved_jiffies = jiffies ?: 1;
		WRITE_ONCE(t->left_why, AN_R_NONE);
	}
	rcu_read_unlock();
}

/*
 * What does not come about again and again must not keep others from being moved: the
 * policy knows nodes, not which of their CPUs a task may run on.
 */
static void book_failure(const struct task_struct *p)
{
	struct an_thread *t;

	rcu_read_lock();
	t = an_thread_find(p);
	if (t) {
		t->failed = min(t->failed + 1, U8_MAX);
		t->failed_jiffies = jiffies;
	}
	rcu_read_unlock();
}

/* AN_R_NONE: done, and verified. Else a reason of step_failed. */
static enum an_reason move(struct task_struct *p, const struct an_step *step)
{
	int cpu;

	if (an_task_nid(p) != step->from)
		return AN_R_STEP_LEFT;
	cpu = pick_idle_cpu(p, step->to);
	if (cpu < 0 && step->reason == AN_R_MOVE_EVEN)
		cpu = pick_busy_cpu(p, step->to);
	if (cpu < 0)
		return AN_R_STEP_NO_CPU;
	prefer(p, step->to);
	if (migrate_task_to(p, cpu))
		return AN_R_STEP_REFUSED;
	if (an_task_nid(p) != step->to)
		return AN_R_STEP_ELSEWHERE;
	book_move(p, step->to, false);
	an_count(AN_C_TASK_MOVES, 1);
	return AN_R_NONE;
}

/* As move(). */
static enum an_reason swap_tasks(struct task_struct *p, struct task_struct *q,
				 const struct an_step *step)
{
	int p_cpu = task_cpu(p), q_cpu = task_cpu(q);

	if (cpu_to_node(p_cpu) != step->from || cpu_to_node(q_cpu) != step->to)
		return AN_R_STEP_LEFT;
	if (!an_cpu_usable(p_cpu) || !an_cpu_usable(q_cpu))
		return AN_R_STEP_NO_CPU;
	prefer(p, step->to);
	prefer(q, step->from);
	if (migrate_swap(p, q, q_cpu, p_cpu))
		return AN_R_STEP_REFUSED;
	if (an_task_nid(p) != step->to || an_task_nid(q) != step->from)
		return AN_R_STEP_ELSEWHERE;
	book_move(p, step->to, false);
	book_move(q, step->from, step->other_goes_on);
	an_count(AN_C_TASK_SWAPS, 1);
	return AN_R_NONE;
}

static void say_step(const struct an_step *step, const struct task_struct *p,
		     const struct task_struct *q, enum an_reason failed)
{
	struct an_decision d = an_about(p->tgid, failed ?: step->reason);

	d.pid = p->pid;
	d.other = q ? q->pid : 0;
	d.from = step->from;
	d.to = step->to;
	d.gain = step->gain;
	d.part = step->part;
	an_count_reason(d.why, 1);
	if (failed)
		an_decided(step_failed, &d);
	else if (q)
		an_decided(swap, &d);
	else
		an_decided(move, &d);
}

/*
 * May thread @i of the view be acted on? Its process may have left since, or
 * rest, or be another one. Context: marks_mutex.
 */
static bool may_act_on(u32 i)
{
	const struct an_process *p;
	bool may;

	rcu_read_lock();
	p = an_process_find(view.mms[view.s.tasks[i].proc]);
	may = p && p->pid == task_tgid(view.refs[i]) &&
	      READ_ONCE(p->mode) == AN_MODE_ACT;
	rcu_read_unlock();
	return may;
}

/*
 * AN_R_NONE, or a reason of step_failed. The new node is preferred before the task
 * moves: else the load balancer takes it back to the old one, as a gain, before the
 * step is verified. Context: marks_mutex.
 */
static enum an_reason take_step(const struct an_step *step,
				struct task_struct *p, struct task_struct *q)
{
	int p_was = READ_ONCE(p->numa_preferred_nid);
	int q_was = q ? READ_ONCE(q->numa_preferred_nid) : NUMA_NO_NODE;
	enum an_reason failed;

	if (!may_act_on(step->task) || (q && !may_act_on(step->other)))
		return AN_R_STEP_LEFT;
	failed = q ? swap_tasks(p, q, step) : move(p, step);
	if (!failed)
		return AN_R_NONE;
	prefer(p, p_was);
	if (q)
		prefer(q, q_was);
	return failed;
}

static void carry_out(const struct an_step *step)
{
	struct task_struct *p = view.refs[step->task], *q = NULL;
	enum an_reason failed;

	if (step->other != AN_NO_TASK)
		q = view.refs[step->other];
	failed = take_step(step, p, q);
	if (failed)
		an_count(AN_C_TASK_STEPS_FAILED, 1);
	if (failed && failed != AN_R_STEP_LEFT)
		book_failure(p);
	say_step(step, p, q, failed);
}

static void note_stays(struct an_thread *t, int nid, int preferred,
		       enum an_reason why)
{
	bool away = preferred != NUMA_NO_NODE && preferred != nid;

	t->stay_away = away ? min(t->stay_away + 1, U8_MAX) : 0;
	if (t->stay_node == NUMA_NO_NODE)	/* new: it may have inherited it */
		t->stay_away = U8_MAX;
	if (t->stay_node != nid || !an_policy_kept(why))
		t->stay_kept = 0;
	t->stay_node = nid;
	t->stay_kept = min(t->stay_kept + an_policy_kept(why), U8_MAX);
	WRITE_ONCE(t->stay, why);
}

/* Why thread @i of the view stays where it is: counted, noted, told. */
static void say_stays(u32 i)
{
	struct task_struct *p = view.refs[i];
	struct an_decision d;
	struct an_thread *t;
	enum an_reason why;
	u32 best;

	why = an_policy_why_not(&view.s, i, &best);
	if (why == AN_R_COOLING && view.s.tasks[i].held)
		why = AN_R_DRY_RUN;
	an_count_reason(why, 1);
	rcu_read_lock();
	t = an_thread_find(p);
	if (t) {
		note_stays(t, view.s.tasks[i].node,
			   READ_ONCE(p->numa_preferred_nid), why);
		WRITE_ONCE(t->best, why == AN_R_NO_EVIDENCE ? NUMA_NO_NODE :
							      (int)best);
	}
	rcu_read_unlock();
	if (!an_watched(stay))
		return;
	d = an_about(p->tgid, why);
	d.pid = p->pid;
	d.from = view.s.tasks[i].node;
	d.to = best;
	an_decided(stay, &d);
}

/* Is thread @i part of one of the @nr steps? There are few of these. */
static bool in_step(u32 i, u32 nr)
{
	const struct an_step *step;

	for (step = view.steps; step < view.steps + nr; step++)
		if (step->task == i || step->other == i)
			return true;
	return false;
}

static void say_who_stays(u32 nr_steps)
{
	u32 i;

	for (i = 0; i < view.s.nr_tasks; i++)
		if (!in_step(i, nr_steps))
			say_stays(i);
}

/* Charges a part of a round to the process that mm identifies. */
static void charge_process(const struct mm_struct *mm, u64 ns)
{
	struct an_process *p = an_process_find(mm);

	if (p)
		WRITE_ONCE(p->balanced_ns, p->balanced_ns + ns);
}

/* The CPU time of a round is its processes', by their threads in the view. */
static void charge(u64 ns)
{
	const struct an_task *tasks = view.s.tasks;
	u32 first, next, nr = view.s.nr_tasks;

	an_count(AN_C_BALANCED_NS, ns);
	rcu_read_lock();
	for (first = 0; first < nr; first = next) {
		next = first + 1;
		while (next < nr && tasks[next].proc == tasks[first].proc)
			next++;
		charge_process(view.mms[tasks[first].proc],
			       div_u64(ns * (next - first), nr));
	}
	rcu_read_unlock();
}

/* Let the fault path see where each process belongs. Context: marks_mutex. */
static void publish_homes(void)
{
	u32 i, word, words = BITS_TO_LONGS(nr_node_ids);
	const struct an_proc *proc;
	struct an_process *p;

	rcu_read_lock();
	for (i = 0; i < view.s.nr_procs; i++) {
		proc = &view.s.procs[i];
		p = an_process_find(view.mms[i]);
		if (!p || READ_ONCE(p->mode) == AN_MODE_REST)
			continue;
		if (!bitmap_equal(p->home, proc->home, nr_node_ids))
			WRITE_ONCE(p->home_changed, true);
		for (word = 0; word < words; word++) {
			WRITE_ONCE(p->home[word], proc->home[word]);
			WRITE_ONCE(p->core[word], proc->core[word]);
		}
	}
	rcu_read_unlock();
}

/* What say_stays() noted. Returns false without a record of the thread. */
static bool recall_stay(const struct task_struct *p, struct an_stay *stay)
{
	const struct an_thread *t;

	rcu_read_lock();
	t = an_thread_find(p);
	if (t)
		*stay = (struct an_stay){
			.why = t->stay,
			.kept = t->stay_kept,
			.away = t->stay_away,
			.preferred = READ_ONCE(p->numa_preferred_nid),
			.follows = READ_ONCE(an_params.migrate) != AN_MIGRATE_OFF,
		};
	rcu_read_unlock();
	return t;
}

/*
 * The preferred node guides the load balancer and wake-ups. Who has taken a step
 * got his by that, unless it failed; who has left since the view is judged in the
 * next round. Context: marks_mutex.
 */
static void publish_preferred(u32 nr_steps)
{
	struct task_struct *p;
	struct an_stay stay;
	u32 i;

	for (i = 0; i < view.s.nr_tasks; i++) {
		p = view.refs[i];
		if (!may_act_on(i))
			continue;
		if (in_step(i, nr_steps)) {
			if (an_task_nid(p) != READ_ONCE(p->numa_preferred_nid))
				prefer(p, NUMA_NO_NODE);
		} else if (an_task_nid(p) == view.s.tasks[i].node &&
			   recall_stay(p, &stay)) {
			prefer(p, an_policy_preferred(&view.s, i, &stay));
		}
	}
}

/*
 * The first touch of a page tells nothing of who shares it: a forecast waits until
 * 1/4 of the faults are on pages with a known past. Of samples half are.
 */
#define KNOWN_NUM	1
#define KNOWN_DEN	4

static bool mostly_known(const struct an_process *p)
{
	struct task_struct *leader = an_process_leader(p), *task;
	u64 known = 0, all = 0;
	struct an_thread *t;
	int i;

	if (!leader)
		return false;
	for_each_thread(leader, task) {
		t = an_thread_find(task);
		if (!t)
			continue;
		known += READ_ONCE(t->known_private) +
			 (u64)READ_ONCE(t->known_shared);
		for (i = 0; i < 2 * nr_node_ids; i++)
			all += READ_ONCE(t->nodes[i]);
	}
	return known * KNOWN_DEN >= all * KNOWN_NUM;
}

/*
 * A forecast plays through what would come, for all: several times what a round takes.
 * Who asks for one looks at it now and then.
 */
#define FORECAST_MS	2000

/* knuma_balanced's own, jiffies: the next forecast is due. */
static unsigned long forecast_jiffies;

static bool forecast_due(void)
{
	if (!view.nr_dry || time_before(jiffies, forecast_jiffies))
		return false;
	forecast_jiffies = jiffies + msecs_to_jiffies(FORECAST_MS);
	return true;
}

/* The CPU time of a forecast is that of those who asked for it. */
static void charge_dry(u64 ns)
{
	u32 i;

	an_count(AN_C_BALANCED_NS, ns);
	rcu_read_lock();
	for (i = 0; i < view.s.nr_procs; i++)
		if (view.s.procs[i].dry)
			charge_process(view.mms[i], div_u64(ns, view.nr_dry));
	rcu_read_unlock();
}

/* What a dry run may expect, for who asks. Overwrites the policy's scratch. */
static void publish_forecasts(void)
{
	void *scratch = kvmalloc(an_forecast_scratch(&view.s), GFP_KERNEL);
	struct an_share *shares;
	struct an_process *p;
	u32 i;

	shares = kvmalloc_array(view.s.nr_procs, sizeof(*shares), GFP_KERNEL);
	if (!scratch || !shares) {
		an_count(AN_C_NO_MEMORY, 1);
		goto out;
	}
	an_forecast(&view.s, scratch, shares);
	rcu_read_lock();
	for (i = 0; i < view.s.nr_procs; i++) {
		p = an_process_find(view.mms[i]);
		if (p && view.s.procs[i].dry && mostly_known(p))
			WRITE_ONCE(p->forecast_pm, shares[i].then_pm);
	}
	rcu_read_unlock();
out:
	kvfree(shares);
	kvfree(scratch);
}

/* For gear 3: a worker on a node whose CPUs threads wait for would take turns with them. */
static void publish_crowds(void)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		an_migrated_crowd(nid, view.s.nodes[nid].capacity, view.wanted[nid]);
}

/* Moves and swaps, then where everybody else is kept. */
static void act(u32 nr_steps)
{
	u32 i;

	mutex_lock(&marks_mutex);
	cpus_read_lock();
	for (i = 0; i < nr_steps && !kthread_should_stop(); i++)
		carry_out(&view.steps[i]);
	cpus_read_unlock();
	publish_preferred(nr_steps);
	mutex_unlock(&marks_mutex);
}

/* A pass over very many tasks takes longer than others should wait for this CPU. */
static void breathe(void)
{
	cond_resched();
}

static void balance_round(void)
{
	u64 start = an_busy_clock();
	unsigned long began = jiffies;
	u32 nr;

	if (an_view_take(&view)) {
		an_count(AN_C_NO_MEMORY, 1);
		return;
	}
	publish_crowds();
	an_policy_weigh(&view.s);
	an_policy_homes(&view.s);
	mutex_lock(&marks_mutex);
	publish_homes();
	mutex_unlock(&marks_mutex);
	nr = an_policy_balance(&view.s, view.steps);
	cond_resched();
	say_who_stays(nr);
	act(nr);
	charge(an_busy_since(start));
	if (forecast_due()) {
		start = an_busy_clock();
		publish_forecasts();
		charge_dry(an_busy_since(start));
	}
	an_view_drop(&view);
	if (!nr)
		WRITE_ONCE(looked_jiffies, began);
}

/**
 * an_balance_looked_since - has this gear had its say on what was known then
 * @when: jiffies
 *
 * Context: any. Return: whether it has found no step to take, or is switched off.
 */
bool an_balance_looked_since(unsigned long when)
{
	return !READ_ONCE(an_params.balance) ||
	       time_after(READ_ONCE(looked_jiffies), when);
}

/* Context: marks_mutex, RCU read side; takes run-queue locks, one at a time. */
static void forget(struct an_process *p)
{
	struct task_struct *leader = an_process_leader(p), *t;
	u32 word;

	for (word = 0; word < BITS_TO_LONGS(nr_node_ids); word++) {
		WRITE_ONCE(p->home[word], 0);
		WRITE_ONCE(p->core[word], 0);
	}
	if (!leader)
		return;
	for_each_thread(leader, t)
		prefer(t, NUMA_NO_NODE);
}

/**
 * an_balance_forget - take this gear's marks off a process and its threads
 * @p: the process, whose mode is AN_MODE_REST: so it gets no new ones
 *
 * Context: who keeps the process. Sleeps, for the moves of one round at most.
 */
void an_balance_forget(struct an_process *p)
{
	mutex_lock(&marks_mutex);
	rcu_read_lock();
	forget(p);
	rcu_read_unlock();
	mutex_unlock(&marks_mutex);
}

/* balance=0: the gear's marks go away. */
static void forget_all(void)
{
	struct an_process *p;

	mutex_lock(&marks_mutex);
	rcu_read_lock();
	list_for_each_entry_rcu(p, &an_processes, list)
		forget(p);
	rcu_read_unlock();
	mutex_unlock(&marks_mutex);
}

/* In slices, as the period may be made shorter meanwhile, or balance switched. */
static void sleep_period(void)
{
	unsigned long start = jiffies, period;
	bool balance = READ_ONCE(an_params.balance);

	do {
		period = msecs_to_jiffies(READ_ONCE(an_params.balance_period_ms));
		schedule_timeout_interruptible(min(period, HZ / 4UL));
	} while (!kthread_should_stop() &&
		 balance == READ_ONCE(an_params.balance) &&
		 time_before(jiffies, start + period));
}

static int balanced_main(void *unused)
{
	bool marked = false;

	while (!kthread_should_stop()) {
		if (READ_ONCE(an_params.balance)) {
			balance_round();
			marked = true;
		} else if (marked) {
			forget_all();
			marked = false;
		}
		sleep_period();
	}
	return 0;
}

static void say_refused(const struct task_struct *p, int from, int to)
{
	struct an_decision d = an_about(p->tgid, AN_R_PREFERRED);

	d.pid = p->pid;
	d.from = from;
	d.to = to;
	an_decided(pull_refused, &d);
}

/* Is the preferred node of this gear? Context: RCU read side, any lock held. */
static bool has_marks(const struct task_struct *p)
{
	const struct an_process *process = an_process_find(READ_ONCE(p->mm));

	return process && READ_ONCE(process->mode) == AN_MODE_ACT;
}

/**
 * an_balance_pull - the pull operation of the core hooks
 * @p: a task the load balancer, or who wakes it, would like to pull
 * @src_nid: its node
 * @dst_nid: another node
 * @others: its queue has tasks that do not prefer its node
 *
 * A pull away from the preferred node is a loss where others could go instead,
 * as in-tree balancing says it too; the load balancer then tries those first.
 * A task that is not balanced may have a preferred node by inheritance: of that
 * nothing is known. Context: run-queue lock or pi_lock held, interrupts off.
 */
int an_balance_pull(struct task_struct *p, int src_nid, int dst_nid,
		    bool others)
{
	int preferred = READ_ONCE(p->numa_preferred_nid);

	if (preferred == NUMA_NO_NODE || !an_running() ||
	    !READ_ONCE(an_params.balance) || !has_marks(p))
		return -1;
	if (dst_nid == preferred) {
		an_count(AN_C_PULLS_HOME, 1);
		return 0;
	}
	if (src_nid != preferred || !others)
		return -1;
	an_count(AN_C_PULLS_AGAINST, 1);
	an_count_reason(AN_R_PREFERRED, 1);
	if (an_watched(pull_refused))
		say_refused(p, src_nid, dst_nid);
	return 1;
}

/*
 * Who takes a thread away from where gear 4 moved it: told when it happens, as
 * nothing tells it afterwards.
 */
static enum an_reason why_leaving(const struct task_struct *p, int cpu)
{
	if (!cpumask_test_cpu(cpu, p->cpus_ptr))
		return AN_R_BY_AFFINITY;
	if (!cpu_active(cpu))
		return AN_R_BY_HOTPLUG;
	if (READ_ONCE(p->__state) == TASK_WAKING)
		return AN_R_BY_WAKE_UP;
	return READ_ONCE(p->on_rq) ? AN_R_BY_PULL : AN_R_BY_OTHER;
}

/*
 * Probe of sched_migrate_task. Context: p->pi_lock or run-queue lock held,
 * interrupts off: a look-up, and only when nodes differ.
 */
static void probe_migrate(void *data, struct task_struct *p, int cpu)
{
	int nid = cpu_to_node(task_cpu(p));
	struct an_thread *t;

	if (nid == cpu_to_node(cpu))
		return;
	rcu_read_lock();
	t = an_thread_find(p);
	if (t && READ_ONCE(t->moved_to) == nid)
		WRITE_ONCE(t->left_why, why_leaving(p, task_cpu(p)));
	rcu_read_unlock();
}

int an_balance_start(void)
{
	int err = an_view_init(&view);

	if (err)
		return err;
	view.s.breathe = breathe;
	forecast_jiffies = jiffies;
	check_trace_callback_type_sched_migrate_task(probe_migrate);
	err = an_probe_attach("sched_migrate_task", probe_migrate);
	if (err)
		goto free_view;
	balanced = kthread_run(balanced_main, NULL, "knuma_balanced");
	if (!IS_ERR(balanced))
		return 0;
	err = PTR_ERR(balanced);
	an_probe_detach("sched_migrate_task", probe_migrate);
free_view:
	an_view_free(&view);
	return err;
}

void an_balance_stop(void)
{
	kthread_stop(balanced);
	balanced = NULL;
	an_probe_detach("sched_migrate_task", probe_migrate);
	an_view_free(&view);
}
