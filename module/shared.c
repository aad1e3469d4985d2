// SPDX-License-Identifier: GPL-2.0
/*
 * Shared mappings are walked once per period, not once per mapper: the mappers
 * take turns, so that in time the faults of each of them are seen. What counts
 * is how much of it a turn made fault: where each uses a part of its own, and what
 * it does not use is still as the last turn left it, all have theirs in a period.
 *
 * Only knuma_scand is here, so there is no lock. Pointers are identities and
 * never followed; one that is reused costs a few turns. Two mappings that meet in
 * one slot displace each other and are then walked more often than need be.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include "shared.h"
#include "stats.h"

#define SHARED_BITS	10	/* shared mappings told apart: 56 KiB */

/* Mappings of different lengths have turns of their own. */
struct an_shared_slot {
	const struct inode *inode;
	unsigned long pgoff;
	unsigned long pages;
	const struct an_process *walker;	/* of the last turn */
	unsigned long updated;			/* jiffies, of walked */
	unsigned long walked;			/* pages, less all of them per period */
	bool wanted;				/* by another one since */
};

static struct an_shared_slot shared_slots[1 << SHARED_BITS];

static struct an_shared_slot *slot_of(struct vm_area_struct *vma)
{
	const struct inode *inode = file_inode(vma->vm_file);
	unsigned long pgoff = vma->vm_pgoff, pages = vma_pages(vma);
	struct an_shared_slot *slot;

	slot = &shared_slots[hash_long((unsigned long)inode + pgoff + pages,
				       SHARED_BITS)];
	if (slot->inode != inode || slot->pgoff != pgoff || slot->pages != pages)
		*slot = (struct an_shared_slot){
			.inode = inode,
			.pgoff = pgoff,
			.pages = pages,
			.updated = jiffies,
		};
	return slot;
}

static bool is_shared(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) && vma->vm_file;
}

/* In a period as much may be walked as the mapping is large. */
static void forget_walked(struct an_shared_slot *slot, u32 period_ms)
{
	u32 passed_ms = jiffies_to_msecs(jiffies - slot->updated);
	u64 part = mul_u64_u32_div(slot->pages, passed_ms, max(period_ms, 1U));

	slot->walked -= min_t(u64, slot->walked, part);
	slot->updated = jiffies;
}

static bool take_turn(struct an_shared_slot *slot, const struct an_process *p)
{
	forget_walked(slot, p->pace.period_ms);
	if (slot->walker && slot->walker != p && slot->walked >= slot->pages) {
		slot->wanted = true;
		return false;
	}
	if (slot->walker == p && slot->wanted) {
		slot->wanted = false;	/* theirs now, if they still want it */
		return false;
	}
	slot->walker = p;
	slot->wanted = false;
	return true;
}

/**
 * an_shared_turn - may this pass of @p walk this mapping
 * @vma: a mapping that is suitable
 * @p: the process that is scanned
 *
 * Asked chunk by chunk; what was said first holds for the pass.
 * Context: knuma_scand, mmap_lock held for reading.
 * Return: true for anything that is not shared.
 */
bool an_shared_turn(struct vm_area_struct *vma, struct an_process *p)
{
	struct an_shared_slot *slot;

	if (!is_shared(vma))
		return true;
	slot = slot_of(vma);
	if (p->turn.slot != slot || p->turn.pass != p->pass)
		p->turn = (struct an_turn){
			.slot = slot,
			.pass = p->pass,
			.had = take_turn(slot, p),
		};
	return p->turn.had;
}

/**
 * an_shared_walked - so much of a mapping was made to fault
 * @vma: the mapping, any
 * @pages: for which those stand that will
 *
 * Two mappings' worth at most is remembered: whoever had the last turn is slowed
 * down by who waits, not by this. Context: as above.
 */
void an_shared_walked(struct vm_area_struct *vma, unsigned long pages)
{
	struct an_shared_slot *slot;

	if (!is_shared(vma))
		return;
	slot = slot_of(vma);
	slot->walked = min(slot->walked + pages, 2 * slot->pages);
}
