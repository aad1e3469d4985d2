/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every room of the module shares: the parameters, the counters, and
 * the state of the whole.
 */
#ifndef _AUTONUMA_H
#define _AUTONUMA_H

#include <linux/autonuma_hooks.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include "policy.h"

enum an_migrate_mode {
	AN_MIGRATE_OFF,		/* decide, count, move nothing */
	AN_MIGRATE_ASYNC,	/* queue for knuma_migratedN; THREAD on crowded nodes */
	AN_MIGRATE_FAULT,	/* the fault itself migrates */
	AN_MIGRATE_THREAD,	/* who asks for a region brings it, see carry.c */
};

enum an_scope_mode {
	AN_SCOPE_ALL,		/* all processes but those excluded */
	AN_SCOPE_ASKED,		/* those that were asked for */
};

/* Written by their sysfs files, read by anyone with READ_ONCE(). */
struct an_params {
	bool enabled;
	int scope;		/* enum an_scope_mode */
	bool scan;
	bool balance;
	int migrate;		/* enum an_migrate_mode */
	uint scan_period_min_ms;
	uint scan_period_max_ms;
	uint scan_budget_pct;
	uint min_process_mb;
	uint min_process_cpu_ms;
	uint migrate_rate_mbps;
	uint migrate_batch;
	uint balance_period_ms;
	bool record_all;
};

extern struct an_params an_params;

/* Event counters: per CPU, so that no fault writes a shared line. */
enum an_counter {
	AN_C_SCAN_PASSES,	/* walks over a whole process ended */
	AN_C_SCAN_COUNTED,	/* present pages seen */
	AN_C_SCAN_PLANTED,	/* pages whose entry was made to fault */
	AN_C_SCAN_LOCK_BUSY,	/* chunks put off: mmap_lock contended */
	AN_C_FAULTS,		/* hinting faults of balanced processes */
	AN_C_FAULTS_LOCAL,
	AN_C_NO_MEMORY,		/* allocations that failed and were done without */
	AN_C_CHOICES_LOST,	/* children that do not follow: no memory */
	AN_C_QUEUED,		/* pages */
	AN_C_QUEUE_FULL,	/* pages not queued: bound or no memory */
	AN_C_CANCELLED,		/* pages taken back from a queue */
	AN_C_ISOLATED,		/* pages */
	AN_C_MIGRATED,		/* pages */
	AN_C_MIGRATE_FAILED,	/* pages isolated that stayed */
	AN_C_MIGRATE_STALE,	/* queued pages gone or moved meanwhile */
	AN_C_MIGRATE_REFUSED,	/* queued pages busy, or their target full */
	AN_C_MIGRATE_GIVEN_UP,	/* queued pages whose mm lock was not had */
	AN_C_RATE_LIMITED,	/* times a worker or fault waited for the rate */
	AN_C_MIGRATE_COOLING,	/* pages left: the process's pages return */
	AN_C_TASK_MOVES,	/* verified */
	AN_C_TASK_SWAPS,	/* verified */
	AN_C_TASK_STEPS_FAILED,	/* told to go and did not */
	AN_C_TASK_MOVES_UNDONE,	/* moved task found on another node later */
	AN_C_PULLS_AGAINST,	/* load balancer told: would lose locality */
	AN_C_PULLS_HOME,	/* the same, or a wake-up: to the preferred node */
	AN_C_TAKEN_BACK,	/* planted pages restored by a bypass */
	AN_C_LEFT_PLANTED,	/* mms left to the fault path by a bypass */
	AN_C_SCAND_NS,		/* CPU time charged to processes, by gear */
	AN_C_MIGRATED_NS,
	AN_C_BALANCED_NS,
	AN_C_NR
};

struct an_counters {
	u64 count[AN_C_NR];
	u64 reason[AN_R_NR];	/* decisions; of gear 3, pages */
};

DECLARE_PER_CPU(struct an_counters, an_counters);

static inline void an_count(enum an_counter which, u64 nr)
{
	this_cpu_add(an_counters.count[which], nr);
}

static inline void an_count_reason(enum an_reason why, u64 nr)
{
	this_cpu_add(an_counters.reason[why], nr);
}

u64 an_counter_sum(enum an_counter which);
u64 an_reason_sum(enum an_reason why);
const char *an_counter_name(enum an_counter which);

/* The watchdog's clock: ms, from an arbitrary start. Context: any. */
static inline u64 an_now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

/*
 * The node of the last fault on a page, AN_NO_NODE if there was none. While memory is
 * tiered the core keeps a time in its place, which stays when that ends.
 */
static inline int an_last_node(int last_cpupid)
{
	return cpupid_pid_unset(last_cpupid) ||
	       cpupid_to_cpu(last_cpupid) >= nr_cpu_ids ?
	       AN_NO_NODE : cpupid_to_nid(last_cpupid);
}

/*
 * The bits of a pid that a page keeps. All ones would be nobody's there: a thread with
 * such a pid goes by other bits, as if it were another thread.
 */
static inline int an_pid_bits(pid_t pid)
{
	int bits = pid & LAST__PID_MASK;

	return bits == LAST__PID_MASK ? 0 : bits;
}

/* The gears run: started by loading or scan=1, stopped by scan=0. */
bool an_running(void);

#endif /* _AUTONUMA_H */
