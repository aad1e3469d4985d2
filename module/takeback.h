/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_TAKEBACK_H
#define _AUTONUMA_TAKEBACK_H

#include <linux/types.h>

struct mm_struct;

void an_take_back(void);
void an_take_over(void);
u64 an_take_back_from(struct mm_struct *mm);

#endif /* _AUTONUMA_TAKEBACK_H */
