// SPDX-License-Identifier: GPL-2.0
/* What all unit tests need: TAP, random numbers, memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"

/* TAP */

static int nr_tests, nr_failed;

void ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++nr_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	nr_failed += !good;
}

void note(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* Random numbers: splitmix64, the same everywhere */

u64 rnd_state;

#define DEFAULT_SEED	20120530

void begin(int argc, char **argv, u32 *iterations)
{
	rnd_state = argc > 1 ? strtoull(argv[1], NULL, 0) : DEFAULT_SEED;
	if (argc > 2)
		*iterations = strtoul(argv[2], NULL, 0);
	note("seed %llu, %u iterations", rnd_state, *iterations);
}

u64 rnd64(void)
{
	u64 z = (rnd_state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u32 rnd(u32 below)
{
	return below ? rnd64() % below : 0;
}

bool chance(u32 percent)
{
	return rnd(100) < percent;
}

void *need(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p) {
		puts("Bail out! no memory");
		exit(1);
	}
	return p;
}

int done(void)
{
	printf("1..%d\n", nr_tests);
	return !!nr_failed;
}
