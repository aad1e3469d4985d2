// SPDX-License-Identifier: GPL-2.0
/*
 * Gear 4's eyes: fills a plain snapshot for the policy without taking any
 * run-queue lock. What it reads may be torn or old; whatever is made of it is
 * verified when it is carried out.
 */
#include <linux/bitmap.h>
#include <linux/cpuset.h>
#include <linux/kernel_stat.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched/isolation.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/tick.h>
#include <linux/vmstat.h>
#include "autonuma.h"
#include "decision.h"
#include "migrated.h"
#include "scope.h"
#include "snapshot.h"
#include "stats.h"
#include "trace.h"

/* Threads that want less than 1/32 of a CPU are not worth moving. */
#define MIN_LOAD	(AN_LOAD_ONE / 32)

/*
 * Nor are those of a process with less than 8 MiB that want less than 1/3 of a CPU:
 * they would gain less than those lose who make way.
 */
#define SMALL_MIN_LOAD	(AN_LOAD_ONE / 3)
#define SMALL_PAGES	(SZ_8M >> PAGE_SHIFT)

/* Load of tasks outside the snapshot below a tenth of a CPU is noise. */
#define MIN_OTHER_LOAD	(AN_LOAD_ONE / 10)

/* Fewer faults of a thread, in pages, are no evidence. */
#define MIN_FAULTS	1024

/* Of the memory of a process so much has moved lately or is queued: on its way. */
#define MOVING_PART	32

/* A step must lower the J of its tasks by 5 %: less is noise in the samples. */
#define MIN_GAIN	(AN_SHARE_ONE / 20)

/* What the load balancer itself tolerates between nodes (imbalance_pct 117). */
#define IMBALANCE_PCT	117

/* Steps of one round: each one is a stop of one or two CPUs. */
#define MAX_STEPS	16

/* Rounds without hinting fault after which a thread is not one that waits for memory. */
#define SILENT_ROUNDS	8

/* A moved thread stays put so long, doubled each time its move was undone. */
#define COOL_MS		1000
#define MAX_COOL_SHIFT	6

/*
 * A step that did not come about is tried again in the next round, as idle CPUs come
 * and go; from the second time in a row on after half a second, doubled each time.
 */
#define FAILED_MS	125
#define MAX_FAILED	9

/*
 * Nodes that a thread has faults on, at most, in the mean: on a machine of
 * 1024 nodes a full table for 100,000 threads would be a gigabyte.
 */
#define MEAN_NODES	32U

/* Room for what appears between counting and filling: a quarter more. */
static u32 with_slack(u32 nr)
{
	return nr + nr / 4 + 16;
}

static size_t map_longs(void)
{
	return BITS_TO_LONGS(nr_node_ids);
}

/*
 * May fair tasks be put there? Not if it is offline, isolated, kept free of
 * the tick (nohz_full), or in a cpuset partition of its own.
 */
bool an_cpu_usable(int cpu)
{
	return cpu_online(cpu) && housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) &&
	       housekeeping_test_cpu(cpu, HK_TYPE_TICK) &&
	       !cpuset_cpu_is_isolated(cpu);
}

/* A CPU whose task waits for I/O, or for a page on its way, is as idle as any. */
static u64 cpu_idle_us(int cpu)
{
	u64 us = get_cpu_idle_time_us(cpu, NULL);

	if (us != (u64)-1)
		return us + get_cpu_iowait_time_us(cpu, NULL);
	us = kcpustat_cpu(cpu).cpustat[CPUTIME_IDLE] +
	     kcpustat_cpu(cpu).cpustat[CPUTIME_IOWAIT];
	return div_u64(us, NSEC_PER_USEC);
}

/* How busy the CPU was since the last view, 0..AN_LOAD_ONE. */
static u32 cpu_busy(struct an_view *v, int cpu, u64 elapsed_us)
{
	u64 now = cpu_idle_us(cpu), idle = now - v->idle_us[cpu];

	v->idle_us[cpu] = now;
	if (!elapsed_us || idle >= elapsed_us)
		return 0;
	return div64_u64((elapsed_us - idle) * AN_LOAD_ONE, elapsed_us);
}

