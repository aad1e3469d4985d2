// SPDX-License-Identifier: GPL-2.0
/*
 * Answers: what holds for a process or a cgroup, where a process and its
 * threads are and should be, and what was decided about them last.
 *
 * Reads what the gears write, without a lock: a number may be older than the
 * one next to it. Whoever asks was found to be allowed to read all of it.
 */
#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include "ask.h"
#include "autonuma.h"
#include "choice.h"
#include "decision.h"
#include "scope.h"
#include "stats.h"
#include "uapi/autonuma.h"

/* Decisions told at most, of at most 160 bytes each, and fixed parts: bytes. */
#define MAX_DECISIONS	32
#define DECISION_SIZE	192
#define FIXED_SIZE	1024

/* Two arrays and two maps of nodes at most, the fixed parts, the decisions. */
size_t an_answer_size(void)
{
	return FIXED_SIZE + MAX_DECISIONS * DECISION_SIZE +
	       2 * nla_total_size(nr_node_ids * sizeof(u64)) +
	       2 * nla_total_size(BITS_TO_U64(nr_node_ids) * sizeof(u64));
}

static u32 node_or_none(int nid)
{
	return nid == NUMA_NO_NODE ? AUTONUMA_NO_NODE : nid;
}

static int put_map(struct sk_buff *msg, int type, const unsigned long *map)
{
	u32 words = BITS_TO_U64(nr_node_ids), i;
	struct nlattr *attr = nla_reserve(msg, type, words * sizeof(u64));
	u64 word;

	if (!attr)
		return -EMSGSIZE;
	for (i = 0; i < words; i++) {
		word = READ_ONCE(map[i]);
		memcpy(nla_data(attr) + i * sizeof(word), &word, sizeof(word));
	}
	return 0;
}

/* Every @step-th number from @from on, one for each node. */
static int put_per_node(struct sk_buff *msg, int type, const u32 *from,
			int step)
{
	struct nlattr *attr = nla_reserve(msg, type, nr_node_ids * sizeof(u64));
	u64 value;
	int nid;

	if (!attr)
		return -EMSGSIZE;
	for (nid = 0; nid < nr_node_ids; nid++) {
		value = READ_ONCE(from[nid * step]);
		memcpy(nla_data(attr) + nid * sizeof(value), &value,
		       sizeof(value));
	}
	return 0;
}

static int put_why(struct sk_buff *msg, enum an_reason why)
{
	if (why == AN_R_NONE)
		return 0;
	return nla_put_string(msg, AUTONUMA_A_WHY, an_reason_name(why));
}

static u32 state_of(enum an_reason wanted, const struct an_choice *c,
		    const struct an_rest *rest)
{
	if (!an_running())
		return AUTONUMA_STATE_STOPPED;
	if (wanted != AN_R_NONE)
		return AUTONUMA_STATE_OUT;
	if (rest && an_watch_resting(&rest->watch, an_now_ms()))
		return AUTONUMA_STATE_RESTING;
	return c && c->asked.flags & AUTONUMA_F_DRY_RUN ?
	       AUTONUMA_STATE_DRY_RUN : AUTONUMA_STATE_ACTIVE;
}

/* Sums over the processes of a choice, over some of them, or of one process. */
struct sums {
	struct an_account done;
	u64 would_move;
	u64 seen, local;		/* pages, lately */
	u64 forecast, forecast_seen;	/* weighted by pages seen */
	u32 processes;
};

/* Context: RCU read side. */
static void add_process(struct sums *sums, const struct an_process *p)
{
	u64 seen = READ_ONCE(p->seen);
	u32 forecast = READ_ONCE(p->forecast_pm);

	an_process_account(p, &sums->done);
	sums->processes++;
	sums->would_move += an_process_would_move(p);
	sums->seen += seen;
	sums->local += READ_ONCE(p->seen_local);
	if (forecast == AUTONUMA_UNKNOWN)
		return;
	sums->forecast += forecast * seen;
	sums->forecast_seen += seen;
}

/* Context: RCU read side. */
static void add_choice(struct sums *sums, const struct an_choice *c)
{
	struct an_process *p;

	sums->done = c->ended;
	list_for_each_entry_rcu(p, &an_processes, list)
		if (p->choice == c)
			add_process(sums, p);
}

