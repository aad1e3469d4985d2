/* SPDX-License-Identifier: GPL-2.0 */
/* What keeps autonuma from working on this machine. */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>

struct arguments;
struct findings;

int doctor(struct arguments *args);

/* The nodes, their distances. Is there more than one to choose from? */
bool check_nodes(struct findings *f);

/* Others that move memory or tasks, or keep them where they are. */
void check_rivals(struct findings *f);
void check_limits(struct findings *f);

#endif
