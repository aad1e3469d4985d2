/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often gear 1 walks a process, and how much of it shall fault: drawn from what
 * the last pass found and what the hinting faults since the one before added up to.
 * Plain C on plain structs, like the rest of the policy.
 */
#ifndef _AUTONUMA_POLICY_PACE_H
#define _AUTONUMA_POLICY_PACE_H

#include "policy.h"

/*
 * struct an_pace - what is kept of that from pass to pass; an_policy_pace_start()
 *
 * A lock is the caller's.
 */
struct an_pace {
	u32 period_ms;		/* CPU time per thread between passes */
	u32 one_in;		/* of pages not at rest, one in so many shall fault */
	u32 rest_one_in;	/* likewise, of those at rest */
	bool stirred;		/* pages at rest get remote faults */
	bool in_place;		/* most faults of the last passes were local */
	bool all_in_place;	/* and more than 7/8 of them */
	u32 stir_pass;		/* the first one after they began to */
	bool changed;		/* of most of them, the users have changed */
	u32 changed_pass;	/* the first one after that */
	u32 vain_passes;	/* in a row, nothing moved */
	u64 moved_seen;		/* pages moved ever, when the last pass ended */
	u64 resident_seen;	/* pages at the end of any pass, at most */
};

/* What is known when a pass has ended, or since: pages, faults since the last one. */
struct an_pace_facts {
	u32 pass;		/* number of that pass; wraps around */
	u64 resident;		/* pages of the process that the pass has counted */
	u64 size;		/* all it has: a shared mapping has its turn in some passes only */
	u64 restless;		/* of these, not at rest */
	u64 asked;		/* of these, as it is being found out who uses them most */
	bool tries;		/* it is new, and huge pages on trial were used */
	u64 moved;		/* ever */
	u64 to_spread;		/* that may move between its home nodes, yet */
	bool spreads;		/* and until it is even */
	u64 seen;		/* faults, each as the pages it stands for */
	u64 rested;		/* faults on pages at rest */
	u64 roused;		/* of these, from elsewhere */
	bool may_change;	/* each thread had its memory with it, and may change places */
	u32 min_ms, max_ms;	/* bounds of the period */
	u32 pages_per_mib;
};

/* Has @now come to pass @then? Their numbers wrap around. */
static inline bool an_pass_reached(u32 now, u32 then)
{
	return now - then <= ~0U / 2;
}

void an_policy_pace_start(struct an_pace *pace, u32 min_ms);
void an_policy_pace_sooner(struct an_pace *pace, u32 min_ms);
void an_policy_pace_look(struct an_pace *pace, const struct an_pace_facts *f);
enum an_reason an_policy_pace_ended(struct an_pace *pace,
				    const struct an_pace_facts *f);
void an_policy_pace_placed(struct an_pace *pace, u32 pass, u64 local, u64 seen);
bool an_policy_pace_awaits(const struct an_pace *pace, u32 pass);

#endif /* _AUTONUMA_POLICY_PACE_H */
