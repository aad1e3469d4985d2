/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The watchdog's judgement: does balancing pay, for a process, or for a set of
 * processes that were asked for together? Plain C on plain structs, like the
 * policy.
 */
#ifndef _AUTONUMA_WATCH_H
#define _AUTONUMA_WATCH_H

#include "policy.h"

/* What one pass over one process brought, from the end of the one before. */
struct an_watch_pass {
	u32 processes;		/* of the scope that are balanced now, 1+ */
	bool dry;		/* it moves nothing, so its share cannot rise */
	u64 resident;		/* pages of the process */
	u64 faults;		/* hinting faults of its threads */
	u64 sampled;		/* the same, in pages, weighted */
	u64 local;		/* of that, on memory of the CPU's node */
	u64 moved;		/* pages */
	u64 gears_ns;		/* CPU time of the gears for it */
	u64 stalled_ns;		/* its threads' time in hinting faults */
	u64 cpu_ns;		/* CPU time of the process itself */
};

/* Sums over passes. */
struct an_watch_sum {
	u64 passes;
	u64 faults;
	u64 resident, sampled, local, moved;	/* pages */
	u64 spent_ns;		/* of the gears, and stalled */
	u64 cpu_ns;
};

/*
 * struct an_watch - a scope under the watchdog; all zero at the start, and
 * after a change of what was asked for
 *
 * A lock is the caller's. Shares are local shares, in 1/1000.
 */
struct an_watch {
	struct an_watch_sum window;	/* since the last judgement */
	struct an_watch_sum slice;	/* a part of it */
	u32 processes;		/* as of the last pass */
	bool dry;		/* likewise */
	u32 remote_pm;		/* of the slice in the window where most was */
	u32 last_remote_pm;	/* and in the window before */

	bool begun;		/* begun_pm is known */
	u32 begun_pm;		/* share when it began, or was resumed */
	u32 share_pm;		/* of the last window that tells */
	u32 bad;		/* windows in a row that did not pay */
	u32 untold;		/* windows in a row that told no share */

	bool rests;		/* from a rest to AN_R_REST_OVER */
	u64 rest_until_ms;	/* on the clock of an_watch_judge() */
	u32 rest_nr;		/* rests since a window paid */
};

void an_watch_add(struct an_watch *w, const struct an_watch_pass *pass);
enum an_reason an_watch_judge(struct an_watch *w, u64 now_ms);
bool an_watch_resting(const struct an_watch *w, u64 now_ms);
u32 an_watch_rest_ms(const struct an_watch *w, u64 now_ms);

#endif /* _AUTONUMA_WATCH_H */
