/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AUTONUMA_FAULT_H
#define _AUTONUMA_FAULT_H

#include <linux/mm.h>
#include <linux/nodemask.h>

int an_fault_decide(struct vm_fault *vmf, unsigned long addr,
		    struct folio *folio, const nodemask_t *allowed);
void an_fault_done(int last_cpupid, int mem_node, int pages, int flags);
bool an_fault_apart(struct mm_struct *mm, unsigned long addr);

#endif /* _AUTONUMA_FAULT_H */
