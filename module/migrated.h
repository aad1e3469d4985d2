/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_MIGRATED_H
#define _AUTONUMA_MIGRATED_H

#include <linux/mm_types.h>
#include "decision.h"

struct an_process;
struct an_queue;
struct an_region;

/* Pages of one process, within one 2 MiB region, that should change node. */
struct an_span {
	struct mm_struct *mm;
	unsigned long addr;	/* page aligned; region aligned if huge */
	unsigned int pages;
	int from, to;
	bool split;		/* a huge page to be taken apart, not to be moved */
	bool carry;		/* the current thread is to bring it */
};

/* What the queues hold now, for people. */
struct an_queue_state {
	unsigned long pages;
	unsigned long regions;
	unsigned long moving;	/* pages isolated at this moment */
	unsigned int carriers;	/* threads with a region in hand */
	u64 worked_ns;		/* CPU time of the worker, in all */
};

int an_migrated_init(void);
void an_migrated_exit(void);
int an_migrated_start(void);
void an_migrated_stop(void);
bool an_migrated_takes(int nid);
int an_migrated_queue(struct an_process *p, const struct an_span *span,
		      enum an_reason why);
void an_migrated_cancel(struct an_process *p, const struct an_span *span,
			int to, enum an_reason why);
void an_migrated_decline(const struct an_span *span, enum an_reason why);
struct an_decision an_span_about(const struct an_span *span,
				 enum an_reason why);
void an_migrated_by_fault(int nid, unsigned int pages);
bool an_migrated_admit(struct an_process *p, const struct an_span *span,
		       unsigned long pages);
enum an_reason an_migrated_bring(struct an_queue *q, struct an_region *r);
void an_migrated_end(struct an_queue *q, struct an_region *r,
		     enum an_reason why);
void an_migrated_adjust(void);
void an_migrated_crowd(int nid, u32 capacity, u64 wanted);
bool an_migrated_crowded(int nid);
void an_migrated_state(int nid, struct an_queue_state *state);

#endif /* _AUTONUMA_MIGRATED_H */
