// SPDX-License-Identifier: GPL-2.0
/*
 * The choices: which processes and cgroups were asked for, or excluded. Two
 * tables, of processes by their struct pid and of cgroups by their id. The
 * nearest choice decides: the process's own, else that of its cgroup, else
 * that of the nearest cgroup above. Only an exclusion by who has CAP_SYS_NICE
 * is not undone below it by who has not.
 *
 * Nothing here is looked at in a fault: knuma_scand asks once per look at a
 * process. With no choice made, no probe is attached and both tables are empty.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <trace/events/cgroup.h>
#include <trace/events/sched.h>
#include "autonuma.h"
#include "choice.h"
#include "probe.h"
#include "scope.h"

#define TABLE_BITS	10	/* with the children: thousands */

/*
 * struct entry - one process or cgroup that was chosen for
 *
 * Lifetime: in its table until the process's last thread exits, the cgroup is
 * removed, the choice is taken back or the module goes; then a grace period.
 * Made and unlinked under table_lock, read under RCU.
 */
struct entry {
	struct hlist_node hash;
	struct rcu_head rcu;
	u64 key;		/* address of @pid, or id of the cgroup */
	struct pid *pid;	/* of the thread group, counted; NULL: a cgroup */
	struct an_choice *choice;	/* counted */
};

struct table {
	struct hlist_head heads[1 << TABLE_BITS];
	atomic_t entries;
};

static struct table processes, cgroups;

/* Nests inside trace_cgroup_path_lock, which is taken with interrupts off. */
static DEFINE_SPINLOCK(table_lock);

/* The probes are attached by the first choice, and stay. */
static DEFINE_MUTEX(probes_mutex);
static bool probes_attached;	/* under probes_mutex */

static struct hlist_head *head_of(struct table *t, u64 key)
{
	return &t->heads[hash_64(key, TABLE_BITS)];
}

/* Context: RCU read side, or table_lock. */
static struct entry *find(struct table *t, u64 key)
{
	struct entry *e;

	hlist_for_each_entry_rcu(e, head_of(t, key), hash,
				 lockdep_is_held(&table_lock))
		if (e->key == key)
			return e;
	return NULL;
}

static u64 pid_key(const struct pid *pid)
{
	return (uintptr_t)pid;
}

/* Without a record in the audit log: the answer is none of a refusal. */
static bool may_overrule(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_NICE);
}

/*
 * Requests hold a lock of all of generic netlink: a cgroup above memory.high or at its limit
 * must not make them wait.
 */
#define GFP_REQUEST	(GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT)

/**
 * an_choice_alloc - a new choice, which the caller holds
 * @asked: what was asked for, checked
 * @home: bitmap of the suggested home nodes, or NULL
 * @cgroup: id of the cgroup it is for, 0 for processes
 *
 * Context: who asks, whose capabilities count; charged to the caller's memory cgroup.
 */
struct an_choice *an_choice_alloc(const struct autonuma_settings *asked,
				  const unsigned long *home, u64 cgroup)
{
	struct an_choice *c;

	c = kzalloc(struct_size(c, home, BITS_TO_LONGS(nr_node_ids)),
		    GFP_REQUEST);
	if (!c)
		return NULL;
	refcount_set(&c->refs, 1);
	c->asked = *asked;
	c->cgroup = cgroup;
	c->privileged = may_overrule();
	if (home)
		bitmap_copy(c->home, home, nr_node_ids);
	return c;
}

/* Context: RCU read side, or held already. NULL if it is going. */
struct an_choice *an_choice_get(struct an_choice *c)
{
	return c && refcount_inc_not_zero(&c->refs) ? c : NULL;
}

/* Context: any. Who may still find it has found an entry: see entry_free(). */
void an_choice_put(struct an_choice *c)
{
	if (c && refcount_dec_and_test(&c->refs))
		kfree(c);
}

static void entry_free(struct rcu_head *rcu)
{
	struct entry *e = container_of(rcu, struct entry, rcu);

	put_pid(e->pid);
	an_choice_put(e->choice);
	kfree(e);
}

/* Context: table_lock. */
static void unlink_entry(struct table *t, struct entry *e)
{
	hlist_del_rcu(&e->hash);
	atomic_dec(&t->entries);
	call_rcu(&e->rcu, entry_free);
}

/* Was this excluded by who may do more than others, who cannot undo it? */
static bool stands(const struct table *t, const struct entry *e)
{
	return t == &cgroups && e->choice->privileged &&
	       e->choice->asked.choice == AUTONUMA_CHOICE_EXCLUDED;
}

/* Returns whether it may go, by who is @privileged or not. */
static bool drop(struct table *t, u64 key, bool privileged)
{
	unsigned long flags;
	struct entry *e;
	bool may = true;

	spin_lock_irqsave(&table_lock, flags);
	e = find(t, key);
	if (e && stands(t, e) && !privileged)
		may = false;
	else if (e)
		unlink_entry(t, e);
	spin_unlock_irqrestore(&table_lock, flags);
	return may;
}