static u32 node_room(int nid)
{
	unsigned long free = 0;
	int z;

	if (!node_state(nid, N_MEMORY))
		return 0;
	for (z = 0; z < MAX_NR_ZONES; z++) {
		struct zone *zone = NODE_DATA(nid)->node_zones + z;
		unsigned long pages = zone_page_state(zone, NR_FREE_PAGES);

		if (managed_zone(zone) && pages > high_wmark_pages(zone))
			free += pages - high_wmark_pages(zone);
	}
	return min_t(unsigned long, free, U32_MAX);
}

/*
 * What the node's worker took since the last view is no load of others: it ends
 * by itself, and must not drive those away whom it works for.
 */
static void view_worker(struct an_view *v, int nid, u64 elapsed_us)
{
	struct an_node *n = &v->nodes[nid];
	struct an_queue_state state;
	u64 worked;

	an_migrated_state(nid, &state);
	worked = state.worked_ns - min(state.worked_ns, v->worked_ns[nid]);
	v->worked_ns[nid] = state.worked_ns;
	if (elapsed_us)
		n->other_load -= min_t(u64, n->other_load,
				       div64_u64(worked * AN_LOAD_ONE,
						 elapsed_us * NSEC_PER_USEC));
}

/* Capacity and idle CPUs; other_load holds all load until tasks are known. */
static void view_nodes(struct an_view *v, u64 elapsed_us)
{
	int cpu, nid;
	u32 busy;

	memset(v->nodes, 0, nr_node_ids * sizeof(*v->nodes));
	for_each_online_cpu(cpu) {
		busy = cpu_busy(v, cpu, elapsed_us);
		if (!an_cpu_usable(cpu))
			continue;
		nid = cpu_to_node(cpu);
		v->nodes[nid].capacity += AN_LOAD_ONE;
		v->nodes[nid].other_load += busy;
		v->nodes[nid].idle_cpus += idle_cpu(cpu);
	}
	for (nid = 0; nid < nr_node_ids; nid++) {
		view_worker(v, nid, elapsed_us);
		v->nodes[nid].room = node_room(nid);
	}
}

/* Of a task on a CPU that counts for nothing: it takes nothing of the others' either. */
#define NO_LOAD		1

/* What is not the snapshot's tasks' is others': smoothed, as bursts pass. */
static void view_other_load(struct an_view *v)
{
	struct an_node *n;
	u32 i;

	memset(v->wanted, 0, nr_node_ids * sizeof(*v->wanted));
	for (i = 0; i < v->s.nr_tasks; i++) {
		n = &v->nodes[v->tasks[i].node];
		n->other_load -= min(n->other_load, v->tasks[i].load);
		if (v->tasks[i].load > NO_LOAD)
			v->wanted[v->tasks[i].node] += v->tasks[i].want;
	}
	for (i = 0; i < nr_node_ids; i++) {
		n = &v->nodes[i];
		v->others[i] = (7 * v->others[i] + n->other_load) / 8;
		n->other_now = n->other_load;
		n->other_load = v->others[i] < MIN_OTHER_LOAD ? 0 : v->others[i];
		v->wanted[i] += n->other_load;
	}
}

/* CPU time had and waited for, so that tasks of a crowded CPU count in full. */
static u64 task_delay(struct task_struct *p)
{
#ifdef CONFIG_SCHED_INFO
	return READ_ONCE(p->sched_info.run_delay);
#else
	return 0;
#endif
}

/*
 * Load is what the thread wanted of a CPU since the last view, smoothed: a
 * sleeper's own average is frozen and would not do. The first view of a
 * thread, or the first after views without it, only notes where it starts.
 */
static void view_load(struct an_view *v, struct an_thread *t,
		      struct task_struct *p, u64 elapsed)
{
	u64 runtime = READ_ONCE(p->se.sum_exec_runtime), delay = task_delay(p);
	u64 ran = runtime - t->runtime, waited = delay - t->delay;
	bool first = !t->runtime || t->viewed + 1 != v->number;
	u32 load;

	t->viewed = v->number;
	t->runtime = runtime;
	t->delay = delay;
	if (first || !elapsed)
		return;
	load = min_t(u64, div64_u64((ran + waited) * AN_LOAD_ONE, elapsed),
		     AN_LOAD_ONE);
	WRITE_ONCE(t->load, t->load ? (3 * t->load + load) / 4 : load);
	if (p->numa_preferred_nid == cpu_to_node(task_cpu(p)))
		WRITE_ONCE(t->on_preferred, t->on_preferred + ran);
	else if (p->numa_preferred_nid != NUMA_NO_NODE)
		WRITE_ONCE(t->off_preferred, t->off_preferred + ran);
}

