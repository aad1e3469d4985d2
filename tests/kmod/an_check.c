// SPDX-License-Identifier: GPL-2.0
/*
 * an_check: looks at every page table and every task for what a balancer has
 * left there. Reading /sys/module/an_check/parameters/report does it, and
 * gives a "name value" per line:
 *
 *	mms, pages	processes' memories looked at, and their present pages
 *	planted		pages of these whose entry is PROT_NONE in an accessible
 *			mapping, huge ones as 512
 *	planted_huge	huge entries among them
 *	preferred	threads with a preferred node
 *	probes		on the tracepoints that autonuma probes
 *	numa_key	is in-tree balancing on? -1 if numa_key= was not given
 *	hooks_key	are the hooks on? -1 if hooks_key= was not given
 *
 * The keys are not exported: their addresses are parameters, from kallsyms.
 * It knows nothing of autonuma's own state, so it cannot share its errors.
 */
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#define MAX_MMS	4096	/* a guest of the tests has a hundred processes */

static unsigned long numa_key;
module_param(numa_key, ulong, 0400);
MODULE_PARM_DESC(numa_key, "address of sched_numa_balancing");

static unsigned long hooks_key;
module_param(hooks_key, ulong, 0400);
MODULE_PARM_DESC(hooks_key, "address of autonuma_hooks_key");

struct counts {
	unsigned long mms, pages, planted, planted_huge;
	unsigned long preferred, probes;
};

static const char * const probed[] = {
	"sched_process_exit", "sched_migrate_task",
};

static void count_ptes(pte_t *pte, unsigned long nr, struct counts *counts)
{
	for (; nr; nr--, pte++) {
		pte_t entry = ptep_get(pte);

		if (!pte_present(entry))
			continue;
		counts->pages++;
		counts->planted += pte_protnone(entry);
	}
}

static int check_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	struct counts *counts = walk->private;
	pmd_t entry = pmdp_get_lockless(pmd);
	spinlock_t *ptl;
	pte_t *pte;

	if (pmd_present(entry) && pmd_trans_huge(entry)) {
		counts->pages += HPAGE_PMD_NR;
		counts->planted += pmd_protnone(entry) ? HPAGE_PMD_NR : 0;
		counts->planted_huge += pmd_protnone(entry);
		return 0;
	}
	pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return 0;
	__acquire(RCU);	/* by the line above, unseen by sparse */
	count_ptes(pte, (end - addr) >> PAGE_SHIFT, counts);
	pte_unmap_unlock(pte, ptl);
	cond_resched();
	return 0;
}

/* PROT_NONE is what such a mapping asks for. */
static int pass_over_inaccessible(unsigned long start, unsigned long end,
				  struct mm_walk *walk)
{
	return !vma_is_accessible(walk->vma);
}

/* No pte_entry: with one, the walk itself would split huge pages. */
static const struct mm_walk_ops check_ops = {
	.pmd_entry = check_pmd,
	.test_walk = pass_over_inaccessible,
	.walk_lock = PGWALK_RDLOCK,
};

static void check_mm(struct mm_struct *mm, struct counts *counts)
{
	if (!mmget_not_zero(mm))
		return;
	counts->mms++;
	mmap_read_lock(mm);
	walk_page_range(mm, 0, TASK_SIZE_MAX, &check_ops, counts);
	mmap_read_unlock(mm);
	mmput(mm);
}

/* mm_count of the memory of a process whose leader may have ended. */
static struct mm_struct *grab_mm(struct task_struct *leader)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	for_each_thread(leader, t) {
		task_lock(t);
		if (!(t->flags & PF_KTHREAD))
			mm = t->mm;
		if (mm)
			mmgrab(mm);
		task_unlock(t);
		if (mm)
			break;
	}
	return mm;
}

/* Return: how many, more than MAX_MMS if there was no room for all. */
static unsigned int list_mms(struct mm_struct **mms)
{
	struct task_struct *p;
	struct mm_struct *mm;
	unsigned int nr = 0;

	rcu_read_lock();
	for_each_process(p) {
		mm = nr < MAX_MMS ? grab_mm(p) : NULL;
		if (mm)
			mms[nr++] = mm;
	}
	rcu_read_unlock();
	return nr;
}

static int check_mms(struct counts *counts)
{
	struct mm_struct **mms;
	unsigned int nr, i;

	mms = kvmalloc_array(MAX_MMS, sizeof(*mms), GFP_KERNEL);
	if (!mms)
		return -ENOMEM;
	nr = list_mms(mms);
	for (i = 0; i < nr; i++) {
		check_mm(mms[i], counts);
		mmdrop(mms[i]);
	}
	kvfree(mms);
	return nr < MAX_MMS ? 0 : -E2BIG;
}

static void check_tasks(struct counts *counts)
{
	struct task_struct *p, *t;

	rcu_read_lock();
	for_each_process_thread(p, t)
		counts->preferred += t->numa_preferred_nid != NUMA_NO_NODE;
	rcu_read_unlock();
}

static void count_probes(struct tracepoint *tp, void *data)
{
	struct counts *counts = data;
	struct tracepoint_func *func;

	if (match_string(probed, ARRAY_SIZE(probed), tp->name) < 0)
		return;
	rcu_read_lock();
	func = rcu_dereference(tp->funcs);
	for (; func && func->func; func++)
		counts->probes++;
	rcu_read_unlock();
}

static int key_state(unsigned long address)
{
	return address ? static_key_enabled((struct static_key *)address) : -1;
}

static int report(char *buffer, const struct kernel_param *kp)
{
	struct counts counts = {};
	int err = check_mms(&counts);

	if (err)
		return err;
	check_tasks(&counts);
	for_each_kernel_tracepoint(count_probes, &counts);
	return sysfs_emit(buffer,
			  "mms %lu\npages %lu\nplanted %lu\nplanted_huge %lu\npreferred %lu\nprobes %lu\nnuma_key %d\nhooks_key %d\n",
			  counts.mms, counts.pages, counts.planted,
			  counts.planted_huge, counts.preferred, counts.probes,
			  key_state(numa_key), key_state(hooks_key));
}

static const struct kernel_param_ops report_ops = {
	.get = report,
};

module_param_cb(report, &report_ops, NULL, 0400);
MODULE_PARM_DESC(report, "what is left in page tables and tasks");

MODULE_DESCRIPTION("Looks for what a NUMA balancer has left");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(AUTONUMA);
