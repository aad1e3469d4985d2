/* SPDX-License-Identifier: GPL-2.0 */
/* What holds for a process, a control group, or the whole machine. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

struct arguments;

int status(struct arguments *args);

#endif