static struct entry *entry_alloc(u64 key, struct pid *pid, struct an_choice *c)
{
	struct entry *e = kzalloc(sizeof(*e), GFP_REQUEST);

	if (!e)
		return NULL;
	refcount_inc(&c->refs);
	e->key = key;
	e->pid = get_pid(pid);
	e->choice = c;
	return e;
}

/*
 * In place of what was there: a reader finds the one or the other. Returns whether that
 * may go; if not, the new one does.
 */
static bool put_entry(struct table *t, struct entry *e)
{
	unsigned long flags;
	struct entry *old;
	bool may = true;

	spin_lock_irqsave(&table_lock, flags);
	old = find(t, e->key);
	if (old && stands(t, old) && !e->choice->privileged) {
		may = false;
		call_rcu(&e->rcu, entry_free);
	} else if (old) {
		hlist_replace_rcu(&old->hash, &e->hash);
		call_rcu(&old->rcu, entry_free);
	} else {
		hlist_add_head_rcu(&e->hash, head_of(t, e->key));
		atomic_inc(&t->entries);
	}
	spin_unlock_irqrestore(&table_lock, flags);
	return may;
}

/*
 * Probe of sched_process_fork: a child process follows its parent's choice.
 * Context: preemption off, the child does not run yet.
 */
static void probe_fork(void *data, struct task_struct *parent,
		       struct task_struct *child)
{
	struct an_choice *c = NULL;
	struct entry *e;

	if (!atomic_read(&processes.entries) || !thread_group_leader(child))
		return;
	rcu_read_lock();
	e = find(&processes, pid_key(task_tgid(parent)));
	if (e)
		c = an_choice_get(e->choice);
	rcu_read_unlock();
	if (!c)
		return;
	e = entry_alloc(pid_key(task_tgid(child)), task_tgid(child), c);
	if (e)
		put_entry(&processes, e);
	else
		an_count(AN_C_CHOICES_LOST, 1);
	an_choice_put(c);
}

static bool group_dead(struct task_struct *task)
{
	return !atomic_read(&task->signal->live);
}

/* Probe of sched_process_exit, of every thread: the last one takes it along. */
static void probe_exit(void *data, struct task_struct *task)
{
	/* Orders the end of the group, before, with an entry that is made. */
	smp_mb();
	if (atomic_read(&processes.entries) && group_dead(task))
		drop(&processes, pid_key(task_tgid(task)), true);
}

/* Probe of cgroup_rmdir. Context: a spinlock held, interrupts off. */
static void probe_rmdir(void *data, struct cgroup *cgrp, const char *path)
{
	smp_mb();	/* as in probe_exit() */
	if (atomic_read(&cgroups.entries))
		drop(&cgroups, cgroup_id(cgrp), true);
}

static const struct {
	const char *name;
	void *probe;
} probes[] = {
	{ "sched_process_fork", probe_fork },
	{ "sched_process_exit", probe_exit },
	{ "cgroup_rmdir", probe_rmdir },
};

static void check_probes(void)
{
	check_trace_callback_type_sched_process_fork(probe_fork);
	check_trace_callback_type_sched_process_exit(probe_exit);
	check_trace_callback_type_cgroup_rmdir(probe_rmdir);
}

static void detach(int nr)
{
	while (nr--)
		an_probe_detach(probes[nr].name, probes[nr].probe);
}

static int attach(void)
{
	int i, err;

	check_probes();
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = an_probe_attach(probes[i].name, probes[i].probe);
		if (err) {
			detach(i);
			return err;
		}
	}
	return 0;
}

static int need_probes(void)
{
	int err = 0;

	mutex_lock(&probes_mutex);
	if (!probes_attached)
		err = attach();
	probes_attached = !err;
	mutex_unlock(&probes_mutex);
	return err;
}

static bool process_ended(struct pid *tgid)
{
	struct task_struct *leader;
	bool ended;

	rcu_read_lock();
	leader = pid_task(tgid, PIDTYPE_TGID);
	ended = !leader || group_dead(leader);
	rcu_read_unlock();
	return ended;
}

/**
 * an_choice_set_process - choose for a process, in place of what was chosen
 * @tgid: of its thread group
 * @c: the choice, whose reference stays the caller's; NULL takes it back
 *
 * Context: may sleep. Return: 0, -ENOMEM, -ESRCH if the process ends.
 */
int an_choice_set_process(struct pid *tgid, struct an_choice *c)
{
	struct entry *e;
	int err;

	if (!c) {
		drop(&processes, pid_key(tgid), true);
		return 0;
	}
	err = need_probes();
	if (err)
		return err;
	e = entry_alloc(pid_key(tgid), tgid, c);
	if (!e)
		return -ENOMEM;
	put_entry(&processes, e);
	smp_mb();	/* pairs with probe_exit(): one of the two sees the other */
	if (!process_ended(tgid))
		return 0;
	drop(&processes, pid_key(tgid), true);
	return -ESRCH;
}

