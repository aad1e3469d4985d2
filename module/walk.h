/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_WALK_H
#define _AUTONUMA_WALK_H

#include <linux/mm.h>
#include "reason.h"

/* Why single pages do not move: a slot of an_isolate.failed each. */
#define AN_NR_PAGE_REASONS	(AN_R_PAGE_IN_USE - AN_R_PAGE_GONE + 1)

/* What one walk over one chunk of a VMA counts and plants. */
struct an_plant {
	u32 *counting;		/* present pages per node are added here */
	u32 one_in;		/* plant one page in so many, drawn at random */
	u32 rest_one_in;	/* the same, of those at rest */
	u32 random;		/* state of the draw, never 0 */
	unsigned long first, last;	/* planted since an_walk_begin() */
	unsigned long counted;	/* out: pages */
	unsigned long planted;	/* out: pages */
	unsigned long huge;	/* out: huge entries among them */
	unsigned long samples;	/* out: of those planted, pages at rest */
	unsigned long restless;	/* out: pages that could be planted, not at rest */
};

/* Pages of one region to be taken off the LRU for a move. */
struct an_isolate {
	struct vm_area_struct *vma;
	unsigned long base;		/* address of bit 0 */
	unsigned long *wanted;		/* bit per base page; cleared as done */
	int from, to;			/* nodes */
	unsigned long limit;		/* stop when so many are isolated */
	struct list_head *folios;	/* out */
	unsigned long isolated;		/* out: pages */
	unsigned long refused;		/* out: pages there that may not move now */
	unsigned long failed[AN_NR_PAGE_REASONS];
					/* out: all that do not move, by reason */
};

/* So many pages do not move, for this reason of failed. */
static inline void an_isolate_note(struct an_isolate *iso, enum an_reason why,
				   unsigned long nr)
{
	iso->failed[why - AN_R_PAGE_GONE] += nr;
}

static inline unsigned long an_isolate_noted(const struct an_isolate *iso,
					     enum an_reason why)
{
	return iso->failed[why - AN_R_PAGE_GONE];
}

unsigned long an_walk_next(struct vm_area_struct *vma, unsigned long start);
void an_walk_begin(struct mm_struct *mm, struct an_plant *plant);
void an_walk_end(struct mm_struct *mm, struct an_plant *plant);
void an_walk_plant(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end, struct an_plant *plant);
unsigned long an_walk_take_back(struct vm_area_struct *vma, unsigned long start,
				unsigned long end);
void an_walk_isolate(struct an_isolate *iso, unsigned long start,
		     unsigned long end);

#endif /* _AUTONUMA_WALK_H */
