// SPDX-License-Identifier: GPL-2.0
/*
 * The votes on the regions of a process. Blocks are made by knuma_scand before
 * it makes a page of them fault, and end with the process's record; in between
 * anybody finds them under RCU. The words are exchanged, so there is no lock.
 *
 * Bound: a block of 4 KiB for each GiB of address space with memory in it,
 * which has two page tables of that size at least. It stays when that is unmapped, so
 * it is charged to the process's memory control group.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "autonuma.h"
#include "ballot.h"
#include "decision.h"
#include "regions.h"
#include "stats.h"
#include "trace.h"

static_assert(NODES_SHIFT <= AN_BALLOT_NODE_BITS);

static atomic64_t *votes_in(struct an_block *block, unsigned long addr)
{
	return &block->votes[(addr >> PMD_SHIFT) % AN_BLOCK_REGIONS];
}

/* NULL where nothing was made to fault yet. Context: RCU read side. */
atomic64_t *an_regions_find(struct an_process *p, unsigned long addr)
{
	struct an_block *block = xa_load(&p->blocks, addr >> AN_BLOCK_SHIFT);

	return block ? votes_in(block, addr) : NULL;
}

/* Charged to the process's control group, in which nobody is to die of it. */
#define GFP_OF_OTHERS	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN)

static struct an_block *make_block(struct an_process *p, unsigned long index)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(p->mm);
	struct mem_cgroup *before = set_active_memcg(memcg);
	struct an_block *block = kzalloc(sizeof(*block), GFP_OF_OTHERS);

	if (block && xa_err(xa_store(&p->blocks, index, block, GFP_OF_OTHERS))) {
		kfree(block);
		block = NULL;
	}
	set_active_memcg(before);
	mem_cgroup_put(memcg);
	if (!block)
		an_count(AN_C_NO_MEMORY, 1);
	return block;
}

/*
 * Context: knuma_scand, may sleep. NULL without memory: the region is looked at
 * page by page, until there is some.
 */
atomic64_t *an_regions_make(struct an_process *p, unsigned long addr)
{
	unsigned long index = addr >> AN_BLOCK_SHIFT;
	struct an_block *block = xa_load(&p->blocks, index);

	if (!block)
		block = make_block(p, index);
	return block ? votes_in(block, addr) : NULL;
}

/* A huge page is taken apart, was, or is kept so. Context: any. */
void an_regions_say_split(const struct an_process *p, unsigned long addr,
			  enum an_reason why)
{
	struct an_decision d;

	an_count_reason(why, 1);
	if (why == AN_R_SPLIT_KEPT && !an_watched(split))
		return;		/* as often as khugepaged likes */
	d = an_about(pid_nr(p->pid), why);
	d.addr = addr & PMD_MASK;
	d.pages = HPAGE_PMD_NR;
	an_decided(split, &d);
}

/* Context: nobody finds the process any more. */
void an_regions_free(struct an_process *p)
{
	struct an_block *block;
	unsigned long index;

	xa_for_each(&p->blocks, index, block)
		kfree(block);
	xa_destroy(&p->blocks);
}
