// SPDX-License-Identifier: GPL-2.0
/*
 * The votes on the regions of a process. Blocks are made by knuma_scand before
 * it makes a page of them fault, and end with the process's record; in between
 * anybody finds them under RCU. The words are exchanged, so there is no lock.
 *
 * Bound: a block of 4 KiB for each GiB of address space with memory in it,
 * which has two page tables of that size at least, and 2 KiB more where several nodes
 * share some. It stays when that is unmapped, so it is charged to the process's memory
 * control group.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "autonuma.h"
#include "ballot.h"
#include "decision.h"
#include "lead.h"
#include "regions.h"
#include "stats.h"
#include "trace.h"

static_assert(NODES_SHIFT <= AN_BALLOT_NODE_BITS);
static_assert(sizeof(union an_lead) == sizeof(u32));

static unsigned long index_of(unsigned long addr)
{
	return addr >> AN_BLOCK_SHIFT;
}

static unsigned long region_of(unsigned long addr)
{
	return (addr >> PMD_SHIFT) % AN_BLOCK_REGIONS;
}

/* NULL where nothing was made to fault yet. Context: RCU read side. */
atomic64_t *an_regions_find(struct an_process *p, unsigned long addr)
{
	struct an_block *block = xa_load(&p->blocks, index_of(addr));

	return block ? &block->votes[region_of(addr)] : NULL;
}

/* NULL where no region was found shared yet. Context: RCU read side. */
atomic_t *an_leads_find(struct an_process *p, unsigned long addr)
{
	struct an_leads *leads = xa_load(&p->leads, index_of(addr));

	return leads ? &leads->lead[region_of(addr)] : NULL;
}

/*
 * The node that uses the region of @lead most, AN_NO_NODE if none does, or that is NULL.
 * Nor where a fault can move no more than its page; or the process has homes, and that is
 * none of them, or where most of it runs: there it would lead everywhere, and memory is
 * to be spread.
 * Context: RCU read side, or knuma_scand.
 */
int an_leads_node(const struct an_process *p, const atomic_t *lead)
{
	int nid = lead ? an_lead_node(atomic_read(lead)) : AN_NO_NODE;

	if (nid == AN_NO_NODE || READ_ONCE(an_params.migrate) == AN_MIGRATE_FAULT)
		return AN_NO_NODE;
	if (an_any_node(p->home) &&
	    (!an_in_map(p->home, nid) || READ_ONCE(p->most_used) == nid))
		return AN_NO_NODE;
	return nid;
}

/*
 * What was known of it holds no longer: @all, or but for what holds when one node alone
 * seemed to use it. Context: as above.
 */
void an_leads_forget(struct an_process *p, unsigned long addr, bool all)
{
	atomic_t *lead = an_leads_find(p, addr);
	int old = lead ? atomic_read(lead) : 0;
	int new = all ? 0 : an_lead_again(old);

	if (new != old)
		atomic_set(lead, new);
}

/*
 * Charged to the process's control group, be it full: 6 KiB for each GiB, of which the page
 * tables take 8 and more. But the scanner, which has others to see to and holds the
 * process's mmap_lock, must neither reclaim for it nor be made to wait by memory.high.
 */
#define GFP_OF_OTHERS	(GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN)

/* The block of so many bytes for these addresses, made if need be. */
static void *block_of(struct an_process *p, struct xarray *blocks,
		      unsigned long addr, size_t size)
{
	void *block = xa_load(blocks, index_of(addr));
	struct mem_cgroup *memcg, *before;

	if (block)
		return block;
	memcg = get_mem_cgroup_from_mm(p->mm);
	before = set_active_memcg(memcg);
	block = kzalloc(size, GFP_OF_OTHERS);
	if (block && xa_err(xa_store(blocks, index_of(addr), block, GFP_OF_OTHERS))) {
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
	struct an_block *block = block_of(p, &p->blocks, addr, sizeof(*block));

	return block ? &block->votes[region_of(addr)] : NULL;
}

/* Context: as above. NULL without memory: nobody leads, until there is some. */
atomic_t *an_leads_make(struct an_process *p, unsigned long addr)
{
	struct an_leads *leads = block_of(p, &p->leads, addr, sizeof(*leads));

	return leads ? &leads->lead[region_of(addr)] : NULL;
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

static void free_blocks(struct xarray *blocks)
{
	unsigned long index;
	void *block;

	xa_for_each(blocks, index, block)
		kfree(block);
	xa_destroy(blocks);
}

/* Context: nobody finds the process any more. */
void an_regions_free(struct an_process *p)
{
	free_blocks(&p->blocks);
	free_blocks(&p->leads);
}