/* Context: RCU read side. */
static bool is_below(const struct an_process *p, struct cgroup *cgrp)
{
	struct task_struct *leader = an_process_leader(p);

	return leader && cgroup_is_descendant(an_scope_cgroup(leader), cgrp);
}

/* What the choice @c, or the default, does below @cgrp. Context: RCU read side. */
static void add_below(struct sums *sums, const struct an_choice *c,
		      struct cgroup *cgrp)
{
	struct an_process *p;

	list_for_each_entry_rcu(p, &an_processes, list)
		if (p->choice == c && is_below(p, cgrp))
			add_process(sums, p);
}

/*
 * Who was found to be allowed to read the target is told of nobody else: the
 * choice that decides for it may be of a cgroup far above, which covers others,
 * too. Context: RCU read side.
 */
static void add_target(struct sums *sums, const struct an_target *target,
		       const struct an_choice *c, const struct an_process *p)
{
	if (p)
		add_process(sums, p);
	if (!target->cgroup)
		return;
	if (c && c->cgroup == cgroup_id(target->cgroup))
		add_choice(sums, c);
	else
		add_below(sums, c, target->cgroup);
}

static void describe_sums(struct autonuma_scope *scope, const struct sums *sums)
{
	scope->processes = sums->processes;
	scope->planted = sums->done.planted;
	scope->faults = sums->done.faults;
	scope->moved = sums->done.moved;
	scope->would_move = sums->would_move;
	scope->scand_ns = sums->done.scand_ns;
	scope->migrated_ns = sums->done.migrated_ns;
	scope->balanced_ns = sums->done.balanced_ns;
	scope->local_pm = an_share_pm(sums->local, sums->seen);
	scope->forecast_pm = sums->forecast_seen ?
		div64_u64(sums->forecast, sums->forecast_seen) :
		AUTONUMA_UNKNOWN;
}

static void describe_rest(struct autonuma_scope *scope,
			  const struct an_watch *watch)
{
	scope->rests = READ_ONCE(watch->rest_nr);
	scope->rest_ms = an_watch_rest_ms(watch, an_now_ms());
}

static u32 source_of(const struct an_choice *c)
{
	if (!c)
		return AUTONUMA_BY_DEFAULT;
	return c->cgroup ? AUTONUMA_BY_CGROUP : AUTONUMA_BY_PROCESS;
}

static int put_settings(struct sk_buff *msg, const struct an_choice *c)
{
	struct autonuma_settings none = { .choice = AUTONUMA_CHOICE_DEFAULT };
	int err;

	err = nla_put(msg, AUTONUMA_A_SETTINGS, sizeof(none),
		      c ? &c->asked : &none);
	if (!err && c && !bitmap_empty(c->home, nr_node_ids))
		err = put_map(msg, AUTONUMA_A_HOME_NODES, c->home);
	return err;
}

/*
 * @p: of the target, if it is a process that is balanced
 * @own_reason: why it is not comes next, in place of why its scope rests
 *
 * Context: RCU read side.
 */
static int put_scope(struct sk_buff *msg, const struct an_target *target,
		     struct an_choice *c, const struct an_process *p, bool own_reason)
{
	const struct an_rest *rest = c ? &c->rest : p ? &p->rest : NULL;
	struct autonuma_scope scope = { .source = source_of(c) };
	struct sums sums = {};
	int err;

	add_target(&sums, target, c, p);
	describe_sums(&scope, &sums);
	scope.cgroup = c ? c->cgroup : 0;
	scope.state = state_of(an_scope_wanted(c), c, rest);
	if (rest)
		describe_rest(&scope, &rest->watch);
	err = put_settings(msg, c) ?:
	      nla_put_64bit(msg, AUTONUMA_A_SCOPE, sizeof(scope), &scope,
			    AUTONUMA_A_PAD);
	if (!err && scope.state == AUTONUMA_STATE_RESTING && !own_reason)
		err = put_why(msg, READ_ONCE(rest->why));
	return err;
}

static struct an_choice *choice_of(const struct an_target *target)
{
	struct an_choice *c;

	rcu_read_lock();
	c = target->cgroup ? an_choice_of_cgroup(target->cgroup) :
			     an_choice_of(target->leader);
	c = an_choice_get(c);
	rcu_read_unlock();
	return c;
}

