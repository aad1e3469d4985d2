/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which regions of a file the memory of a shared mapping belongs to: see grid.c.
 */
#ifndef _AUTONUMA_GRID_H
#define _AUTONUMA_GRID_H

#include <linux/jiffies.h>
#include <linux/types.h>

struct vm_area_struct;

/* Regions of a file, by their numbers, that something has parts of: one, or two. */
struct an_part {
	u32 file;
	unsigned long first, last;
	unsigned int pages;	/* in all of them */
	unsigned int head;	/* in the first region */
};

/* What lasts for some time has its end in seconds, of which 16 bits are kept. */
#define AN_UNTIL_BITS	16
#define AN_LASTS_MAX_S	600

static inline u16 an_now_s(void)
{
	return jiffies / HZ;
}

/*
 * Not more than that far ahead: what has ended lies behind. It seems to last again, for
 * so long, after 18 hours.
 */
static inline bool an_lasts(u16 until)
{
	return (u16)(until - an_now_s()) <= AN_LASTS_MAX_S;
}

bool an_grid_part(const struct vm_area_struct *vma, unsigned long addr, bool whole,
		  struct an_part *part);
void an_grid_keep(const struct vm_area_struct *vma, u16 lasts_s);

#endif /* _AUTONUMA_GRID_H */
