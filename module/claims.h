/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who uses which regions of shared mappings, as far as it takes to tell what belongs to
 * no node: see claims.c.
 */
#ifndef _AUTONUMA_CLAIMS_H
#define _AUTONUMA_CLAIMS_H

#include <linux/types.h>
#include "policy.h"

struct an_process;
struct vm_area_struct;

#define AN_CLAIM_NODE_BITS	11

/* As a node: several, so that nobody else's is the same. */
#define AN_NODES_SEVERAL	((1 << AN_CLAIM_NODE_BITS) - 1)

/* What a process needs to make claims. Written by knuma_scand; read and, holds, set by faults. */
struct an_claimant {
	u16 who;		/* its number; 0: there was none left */
	u16 lasts_s;		/* how long a claim of its stands, s */
	s16 node;		/* its threads': one, AN_NODES_SEVERAL, AN_NO_NODE: unknown */
	bool holds;		/* it has some, as was seen since this pass began */
	bool held;		/* the same, of the pass before */
	unsigned long begun;	/* jiffies: this pass; 0: none yet */
};

int an_claims_init(void);
void an_claims_exit(void);
void an_claims_begin(struct an_process *p);
void an_claims_end(struct an_process *p);
void an_claims_pass(struct an_process *p, int nid);
bool an_claim(const struct an_process *p, const struct vm_area_struct *vma,
	      unsigned long addr, bool huge, int nid);
bool an_claims_uphold(const struct an_process *p, const struct vm_area_struct *vma,
		      unsigned long addr, u64 votes, bool anew);
bool an_claimed(const struct an_process *p, const struct vm_area_struct *vma,
		unsigned long addr, bool huge, int nid);
enum an_verdict an_claims_heed(const struct an_process *p,
			       const struct vm_area_struct *vma, unsigned long addr,
			       enum an_verdict verdict, int *node);

#endif /* _AUTONUMA_CLAIMS_H */
