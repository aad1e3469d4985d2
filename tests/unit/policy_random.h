/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _POLICY_RANDOM_H
#define _POLICY_RANDOM_H

#include "policy.h"

/* Random snapshots per property. */
extern u32 iterations;

void test_properties(void);
void test_optimal(bool busy, double max_mean);
void test_simulations(void);

#endif /* _POLICY_RANDOM_H */