/*
 * Hinting faults tell who uses its memory; while that is on its way passes are rare.
 * @moving: memory of the process is.
 */
static void view_want(struct an_thread *t, bool moving)
{
	u8 faults = READ_ONCE(t->tally[AN_T_FAULTS]);

	t->silent = faults == t->told ? min(t->silent + 1, SILENT_ROUNDS) : 0;
	t->told = faults;
	WRITE_ONCE(t->want, an_policy_want(t->want, t->load,
					   moving && t->silent < SILENT_ROUNDS));
}

static void say_undone(const struct an_thread *t, const struct task_struct *p,
		       int nid)
{
	struct an_decision d = an_about(p->tgid, READ_ONCE(t->left_why) ?:
					AN_R_BY_OTHER);

	d.pid = p->pid;
	d.from = t->moved_to;
	d.to = nid;
	an_count(AN_C_TASK_MOVES_UNDONE, 1);
	an_count_reason(d.why, 1);
	an_decided(undone, &d);
}

/* Somebody took the thread away from where it was moved: stay away longer. */
static void view_moved(struct an_thread *t, const struct task_struct *p,
		       int nid)
{
	unsigned long cool = msecs_to_jiffies(COOL_MS);

	if (t->moved_to == NUMA_NO_NODE)
		return;
	if (t->moved_to != nid) {
		say_undone(t, p, nid);
		t->moved_to = NUMA_NO_NODE;
		t->undone = min(t->undone + 1, MAX_COOL_SHIFT);
	} else if (time_after(jiffies, t->moved_jiffies + (cool << MAX_COOL_SHIFT))) {
		t->undone = 0;
	}
}

static bool backs_off(const struct an_thread *t)
{
	u32 failed = min(t->failed, MAX_FAILED);

	return failed > 1 &&
	       time_before(jiffies, t->failed_jiffies +
			   (msecs_to_jiffies(FAILED_MS) << failed));
}

/*
 * Where the use of memory has changed, the threads tell bit by bit where they belong
 * now: they may go on at once, if nobody took them away from where they were sent.
 */
static bool cooling(const struct an_thread *t, const struct an_process *p)
{
	if (backs_off(t))
		return true;
	if (READ_ONCE(p->pace.changed) && !t->undone)
		return false;
	return t->moved_jiffies &&
	       time_before(jiffies, t->moved_jiffies +
			   (msecs_to_jiffies(COOL_MS) << t->undone));
}

static bool fair_task(const struct task_struct *p)
{
	return p->policy == SCHED_NORMAL || p->policy == SCHED_BATCH ||
	       p->policy == SCHED_IDLE;
}

/* The nodes where the thread may run. NULL: all of them. */
static unsigned long *view_allowed(struct an_view *v, u32 index,
				   const struct task_struct *p)
{
	unsigned long *map = v->allowed + index * map_longs();
	int cpu;

	if (cpumask_subset(cpu_online_mask, p->cpus_ptr))
		return NULL;
	bitmap_zero(map, nr_node_ids);
	for_each_cpu_and(cpu, p->cpus_ptr, cpu_online_mask)
		__set_bit(cpu_to_node(cpu), map);
	return map;
}

static void view_faults(struct an_view *v, struct an_task *task,
			const struct an_thread *t)
{
	struct an_faults *f;
	int nid;

	task->faults = v->nr_faults;
	for (nid = 0; nid < nr_node_ids; nid++) {
		if (v->nr_faults == v->max_faults)
			return;
		f = &v->faults[v->nr_faults];
		f->node = nid;
		f->private = READ_ONCE(t->nodes[2 * nid]);
		f->shared = READ_ONCE(t->nodes[2 * nid + 1]);
		if (!f->private && !f->shared)
			continue;
		v->nr_faults++;
		task->nr_faults++;
	}
}

/* The group in which the thread's weight counts, by a number of its own. */
static u32 group_number(struct an_view *v, const struct task_struct *p)
{
#ifdef CONFIG_CGROUP_SCHED
	const void *group = READ_ONCE(p->sched_task_group);
#else
	const void *group = NULL;
#endif
	u32 i;

	/* Mostly the newest. */
	for (i = v->nr_groups; i > 0; i--) {
		if (v->groups[i - 1] == group)
			return i - 1;
	}
	if (v->nr_groups == AN_WEIGHT_GROUPS)
		return AN_WEIGHT_GROUPS;
	v->groups[v->nr_groups] = group;
	return v->nr_groups++;
}

