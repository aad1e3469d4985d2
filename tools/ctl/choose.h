/* SPDX-License-Identifier: GPL-2.0 */
/* Choosing: run, enable, disable, default. Each returns the exit status. */
#ifndef CTL_CHOOSE_H
#define CTL_CHOOSE_H

struct arguments;

int run_program(struct arguments *args);
int enable(struct arguments *args);
int disable(struct arguments *args);
int forget(struct arguments *args);

#endif