/* The record of a process, if it is balanced. Context: RCU read side. */
static struct an_process *process_of(const struct an_target *target)
{
	struct an_process *p;

	if (!target->pid)
		return NULL;
	list_for_each_entry_rcu(p, &an_processes, list)
		if (p->pid == target->pid)
			return p;
	return NULL;
}

/**
 * an_answer_get - what holds for a process or a cgroup
 * @target: held
 * @msg: where to, with room for an_answer_size()
 *
 * Context: may sleep. Return: 0 or -EMSGSIZE.
 */
int an_answer_get(const struct an_target *target, struct sk_buff *msg)
{
	struct an_choice *c = choice_of(target);
	int err;

	rcu_read_lock();
	err = put_scope(msg, target, c, process_of(target), false);
	rcu_read_unlock();
	an_choice_put(c);
	return err;
}

static int put_tid(struct sk_buff *msg, pid_t nr)
{
	pid_t tid;

	rcu_read_lock();
	tid = pid_vnr(find_pid_ns(nr, &init_pid_ns));
	rcu_read_unlock();
	return tid ? nla_put_u32(msg, AUTONUMA_D_TID, tid) : 0;
}

static int put_node(struct sk_buff *msg, int type, int nid)
{
	return nid == NUMA_NO_NODE ? 0 : nla_put_u32(msg, type, nid);
}

static int put_details(struct sk_buff *msg, const struct an_decision *d)
{
	int err = put_node(msg, AUTONUMA_D_FROM, d->from) ?:
		  put_node(msg, AUTONUMA_D_TO, d->to);

	if (!err && d->pid)
		err = put_tid(msg, d->pid);
	if (!err && d->addr)
		err = nla_put_u64_64bit(msg, AUTONUMA_D_ADDR, d->addr,
					AUTONUMA_D_PAD);
	if (!err && d->pages)
		err = nla_put_u64_64bit(msg, AUTONUMA_D_PAGES, d->pages,
					AUTONUMA_D_PAD);
	if (!err && d->part)
		err = nla_put_u32(msg, AUTONUMA_D_GAIN, d->part);
	return err;
}

static int put_decision(struct sk_buff *msg, const struct an_past *past)
{
	const struct an_decision *d = &past->d;
	struct nlattr *nest = nla_nest_start(msg, AUTONUMA_A_DECISION);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u64_64bit(msg, AUTONUMA_D_TIME, past->time_ns,
				AUTONUMA_D_PAD) ?:
	      nla_put_string(msg, AUTONUMA_D_ACT,
			     an_act_name(an_reason_act(d->why))) ?:
	      nla_put_string(msg, AUTONUMA_D_WHY, an_reason_name(d->why)) ?:
	      put_details(msg, d);
	if (!err)
		nla_nest_end(msg, nest);
	return err;
}

/* The last ones about the process, and if @tid is not 0 about that thread. */
static int put_decisions(struct sk_buff *msg, const struct an_target *target,
			 pid_t tid, u64 since)
{
	struct an_past *past;
	u32 nr, i;
	int err = 0;

	past = kcalloc(MAX_DECISIONS, sizeof(*past), GFP_KERNEL);
	if (!past)
		return -ENOMEM;
	nr = an_decisions_of(pid_nr(target->pid), tid, since, past,
			     MAX_DECISIONS);
	for (i = 0; i < nr && !err; i++)
		err = put_decision(msg, &past[i]);
	kfree(past);
	return err;
}

/* What keeps it from being balanced: not asked for, or not suitable. */
static enum an_reason why_not(struct task_struct *leader,
			      const struct an_choice *c)
{
	enum an_reason why = an_scope_wanted(c);
	struct mm_struct *mm;
	struct an_activity act;

	if (why != AN_R_NONE)
		return why;
	mm = an_scope_mm(leader);
	if (!mm)
		return AN_R_SKIP_GONE;
	rcu_read_lock();
	an_scope_activity(leader, &act);
	why = an_scope_check(leader, mm, &act);
	rcu_read_unlock();
	mmdrop(mm);
	return why;
}

