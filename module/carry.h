/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_CARRY_H
#define _AUTONUMA_CARRY_H

#include <linux/types.h>

struct an_queue;
struct an_region;

bool an_carry_begin(struct an_queue *q, struct an_region *r);
void an_carry_wait(struct an_queue *q);

#endif /* _AUTONUMA_CARRY_H */
