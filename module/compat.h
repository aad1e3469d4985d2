/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's headers keep from modules, or change between versions.
 */
#ifndef _AUTONUMA_COMPAT_H
#define _AUTONUMA_COMPAT_H

#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>

/* <asm/tlbflush.h> declares it for built-in code only; the patch exports it. */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables);

/*
 * The kernel's inline function names its lockdep map, which is not exported: no
 * module that calls it can be built for a kernel with lockdep.
 */
static inline void an_notifier_start(struct mmu_notifier_range *range)
{
#if defined(CONFIG_LOCKDEP) && defined(CONFIG_MMU_NOTIFIER)
	might_sleep();
	if (mm_has_notifiers(range->mm)) {
		range->flags |= MMU_NOTIFIER_RANGE_BLOCKABLE;
		__mmu_notifier_invalidate_range_start(range);
	}
#else
	mmu_notifier_invalidate_range_start(range);
#endif
}

#endif /* _AUTONUMA_COMPAT_H */
