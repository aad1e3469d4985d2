// SPDX-License-Identifier: GPL-2.0
/*
 * The module parameters: meaning, unit, default, bounds. A value out of bounds
 * is refused with EINVAL and changes nothing. All may change while running.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include "autonuma.h"
#include "decision.h"
#include "main.h"
#include "scand.h"

struct an_params an_params = {
	.enabled = true,
	.scope = AN_SCOPE_ALL,
	.scan = true,
	.balance = true,
	.migrate = AN_MIGRATE_ASYNC,
	.scan_period_min_ms = 100,
	.scan_period_max_ms = 60000,
	.scan_budget_pct = 3,
	.min_process_mb = 1,
	.min_process_cpu_ms = 250,
	.migrate_rate_mbps = 2048,
	.migrate_batch = 512,
	.balance_period_ms = 250,
	.record_all = false,
};

static const char * const migrate_names[] = {
	[AN_MIGRATE_OFF]	= "off",
	[AN_MIGRATE_ASYNC]	= "async",
	[AN_MIGRATE_FAULT]	= "fault",
	[AN_MIGRATE_THREAD]	= "thread",
};

/* False and true in turn. The kernel's own bools ignore what follows them. */
static const char * const bool_names[] = {
	"0", "1", "N", "Y", "n", "y", "off", "on",
};

static int bool_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(bool_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(*(bool *)kp->arg, i & 1);
	return 0;
}

static const struct kernel_param_ops bool_ops = {
	.set = bool_set,
	.get = param_get_bool,
};

/* Writes of sysfs are serialised by the parameter lock of this module. */
static int switch_set(const char *val, const struct kernel_param *kp)
{
	bool *flag = kp->arg, old = *flag;
	int err = bool_set(val, kp);

	if (err)
		return err;
	err = an_gears_apply();
	if (err)
		*flag = old;
	return err;
}

static const struct kernel_param_ops switch_ops = {
	.set = switch_set,
	.get = param_get_bool,
};

/* Whatever else is set, or was asked for. */
module_param_cb(enabled, &switch_ops, &an_params.enabled, 0644);
MODULE_PARM_DESC(enabled, "0 is a full bypass of all gears, as if not loaded; choices are kept (bool, default 1)");

static const char * const scope_names[] = {
	[AN_SCOPE_ALL]		= "all",
	[AN_SCOPE_ASKED]	= "asked",
};

static int scope_set(const char *val, const struct kernel_param *kp)
{
	int mode = sysfs_match_string(scope_names, val);

	if (mode < 0)
		return mode;
	WRITE_ONCE(an_params.scope, mode);
	an_scand_rouse();
	return 0;
}

static int scope_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", scope_names[an_params.scope]);
}

static const struct kernel_param_ops scope_ops = {
	.set = scope_set,
	.get = scope_get,
};

/* Which processes; see autonumactl(8) for asking. */
module_param_cb(scope, &scope_ops, NULL, 0644);
MODULE_PARM_DESC(scope, "all: every process but those excluded; asked: only those that were asked for (default all)");

/* Gear 1 and, as nothing works without it, the switch of the whole module. */
module_param_cb(scan, &switch_ops, &an_params.scan, 0644);
MODULE_PARM_DESC(scan, "walk memory and plant hinting faults; 0 is a full bypass as if not loaded (bool, default 1)");

static int migrate_set(const char *val, const struct kernel_param *kp)
{
	int mode = sysfs_match_string(migrate_names, val);

	if (mode < 0)
		return mode;
	WRITE_ONCE(an_params.migrate, mode);
	return 0;
}

static int migrate_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", migrate_names[an_params.migrate]);
}

static const struct kernel_param_ops migrate_ops = {
	.set = migrate_set,
	.get = migrate_get,
};

/* Gears 2 and 3: who carries out what the hinting faults decide. */
module_param_cb(migrate, &migrate_ops, NULL, 0644);
MODULE_PARM_DESC(migrate, "off: memory stays; async: knuma_migratedN moves it, but where threads wait for the CPUs of a node, or it has one only: as thread; fault: the faulting task does, page by page; thread: who asks for a region of 2 MiB brings it to its own node, knuma_migratedN all else (default async)");

/* Gear 4. */
module_param_cb(balance, &bool_ops, &an_params.balance, 0644);
MODULE_PARM_DESC(balance, "move tasks to their memory (bool, default 1)");

struct an_bounds {
	uint *value;
	uint min, max;
};

static int bounded_set(const char *val, const struct kernel_param *kp)
{
	const struct an_bounds *b = kp->arg;
	int err;

	err = param_set_uint_minmax(val, &(struct kernel_param){ .arg = b->value },
				    b->min, b->max);
	return err ? -EINVAL : 0;	/* too large for an int: ERANGE */
}

