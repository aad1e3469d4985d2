/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many pages of a process gear 3 moves at once. Plain C, like the policy.
 */
#ifndef _AUTONUMA_BATCH_H
#define _AUTONUMA_BATCH_H

#include "policy.h"

u64 an_policy_batch_average(u64 old, u64 ns);
u64 an_policy_batch_page(u64 old, u64 ns, u64 flush_ns, u32 pages);
u32 an_policy_batch(u64 flush_ns, u64 page_ns, u32 most);

#endif /* _AUTONUMA_BATCH_H */
