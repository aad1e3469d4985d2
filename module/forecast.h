/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a dry run may expect of balancing: the local share of a process now, and
 * once its threads and its memory are where the policy wants them. Plain C on
 * plain structs, like the policy.
 */
#ifndef _AUTONUMA_FORECAST_H
#define _AUTONUMA_FORECAST_H

#include "policy.h"

#define AN_SHARE_UNKNOWN	((u32)~0)

/* Local share of the accesses of a process, in 1/1000, or AN_SHARE_UNKNOWN. */
struct an_share {
	u32 now_pm;
	u32 then_pm;		/* of a dry run, else AN_SHARE_UNKNOWN */
};

size_t an_forecast_scratch(const struct an_snapshot *s);
void an_forecast(const struct an_snapshot *s, void *scratch,
		 struct an_share *shares);

#endif /* _AUTONUMA_FORECAST_H */
