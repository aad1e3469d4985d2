/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the votes on the regions of a process are kept: a block per GiB of
 * address space that has memory in it, a word per region.
 */
#ifndef _AUTONUMA_REGIONS_H
#define _AUTONUMA_REGIONS_H

#include <linux/atomic.h>
#include <linux/pgtable.h>
#include <linux/types.h>
#include "reason.h"

struct an_process;

#define AN_BLOCK_SHIFT		PUD_SHIFT
#define AN_BLOCK_REGIONS	(PUD_SIZE / PMD_SIZE)

/* Votes on the regions of a GiB, as union an_ballot. */
struct an_block {
	atomic64_t votes[AN_BLOCK_REGIONS];
};

/* Who leads in them, as union an_lead: made once one is shared. */
struct an_leads {
	atomic_t lead[AN_BLOCK_REGIONS];
};

atomic64_t *an_regions_find(struct an_process *p, unsigned long addr);
atomic64_t *an_regions_make(struct an_process *p, unsigned long addr);
atomic_t *an_leads_find(struct an_process *p, unsigned long addr);
void an_leads_forget(struct an_process *p, unsigned long addr, bool all);
int an_leads_node(const struct an_process *p, const atomic_t *lead);
atomic_t *an_leads_make(struct an_process *p, unsigned long addr);
void an_regions_say_split(const struct an_process *p, unsigned long addr,
			  enum an_reason why);
void an_regions_free(struct an_process *p);

#endif /* _AUTONUMA_REGIONS_H */
