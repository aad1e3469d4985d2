/* SPDX-License-Identifier: GPL-2.0 */
/* What all unit tests need: TAP, random numbers, memory. */
#ifndef _UNIT_H
#define _UNIT_H

#include "policy.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* The seed of all random numbers. */
extern u64 rnd_state;

__attribute__((format(printf, 2, 3)))
void ok(bool good, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void note(const char *fmt, ...);
u64 rnd64(void);
u32 rnd(u32 below);
bool chance(u32 percent);
void *need(size_t nr, size_t size);

/*
 * Reads "[seed [iterations]]" and says what holds. @iterations: the default, and
 * what is asked for.
 */
void begin(int argc, char **argv, u32 *iterations);

/* The plan; returns the exit status. */
int done(void);

#endif /* _UNIT_H */
