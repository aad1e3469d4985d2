// SPDX-License-Identifier: GPL-2.0
/*
 * Load, unload, parameters: the order of start, and its exact reverse.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include "ask.h"
#include "autonuma.h"
#include "balance.h"
#include "choice.h"
#include "claims.h"
#include "debugfs.h"
#include "decision.h"
#include "fault.h"
#include "main.h"
#include "migrated.h"
#include "scand.h"
#include "stats.h"
#include "takeback.h"

/* Serialises start and stop: loading, unloading and writers of scan. */
static DEFINE_MUTEX(gears_mutex);
static bool gears_started;	/* under gears_mutex */
static bool module_ready;	/* under gears_mutex: parameters may act */

/* Read by the hooks under RCU: false keeps them from every side effect. */
static bool running;

static const struct autonuma_ops ops = {
	.decide = an_fault_decide,
	.fault = an_fault_done,
	.pull = an_balance_pull,
	.apart = an_fault_apart,
};

bool an_running(void)
{
	return READ_ONCE(running);
}

bool an_gears_trylock(void)
{
	return mutex_trylock(&gears_mutex);
}

void an_gears_unlock(void)
{
	mutex_unlock(&gears_mutex);
}

static int take_over(void)
{
	int err = autonuma_register(&ops);

	if (err == -EOPNOTSUPP)
		pr_err("memory tiering is in use (kernel.numa_balancing has 2 set): not loading\n");
	else if (err)
		pr_err("another balancer is registered: %d\n", err);
	return err;
}

/*
 * The exit probe before there are entries of threads, workers before the faults
 * that feed them, the scanner that causes those last.
 */
static int gears_start(void)
{
	int err;

	err = an_stats_start();
	if (err)
		return err;
	err = an_migrated_start();
	if (err)
		goto stop_stats;
	err = take_over();
	if (err)
		goto stop_migrated;
	an_take_over();
	err = an_balance_start();
	if (err)
		goto unregister;
	WRITE_ONCE(running, true);
	err = an_scand_start();
	if (!err) {
		gears_started = true;
		return 0;
	}
	WRITE_ONCE(running, false);
	an_balance_stop();
unregister:
	autonuma_unregister(&ops);
stop_migrated:
	an_migrated_stop();
stop_stats:
	an_stats_stop();
	return err;
}

/*
 * The full bypass. Nothing plants; no hook acts, and none is still acting;
 * nothing moves; the planted entries are gone; only then the kernel's own
 * fault filter may see faults again.
 */
static void gears_stop(void)
{
	an_scand_stop();
	WRITE_ONCE(running, false);
	synchronize_rcu();
	an_balance_stop();
	an_migrated_stop();
	an_take_back();
	autonuma_unregister(&ops);
	an_stats_stop();
	gears_started = false;
}

static bool one_node(void)
{
	return num_node_state(N_MEMORY) < 2;
}

/* Start or stop, as the parameters enabled and scan say. */
int an_gears_apply(void)
{
	bool wanted = an_params.enabled && an_params.scan;
	int err = 0;

	mutex_lock(&gears_mutex);
	if (!wanted && gears_started)
		gears_stop();
	else if (wanted && !gears_started && module_ready && !one_node())
		err = gears_start();
	mutex_unlock(&gears_mutex);
	return err;
}

/* From here on a parameter starts nothing, though its file is still there. */
static void gears_end(void)
{
	mutex_lock(&gears_mutex);
	module_ready = false;
	if (gears_started)
		gears_stop();
	mutex_unlock(&gears_mutex);
}

static int __init autonuma_init(void)
{
	int err = an_decision_init();

	if (err)
		return err;
	an_stats_init();
	err = an_claims_init();
	if (err)
		goto stats_exit;
	err = an_migrated_init();
	if (err)
		goto claims_exit;
	if (one_node())
		pr_info("one node has memory: nothing to do\n");
	module_ready = true;
	err = an_gears_apply();
	if (err)
		goto end;
	err = an_ask_init();
	if (err)
		goto end;
	an_debugfs_init();
	pr_info("loaded\n");
	return 0;

end:
	gears_end();
	an_migrated_exit();
claims_exit:
	an_claims_exit();
stats_exit:
	an_stats_exit();
	an_decision_exit();
	return err;
}

static void __exit autonuma_exit(void)
{
	an_debugfs_exit();
	an_ask_exit();
	gears_end();
	an_choice_exit();
	an_migrated_exit();
	an_claims_exit();
	an_stats_exit();
	an_decision_exit();
	pr_info("unloaded\n");
}

module_init(autonuma_init);
module_exit(autonuma_exit);

MODULE_DESCRIPTION("Places memory next to the CPUs that use it, and tasks next to their memory");
MODULE_AUTHOR("The AutoNUMA developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_IMPORT_NS(AUTONUMA);