static void view_weight(struct an_view *v, struct an_task *task,
			const struct task_struct *p)
{
	task->weight = fair_task(p) ? READ_ONCE(p->se.load.weight) : 0;
	task->group = group_number(v, p);
}

/* Of a small process, and wants little by now: it keeps nobody away any more. */
static void forget_place(struct an_thread *t, struct task_struct *p)
{
	t->stay_kept = 0;
	if (READ_ONCE(p->numa_preferred_nid) != NUMA_NO_NODE)
		sched_setnuma(p, NUMA_NO_NODE);
}

static void view_task(struct an_view *v, const struct an_process *process,
		      struct task_struct *p, u64 elapsed, bool small)
{
	struct an_thread *t = an_thread_get(p);
	u32 index = v->s.nr_tasks;
	struct an_task *task = &v->tasks[index];
	bool dry = v->procs[v->s.nr_procs].dry;
	u32 min_load = small ? SMALL_MIN_LOAD : MIN_LOAD;
	int nid = an_task_nid(p);
	bool usable;

	if (!t)
		return;
	view_load(v, t, p, elapsed);
	view_want(t, v->procs[v->s.nr_procs].moving);
	view_moved(t, p, nid);
	if (small && t->load < min_load / 2)
		forget_place(t, p);
	if (index == v->max_tasks || t->load < min_load)
		return;
	memset(task, 0, sizeof(*task));
	task->proc = v->s.nr_procs;
	task->node = nid;
	usable = an_cpu_usable(task_cpu(p));
	task->load = usable ? t->load : NO_LOAD;
	task->want = usable ? t->want : NO_LOAD;
	view_weight(v, task, p);
	task->allowed = view_allowed(v, index, p);
	task->bound = !fair_task(p) || p->nr_cpus_allowed == 1 ||
		      READ_ONCE(p->mempolicy);
	task->fixed = task->bound || !usable || cooling(t, process);
	task->held = dry && !task->fixed;
	task->fixed |= dry;
	task->bound |= dry;
	if (READ_ONCE(t->mm) == process->mm)	/* not of the program before exec */
		view_faults(v, task, t);
	v->refs[index] = get_task_struct(p);
	v->s.nr_tasks++;
}

static void view_pages(struct an_view *v, struct an_proc *proc,
		       const struct an_process *p)
{
	u32 pages;
	int nid;

	proc->pages = v->nr_pages;
	for (nid = 0; nid < nr_node_ids && v->nr_pages < v->max_pages; nid++) {
		pages = READ_ONCE(p->pages[nid]);
		if (!pages)
			continue;
		v->pages[v->nr_pages++] = (struct an_pages){ nid, pages };
		proc->nr_pages++;
	}
}

/* The suggested home nodes, which the choice may not outlive. */
static const unsigned long *view_wish(struct an_view *v, u32 index,
				      const struct an_process *p)
{
	unsigned long *map = v->wishes + index * map_longs();

	if (!p->choice || bitmap_empty(p->choice->home, nr_node_ids))
		return NULL;
	bitmap_copy(map, p->choice->home, nr_node_ids);
	return map;
}

/* The nodes that may have its memory, if its cpuset leaves some out. */
static const unsigned long *view_mems(struct an_view *v, u32 index,
				      struct task_struct *leader)
{
	unsigned long *map = v->mems + index * map_longs();
	bool all = true;
	int nid;

	bitmap_zero(map, nr_node_ids);
	for_each_node_state(nid, N_MEMORY) {
		if (an_scope_node_allowed(leader, nid))
			__set_bit(nid, map);
		else
			all = false;
	}
	return all ? NULL : map;
}

static bool is_moving(const struct an_process *p)
{
	unsigned long pages = atomic_long_read(&p->moved) +
			      atomic_long_read(&p->queued);

	return pages * MOVING_PART > READ_ONCE(p->resident);
}

/*
 * One process with its threads. One that rests is none of ours: its load is
 * that of others. Context: RCU read side.
 */
