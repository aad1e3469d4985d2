/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's headers keep from modules, or change between versions.
 */
#ifndef _AUTONUMA_COMPAT_H
#define _AUTONUMA_COMPAT_H

#include <linux/mm_types.h>

/* <asm/tlbflush.h> declares it for built-in code only; the patch exports it. */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables);

#endif /* _AUTONUMA_COMPAT_H */
