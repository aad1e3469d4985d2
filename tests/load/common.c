// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n < min || n > max)
		die("%s is no number from %lu to %lu", text, min, max);
	return n;
}

unsigned int choice(const char *text, const char * const *words, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(text, words[i]))
			return i;
	}
	die("unknown word %s; see --help", text);
}
