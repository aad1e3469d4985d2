// SPDX-License-Identifier: GPL-2.0
/*
 * Shared mappings are walked once per period, not once per mapper: the mappers
 * take turns, so that in time the faults of each of them are seen.
 *
 * Only knuma_scand is here, so there is no lock. Pointers are identities and
 * never followed; one that is reused costs a turn. Two mappings that meet in
 * one slot displace each other and are then walked more often than need be.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include "shared.h"
#include "stats.h"

#define SHARED_BITS	10	/* shared mappings told apart: 48 KiB */

static struct shared_slot {
	const struct inode *inode;
	unsigned long pgoff;
	const struct an_process *walker;	/* of the last turn */
	u32 pass;				/* its pass, then */
	unsigned long walked;			/* jiffies, of the last turn */
	bool wanted;				/* by another one since */
} shared_slots[1 << SHARED_BITS];

static struct shared_slot *slot_of(const struct inode *inode,
				   unsigned long pgoff)
{
	struct shared_slot *slot;

	slot = &shared_slots[hash_long((unsigned long)inode + pgoff, SHARED_BITS)];
	if (slot->inode != inode || slot->pgoff != pgoff)
		*slot = (struct shared_slot){ .inode = inode, .pgoff = pgoff };
	return slot;
}

static bool take_turn(struct shared_slot *slot, const struct an_process *p)
{
	unsigned long period = msecs_to_jiffies(p->pace.period_ms);

	if (slot->walker && slot->walker != p &&
	    time_before(jiffies, slot->walked + period)) {
		slot->wanted = true;
		return false;
	}
	if (slot->walker == p && slot->wanted) {
		slot->wanted = false;	/* theirs now, if they still want it */
		return false;
	}
	slot->walker = p;
	slot->walked = jiffies;
	slot->wanted = false;
	return true;
}

/**
 * an_shared_turn - may this pass of @p walk this mapping
 * @vma: a mapping that is suitable
 * @p: the process that is scanned
 *
 * Asked chunk by chunk; once the turn is had, the pass keeps it.
 * Context: knuma_scand, mmap_lock held for reading.
 * Return: true for anything that is not shared.
 */
bool an_shared_turn(struct vm_area_struct *vma, const struct an_process *p)
{
	struct shared_slot *slot;

	if (!(vma->vm_flags & VM_SHARED) || !vma->vm_file)
		return true;
	slot = slot_of(file_inode(vma->vm_file), vma->vm_pgoff);
	if (slot->walker == p && slot->pass == p->pass)
		return true;
	if (!take_turn(slot, p))
		return false;
	slot->pass = p->pass;
	return true;
}