static int bounded_get(char *buffer, const struct kernel_param *kp)
{
	const struct an_bounds *b = kp->arg;

	return sysfs_emit(buffer, "%u\n", *b->value);
}

static const struct kernel_param_ops bounded_ops = {
	.set = bounded_set,
	.get = bounded_get,
};

/* CPU time of a process, per running thread, between two passes over it. */
static const struct an_bounds scan_period_min_ms_bounds = {
	.value = &an_params.scan_period_min_ms, .min = 10, .max = 3600000
};
module_param_cb(scan_period_min_ms, &bounded_ops, (void *)&scan_period_min_ms_bounds, 0644);
MODULE_PARM_DESC(scan_period_min_ms, "shortest CPU time of a process, per running thread, between two passes (ms, default 100)");

static const struct an_bounds scan_period_max_ms_bounds = {
	.value = &an_params.scan_period_max_ms, .min = 10, .max = 3600000
};
module_param_cb(scan_period_max_ms, &bounded_ops, (void *)&scan_period_max_ms_bounds, 0644);
MODULE_PARM_DESC(scan_period_max_ms, "longest CPU time of a process, per running thread, between two passes (ms, default 60000)");

/* Bounds the sum over all processes; 3 is in-tree balancing's bound per task. */
static const struct an_bounds scan_budget_pct_bounds = {
	.value = &an_params.scan_budget_pct, .min = 1, .max = 100
};
module_param_cb(scan_budget_pct, &bounded_ops, (void *)&scan_budget_pct_bounds, 0644);
MODULE_PARM_DESC(scan_budget_pct, "most of the machine's CPU time that knuma_scand uses, itself one thread (percent of all CPUs, default 3)");

/* Scope: smaller and younger processes cost nothing. */
static const struct an_bounds min_process_mb_bounds = {
	.value = &an_params.min_process_mb, .min = 0, .max = 1048576
};
module_param_cb(min_process_mb, &bounded_ops, (void *)&min_process_mb_bounds, 0644);
MODULE_PARM_DESC(min_process_mb, "least resident memory of a balanced process (MiB, default 1)");

static const struct an_bounds min_process_cpu_ms_bounds = {
	.value = &an_params.min_process_cpu_ms, .min = 0, .max = 3600000
};
module_param_cb(min_process_cpu_ms, &bounded_ops, (void *)&min_process_cpu_ms_bounds, 0644);
MODULE_PARM_DESC(min_process_cpu_ms, "least CPU time that a process has used before it is balanced (ms, default 250)");

/* Of each target node; 0 is no limit. */
static const struct an_bounds migrate_rate_mbps_bounds = {
	.value = &an_params.migrate_rate_mbps, .min = 0, .max = 1048576
};
module_param_cb(migrate_rate_mbps, &bounded_ops, (void *)&migrate_rate_mbps_bounds, 0644);
MODULE_PARM_DESC(migrate_rate_mbps, "most memory brought to one node per second, 0: no limit (MiB/s, default 2048)");

/* Larger: fewer TLB flushes; smaller: shorter waits for threads that use them. See batch.c. */
static const struct an_bounds migrate_batch_bounds = {
	.value = &an_params.migrate_batch, .min = 1, .max = 512
};
module_param_cb(migrate_batch, &bounded_ops, (void *)&migrate_batch_bounds, 0644);
MODULE_PARM_DESC(migrate_batch, "most pages isolated and moved at once; fewer where a TLB flush costs little (pages, default 512)");

static const struct an_bounds balance_period_ms_bounds = {
	.value = &an_params.balance_period_ms, .min = 10, .max = 3600000
};
module_param_cb(balance_period_ms, &bounded_ops, (void *)&balance_period_ms_bounds, 0644);
MODULE_PARM_DESC(balance_period_ms, "time between two looks at where tasks should run (ms, default 250)");

static int record_all_set(const char *val, const struct kernel_param *kp)
{
	int err = bool_set(val, kp);

	if (err)
		return err;
	if (an_params.record_all)
		static_branch_enable(&an_recording_all);
	else
		static_branch_disable(&an_recording_all);
	return 0;
}

static const struct kernel_param_ops record_all_ops = {
	.set = record_all_set,
	.get = param_get_bool,
};

/* What a person looks at: the ring is small, and faults would fill it. */
module_param_cb(record_all, &record_all_ops, &an_params.record_all, 0644);
MODULE_PARM_DESC(record_all, "keep each fault, queued page, pull and thread that stays in debugfs decisions, too (bool, default 0)");