static bool cgroup_removed(struct cgroup *cgrp)
{
	return !(READ_ONCE(cgrp->self.flags) & CSS_ONLINE);
}

/**
 * an_choice_set_cgroup - choose for a cgroup and all below it
 * @cgrp: held by the caller
 * @c: as in an_choice_set_process()
 *
 * Context: may sleep, in who asks. Return: 0, -ENOMEM, -ENODEV if the cgroup was removed,
 * -EPERM if it was excluded by who may do more.
 */
int an_choice_set_cgroup(struct cgroup *cgrp, struct an_choice *c)
{
	struct entry *e;
	int err;

	if (!c)
		return drop(&cgroups, cgroup_id(cgrp), may_overrule()) ? 0 : -EPERM;
	err = need_probes();
	if (err)
		return err;
	e = entry_alloc(cgroup_id(cgrp), NULL, c);
	if (!e)
		return -ENOMEM;
	if (!put_entry(&cgroups, e))
		return -EPERM;
	smp_mb();	/* pairs with probe_rmdir() */
	if (!cgroup_removed(cgrp))
		return 0;
	drop(&cgroups, cgroup_id(cgrp), true);
	return -ENODEV;
}

/*
 * What holds in a cgroup where @c was chosen, or NULL nothing yet: the nearest
 * choice. But nobody asks for what was excluded above by who may do more: the
 * next choice of such a one tells. Context: RCU read side.
 */
static struct an_choice *decides(struct an_choice *c, struct cgroup *cgrp)
{
	struct an_choice *above;
	struct entry *e;
	int level;

	if (!atomic_read(&cgroups.entries))
		return c;
	for (level = cgrp->level; level >= 0; level--) {
		if (c && c->privileged)
			break;
		e = find(&cgroups, cgroup_id(cgrp->ancestors[level]));
		if (!e)
			continue;
		above = e->choice;
		if (!c)
			c = above;
		else if (above->privileged)
			return above->asked.choice == AUTONUMA_CHOICE_EXCLUDED ?
			       above : c;
	}
	return c;
}

/* What holds for a cgroup: as a rule the nearest choice. Context: RCU read side. */
struct an_choice *an_choice_of_cgroup(struct cgroup *cgrp)
{
	return decides(NULL, cgrp);
}

/**
 * an_choice_of - what was chosen for a process
 * @leader: of its thread group
 *
 * Context: RCU read side; an_choice_get() keeps it longer.
 * Return: the choice that decides, NULL if there is none.
 */
struct an_choice *an_choice_of(struct task_struct *leader)
{
	struct an_choice *own = NULL;
	struct entry *e;

	if (atomic_read(&processes.entries)) {
		e = find(&processes, pid_key(task_tgid(leader)));
		if (e)
			own = e->choice;
	}
	if (!atomic_read(&cgroups.entries))
		return own;
	return decides(own, an_scope_cgroup(leader));
}

/* A scope may run ahead of its rate by so much. */
#define RATE_SLACK_NS	(100 * NSEC_PER_MSEC)

/* Is the scope's own migration rate spent for now? Context: any. */
bool an_choice_rate_spent(struct an_choice *c)
{
	return c && c->asked.migrate_rate_mbps &&
	       atomic64_read(&c->rate_ns) > ktime_get_ns() + RATE_SLACK_NS;
}

/* Pages of it are going to be moved. Context: any. */
void an_choice_rate_spend(struct an_choice *c, unsigned long pages)
{
	u64 cost, now;
	s64 old;

	if (!c || !c->asked.migrate_rate_mbps)
		return;
	cost = div64_u64((u64)pages * PAGE_SIZE * (NSEC_PER_SEC >> 20),
			 c->asked.migrate_rate_mbps);
	now = ktime_get_ns();
	old = atomic64_read(&c->rate_ns);
	while (!atomic64_try_cmpxchg(&c->rate_ns, &old,
				     max_t(u64, old, now) + cost))
		;
}

static void drop_all(struct table *t)
{
	struct hlist_node *next;
	unsigned long flags;
	struct entry *e;
	int i;

	for (i = 0; i < ARRAY_SIZE(t->heads); i++) {
		spin_lock_irqsave(&table_lock, flags);
		hlist_for_each_entry_safe(e, next, &t->heads[i], hash)
			unlink_entry(t, e);
		spin_unlock_irqrestore(&table_lock, flags);
	}
}

/* Context: nothing asks any more, no process is under balance. */
void an_choice_exit(void)
{
	if (probes_attached)
		detach(ARRAY_SIZE(probes));
	drop_all(&processes);
	drop_all(&cgroups);
	rcu_barrier();	/* entry_free() is of this module */
}