/* Context: RCU read side. */
static int put_process(struct sk_buff *msg, const struct an_process *p)
{
	struct autonuma_process process = {
		.local_pm = AUTONUMA_UNKNOWN,
		.forecast_pm = AUTONUMA_UNKNOWN,
	};
	int err;

	if (p) {
		process.balanced = 1;
		process.pass = READ_ONCE(p->pass);
		process.period_ms = READ_ONCE(p->pace.period_ms);
		process.local_pm = an_share_pm(READ_ONCE(p->seen_local),
					       READ_ONCE(p->seen));
		process.forecast_pm = READ_ONCE(p->forecast_pm);
	}
	err = nla_put(msg, AUTONUMA_A_PROCESS, sizeof(process), &process);
	if (err || !p)
		return err;
	return put_per_node(msg, AUTONUMA_A_PAGES, p->pages, 1) ?:
	       put_map(msg, AUTONUMA_A_HOME, p->home);
}

/**
 * an_answer_explain - where a process is and should be, and why
 * @target: a process, held
 * @msg: as in an_answer_get()
 *
 * Context: may sleep. Return: 0, -EMSGSIZE or -ENOMEM.
 */
int an_answer_explain(const struct an_target *target, struct sk_buff *msg)
{
	struct an_choice *c = choice_of(target);
	struct an_process *p;
	int err;

	rcu_read_lock();
	p = process_of(target);
	err = put_scope(msg, target, c, p, !p) ?: put_process(msg, p);
	rcu_read_unlock();
	if (!err && !p)
		err = put_why(msg, why_not(target->leader, c));
	an_choice_put(c);
	return err ?: put_decisions(msg, target, 0, target->leader->start_time);
}

/* Context: RCU read side. */
static int put_thread(struct sk_buff *msg, struct task_struct *task,
		      const struct an_thread *t)
{
	struct autonuma_thread thread = {
		.node = cpu_to_node(task_cpu(task)),
		.preferred = node_or_none(READ_ONCE(task->numa_preferred_nid)),
		.best = AUTONUMA_NO_NODE,
		.moved_to = AUTONUMA_NO_NODE,
	};

	if (t) {
		thread.best = node_or_none(READ_ONCE(t->best));
		thread.load = READ_ONCE(t->load) * 1000 / AN_LOAD_ONE;
		thread.moved_to = node_or_none(READ_ONCE(t->moved_to));
		thread.undone = READ_ONCE(t->undone);
		thread.on_preferred_ms = div_u64(READ_ONCE(t->on_preferred),
						 NSEC_PER_MSEC);
		thread.off_preferred_ms = div_u64(READ_ONCE(t->off_preferred),
						  NSEC_PER_MSEC);
	}
	return nla_put_64bit(msg, AUTONUMA_A_THREAD, sizeof(thread), &thread,
			     AUTONUMA_A_PAD);
}

static int put_weights(struct sk_buff *msg, const struct an_thread *t)
{
	return put_why(msg, READ_ONCE(t->stay)) ?:
	       put_per_node(msg, AUTONUMA_A_PRIVATE, t->nodes, 2) ?:
	       put_per_node(msg, AUTONUMA_A_SHARED, t->nodes + 1, 2);
}

/* A thread of the target, by its number in the sender's namespace; referenced. */
static struct task_struct *find_thread(const struct an_target *target, u32 tid)
{
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(tid), PIDTYPE_PID);
	if (task && same_thread_group(task, target->leader))
		get_task_struct(task);
	else
		task = NULL;
	rcu_read_unlock();
	return task;
}

/**
 * an_answer_thread - where a thread is and should be, and why
 * @target: its process, held
 * @tid: the thread
 * @msg: as in an_answer_get()
 *
 * Context: may sleep. Return: 0, -ESRCH, -EMSGSIZE or -ENOMEM.
 */
int an_answer_thread(const struct an_target *target, u32 tid,
		     struct sk_buff *msg)
{
	struct task_struct *task = find_thread(target, tid);
	struct an_thread *t;
	int err;

	if (!task)
		return -ESRCH;
	rcu_read_lock();
	t = an_thread_find(task);
	err = put_thread(msg, task, t);
	if (!err && t)
		err = put_weights(msg, t);
	rcu_read_unlock();
	if (!err)
		err = put_decisions(msg, target, task_pid_nr(task),
				    task->start_time);
	put_task_struct(task);
	return err;
}
