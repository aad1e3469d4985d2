// SPDX-License-Identifier: GPL-2.0
/*
 * What a person looks at, under /sys/kernel/debug/autonuma: status, processes
 * and decisions. Nothing here is needed for the gears to run.
 *
 * A file of debugfs pins the module of its file_operations while it is open.
 * Those of debugfs_create_devm_seqfile() are the kernel's, so nothing that a
 * program holds open keeps the module loaded; removal waits for reads only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include "regions.h"
#include "autonuma.h"
#include "debugfs.h"
#include "decision.h"
#include "main.h"
#include "migrated.h"
#include "stats.h"

static struct device *device;
static struct dentry *dir;

static void show_queues(struct seq_file *m)
{
	unsigned long queued = 0, moving = 0, carriers = 0;
	struct an_queue_state state;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		an_migrated_state(nid, &state);
		queued += state.pages;
		moving += state.moving;
		carriers += state.carriers;
		seq_printf(m, "node%d_queued_now %lu\n", nid, state.pages);
	}
	seq_printf(m, "queued_now %lu\nmoving_now %lu\ncarrying_now %lu\n",
		   queued, moving, carriers);
}

static int status_show(struct seq_file *m, void *unused)
{
	enum an_counter which;
	enum an_reason why;

	seq_printf(m, "running %d\n", an_running());
	seq_printf(m, "bytes_per_process %zu\nbytes_per_gib %zu\nbytes_per_thread %zu\n",
		   an_process_bytes(), sizeof(struct an_block) + sizeof(struct an_leads),
		   an_thread_bytes());
	for (which = 0; which < AN_C_NR; which++)
		seq_printf(m, "%s %llu\n", an_counter_name(which),
			   an_counter_sum(which));
	for (why = AN_R_NONE + 1; why < AN_R_NR; why++)
		seq_printf(m, "why_%s_%s %llu\n",
			   an_act_name(an_reason_act(why)), an_reason_name(why),
			   an_reason_sum(why));
	/* Being started or stopped, which can take a minute, there is nothing to tell yet. */
	if (!an_gears_trylock())
		return 0;
	if (an_running())
		show_queues(m);
	an_gears_unlock();
	return 0;
}

static void show_threads(struct seq_file *m, const struct an_process *p)
{
	struct task_struct *leader = an_process_leader(p), *task;
	struct an_thread *t;
	int nid;

	if (!leader)
		return;
	for_each_thread(leader, task) {
		t = an_thread_find(task);
		if (!t)
			continue;
		seq_printf(m, "  thread %d node %d preferred %d load %u want %u stay %s on_preferred_ms %llu off_preferred_ms %llu faults",
			   task->pid, cpu_to_node(task_cpu(task)),
			   READ_ONCE(task->numa_preferred_nid),
			   READ_ONCE(t->load), READ_ONCE(t->want),
			   an_reason_name(READ_ONCE(t->stay)),
			   div_u64(READ_ONCE(t->on_preferred), NSEC_PER_MSEC),
			   div_u64(READ_ONCE(t->off_preferred), NSEC_PER_MSEC));
		for (nid = 0; nid < nr_node_ids; nid++)
			seq_printf(m, " %u/%u", READ_ONCE(t->nodes[2 * nid]),
				   READ_ONCE(t->nodes[2 * nid + 1]));
		seq_putc(m, '\n');
	}
}

static int processes_show(struct seq_file *m, void *unused)
{
	struct an_process *p;
	int nid;

	rcu_read_lock();
	list_for_each_entry_rcu(p, &an_processes, list) {
		seq_printf(m, "process %d pass %u one_in %u rest_one_in %u period_ms %u",
			   pid_nr(p->pid), READ_ONCE(p->pass),
			   READ_ONCE(p->pace.one_in), READ_ONCE(p->pace.rest_one_in),
			   READ_ONCE(p->pace.period_ms));
		seq_printf(m, " flush_ns %llu page_ns %llu",
			   READ_ONCE(p->flush_ns), READ_ONCE(p->page_ns));
		seq_printf(m, " scand_us %llu migrated_us %llu balanced_us %llu home %*pbl core %*pbl pages",
			   div_u64(READ_ONCE(p->scand_ns), NSEC_PER_USEC),
			   div_u64(atomic64_read(&p->migrated_ns), NSEC_PER_USEC),
			   div_u64(READ_ONCE(p->balanced_ns), NSEC_PER_USEC),
			   nr_node_ids, p->home, nr_node_ids, p->core);
		for (nid = 0; nid < nr_node_ids; nid++)
			seq_printf(m, " %u", READ_ONCE(p->pages[nid]));
		seq_putc(m, '\n');
		show_threads(m, p);
	}
	rcu_read_unlock();
	return 0;
}

static int decisions_show(struct seq_file *m, void *unused)
{
	an_decisions_show(m);
	return 0;
}

static void unseen(const char *what)
{
	an_count(AN_C_NO_MEMORY, 1);
	pr_warn("debugfs: %s could not be made\n", what);
}

static void create_file(const char *name,
			int (*show)(struct seq_file *m, void *unused))
{
	struct dentry *file;

	debugfs_create_devm_seqfile(device, name, dir, show);
	file = debugfs_lookup(name, dir);
	if (IS_ERR_OR_NULL(file))
		unseen(name);
	else
		dput(file);
}

/* Without debugfs, or memory for it, the module runs unseen. */
void an_debugfs_init(void)
{
	device = root_device_register(KBUILD_MODNAME);
	if (IS_ERR(device)) {
		device = NULL;
		unseen("the directory");
		return;
	}
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	create_file("status", status_show);
	create_file("processes", processes_show);
	create_file("decisions", decisions_show);
}

void an_debugfs_exit(void)
{
	debugfs_remove(dir);
	if (device)
		root_device_unregister(device);
}