static void view_process(struct an_view *v, const struct an_process *p,
			 u64 elapsed)
{
	struct task_struct *leader = an_process_leader(p), *t;
	enum an_mode mode = READ_ONCE(p->mode);
	u32 index = v->s.nr_procs;
	struct an_proc *proc = &v->procs[index];
	bool small;

	if (!leader || index == v->max_procs || mode == AN_MODE_REST)
		return;
	proc->home = v->homes + index * map_longs();
	bitmap_copy(proc->home, p->home, nr_node_ids);
	proc->core = v->cores + 2 * index * map_longs();
	proc->was_core = proc->core + map_longs();
	bitmap_copy(proc->core + map_longs(), p->core, nr_node_ids);
	proc->wish = view_wish(v, index, p);
	proc->mems = view_mems(v, index, leader);
	proc->dry = mode == AN_MODE_DRY;
	v->nr_dry += proc->dry;
	proc->moving = is_moving(p);
	proc->nr_pages = 0;
	view_pages(v, proc, p);
	v->mms[index] = p->mm;
	small = get_mm_rss(p->mm) < SMALL_PAGES;
	for_each_thread(leader, t)
		view_task(v, p, t, elapsed, small);
	v->s.nr_procs++;
}

/* Whom to view: into v->mms. Returns how many. */
static u32 list_processes(struct an_view *v)
{
	struct an_process *p;
	u32 nr = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(p, &an_processes, list) {
		if (nr == v->max_procs)
			break;
		v->mms[nr++] = p->mm;
	}
	rcu_read_unlock();
	return nr;
}

/*
 * Each in an RCU section of its own: of tens of thousands of threads one takes so long
 * that others wait. What is viewed fills v->mms behind what is still to be viewed.
 */
static void view_processes(struct an_view *v, u64 elapsed)
{
	u32 nr = list_processes(v), i;
	struct an_process *p;

	for (i = 0; i < nr; i++) {
		rcu_read_lock();
		p = an_process_find(v->mms[i]);
		if (p)
			view_process(v, p, elapsed);
		rcu_read_unlock();
		cond_resched();
	}
}

struct an_size {
	u32 tasks, procs, faults, pages;
};

static void measure(struct an_size *size)
{
	struct task_struct *leader, *t;
	struct an_process *p;

	memset(size, 0, sizeof(*size));
	rcu_read_lock();
	list_for_each_entry_rcu(p, &an_processes, list) {
		leader = an_process_leader(p);
		if (!leader)
			continue;
		size->procs++;
		for_each_thread(leader, t)
			size->tasks++;
	}
	rcu_read_unlock();
	size->procs = with_slack(size->procs);
	size->tasks = with_slack(size->tasks);
	size->faults = size->tasks * min(nr_node_ids, MEAN_NODES);
	size->pages = size->procs * nr_node_ids;
}

static void free_arrays(struct an_view *v)
{
	kvfree(v->tasks);
	kvfree(v->procs);
	kvfree(v->faults);
	kvfree(v->pages);
	kvfree(v->homes);
	kvfree(v->cores);
	kvfree(v->wishes);
	kvfree(v->mems);
	kvfree(v->allowed);
	kvfree(v->refs);
	kvfree(v->mms);
	kvfree(v->s.scratch);
	v->tasks = NULL;
	v->procs = NULL;
	v->faults = NULL;
	v->pages = NULL;
	v->homes = NULL;
	v->cores = NULL;
	v->wishes = NULL;
	v->mems = NULL;
	v->allowed = NULL;
	v->refs = NULL;
	v->mms = NULL;
	v->s.scratch = NULL;
	v->max_tasks = 0;
	v->max_procs = 0;
}

static int alloc_arrays(struct an_view *v, const struct an_size *size)
{
	size_t longs = map_longs();

	free_arrays(v);
	v->tasks = kvcalloc(size->tasks, sizeof(*v->tasks), GFP_KERNEL);
	v->procs = kvcalloc(size->procs, sizeof(*v->procs), GFP_KERNEL);
	v->faults = kvcalloc(size->faults, sizeof(*v->faults), GFP_KERNEL);
	v->pages = kvcalloc(size->pages, sizeof(*v->pages), GFP_KERNEL);
	v->homes = kvcalloc(size->procs * longs, sizeof(long), GFP_KERNEL);
	v->cores = kvcalloc(size->procs * longs, 2 * sizeof(long), GFP_KERNEL);
	v->wishes = kvcalloc(size->procs * longs, sizeof(long), GFP_KERNEL);
	v->mems = kvcalloc(size->procs * longs, sizeof(long), GFP_KERNEL);
	v->allowed = kvcalloc(size->tasks * longs, sizeof(long), GFP_KERNEL);
	v->refs = kvcalloc(size->tasks, sizeof(*v->refs), GFP_KERNEL);
	v->mms = kvcalloc(size->procs, sizeof(*v->mms), GFP_KERNEL);
	v->s.scratch = kvmalloc(an_policy_scratch(nr_node_ids, size->tasks,
						  size->procs), GFP_KERNEL);
	if (!v->tasks || !v->procs || !v->faults || !v->pages || !v->homes ||
	    !v->cores || !v->wishes || !v->mems || !v->allowed || !v->refs || !v->mms ||
	    !v->s.scratch) {
		free_arrays(v);
		return -ENOMEM;
	}
	v->max_tasks = size->tasks;
	v->max_procs = size->procs;
	v->max_faults = size->faults;
	v->max_pages = size->pages;
	return 0;
}

