/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_SHARED_H
#define _AUTONUMA_SHARED_H

#include <linux/mm_types.h>

struct an_process;

bool an_shared_turn(struct vm_area_struct *vma, struct an_process *p);
void an_shared_walked(struct vm_area_struct *vma, unsigned long pages);

#endif /* _AUTONUMA_SHARED_H */
