/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_SCAND_H
#define _AUTONUMA_SCAND_H

#include <linux/types.h>

struct an_process;

int an_scand_start(void);
void an_scand_stop(void);
void an_scand_rouse(void);
void an_scand_charge(struct an_process *p, u64 used);

#endif /* _AUTONUMA_SCAND_H */