static int make_room(struct an_view *v)
{
	struct an_size size;

	measure(&size);
	if (size.tasks <= v->max_tasks && size.procs <= v->max_procs)
		return 0;
	return alloc_arrays(v, &size);
}

/**
 * an_view_take - look at the machine
 * @v: the view to fill
 *
 * Context: knuma_balanced, may sleep. Return: 0 or -ENOMEM; on 0 the caller
 * ends with an_view_drop().
 */
int an_view_take(struct an_view *v)
{
	u64 now = ktime_get_ns(), elapsed = now - v->clock_ns;
	int err = make_room(v);

	if (err)
		return err;
	v->clock_ns = now;
	v->number++;
	v->s.nr_tasks = 0;
	v->s.nr_procs = 0;
	v->nr_faults = 0;
	v->nr_pages = 0;
	v->nr_dry = 0;
	v->nr_groups = 0;
	view_nodes(v, div_u64(elapsed, NSEC_PER_USEC));
	view_processes(v, elapsed);
	view_other_load(v);
	v->s.nodes = v->nodes;
	v->s.tasks = v->tasks;
	v->s.procs = v->procs;
	v->s.faults = v->faults;
	v->s.pages = v->pages;
	return 0;
}

void an_view_drop(struct an_view *v)
{
	u32 i;

	for (i = 0; i < v->s.nr_tasks; i++)
		put_task_struct(v->refs[i]);
	v->s.nr_tasks = 0;
}

static void view_distances(struct an_view *v)
{
	int a, b;

	for (a = 0; a < nr_node_ids; a++)
		for (b = 0; b < nr_node_ids; b++)
			v->distance[a * nr_node_ids + b] = node_distance(a, b);
}

/* What does not change from view to view. Context: may sleep. */
int an_view_init(struct an_view *v)
{
	int cpu;

	memset(v, 0, sizeof(*v));
	v->nodes = kvcalloc(nr_node_ids, sizeof(*v->nodes), GFP_KERNEL);
	v->distance = kvmalloc_array(nr_node_ids, nr_node_ids, GFP_KERNEL);
	v->idle_us = kvcalloc(nr_cpu_ids, sizeof(*v->idle_us), GFP_KERNEL);
	v->others = kvcalloc(nr_node_ids, sizeof(*v->others), GFP_KERNEL);
	v->wanted = kvcalloc(nr_node_ids, sizeof(*v->wanted), GFP_KERNEL);
	v->worked_ns = kvcalloc(nr_node_ids, sizeof(*v->worked_ns), GFP_KERNEL);
	v->steps = kvcalloc(MAX_STEPS, sizeof(*v->steps), GFP_KERNEL);
	if (!v->nodes || !v->distance || !v->idle_us || !v->others ||
	    !v->wanted || !v->worked_ns || !v->steps) {
		an_view_free(v);
		return -ENOMEM;
	}
	view_distances(v);
	for_each_online_cpu(cpu)
		v->idle_us[cpu] = cpu_idle_us(cpu);
	v->clock_ns = ktime_get_ns();
	v->s.nr_nodes = nr_node_ids;
	v->s.distance = v->distance;
	v->s.min_faults = MIN_FAULTS;
	v->s.min_gain = MIN_GAIN;
	v->s.imbalance_pct = IMBALANCE_PCT;
	v->s.max_steps = MAX_STEPS;
	return 0;
}

void an_view_free(struct an_view *v)
{
	free_arrays(v);
	kvfree(v->steps);
	kvfree(v->worked_ns);
	kvfree(v->wanted);
	kvfree(v->others);
	kvfree(v->idle_us);
	kvfree(v->distance);
	kvfree(v->nodes);
}
