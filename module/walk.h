/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_WALK_H
#define _AUTONUMA_WALK_H

#include <linux/mm.h>
#include "ballot.h"

/* Why single pages do not move: a slot of an_isolate.failed each. */
#define AN_NR_PAGE_REASONS	(AN_R_PAGE_IN_USE - AN_R_PAGE_GONE + 1)

/*
 * A page keeps so many bits of the pid of the thread that faulted on it last. By
 * these: the node where that thread runs, AN_NO_NODE if that is not certain.
 */
#define AN_WHERE_SLOTS	(LAST__PID_MASK + 1)
#define AN_WHERE_NOBODY	(-2)	/* no thread of the process has such a pid */

/*
 * Where pages are looked at one by one, those at rest stand for so many others:
 * as many as a sample of a region stands for.
 */
#define AN_EACH_REST_ONE_IN	(HPAGE_PMD_NR / AN_BALLOT_SAMPLES)

/*
 * Of pages that tell nothing, in a region in which each was made to fault before:
 * most were moved by that fault, and written to since, which made them forget.
 */
#define AN_AGAIN_ONE_IN		8

/* What is known of a region before it is walked, and what was done there. */
struct an_guide {
	enum an_verdict verdict;	/* AN_V_NONE: there are no votes on it */
	bool mapped;		/* other processes may map it */
	int node;		/* AN_V_GATHER, AN_V_LED: where it belongs */
	bool each;		/* go page by page */
	bool again;		/* likewise, and each was made to fault before */
	bool sparse;		/* out: few pages, so page by page all the same */
	u32 draw;		/* pages to make fault: of this draw */
	bool redraw;		/* and of the one before, once more */
	atomic_t *lead;		/* who leads in it, NULL where it is not shared */
	bool open;		/* that is to be found out */
	bool unused;		/* others may use it; the process was not seen to */
	bool huge;		/* out: it is a huge page, which will fault */
	bool left;		/* out: led, and the threads that did have left that node */
	bool drawn;		/* out: they were */
	bool found;		/* out: and some are there to fault */
	bool rests;		/* out: likewise, of a region at rest */
	bool asked;		/* out: some pages will fault, or none is there */
};

/* What one walk over one chunk of a VMA counts and plants. */
struct an_plant {
	u32 *counting;		/* present pages per node are added here; NULL: nowhere */
	u32 *settled;		/* and here those that are where their verdict wants them */
	bool look;		/* at what would be planted, only */
	const unsigned long *home;	/* nodes where shared memory belongs */
	struct an_guide guide;	/* to the region of the chunk */
	u32 one_in;		/* plant one region or page in so many, drawn */
	u32 rest_one_in;	/* the same, of those at rest */
	const s16 *where;	/* by the pid that a page keeps: AN_WHERE_SLOTS */
	u32 pass;		/* its number: two in a row look at the same regions */
	u32 random;		/* state of the draw, never 0 */
	unsigned long first, last;	/* planted since an_walk_begin() */
	unsigned long counted;	/* out: pages, by those that were looked at */
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
	int to;				/* node */
	bool huge_only;			/* no part of one, and no file's */
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

/*
 * May what is mapped in @mm be walked, until its mmap_lock is dropped? exit_mmap() frees page
 * tables and mappings with that held for writing. So no gear holds mm_users, as the OOM reaper
 * does not: the last to put it frees all memory, and wait() in the parent would return before
 * files and devices that were mapped are free. Context: mmap_lock held; mm_count for a hint,
 * which if false is so for good.
 */
static inline bool an_walk_may(const struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users);
}

unsigned long an_walk_next(struct vm_area_struct *vma, unsigned long start);
bool an_walk_faults_again(const struct vm_area_struct *vma, unsigned long addr,
			  u32 draw);
void an_walk_begin(struct mm_struct *mm, struct an_plant *plant);
bool an_walk_end(struct mm_struct *mm, struct an_plant *plant);
void an_walk_plant(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end, struct an_plant *plant);
unsigned long an_walk_take_back(struct vm_area_struct *vma, unsigned long start,
				unsigned long end);
void an_walk_isolate(struct an_isolate *iso, unsigned long start,
		     unsigned long end);

#endif /* _AUTONUMA_WALK_H */
