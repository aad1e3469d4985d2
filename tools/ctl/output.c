// SPDX-License-Identifier: GPL-2.0
/* What is said to people, and how the program ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "output.h"

int failure_status = 1;

void fail(const char *format, ...)
{
	va_list args;

	fputs("autonumactl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(failure_status);
}

void *need(void *memory)
{
	if (!memory)
		fail("out of memory");
	return memory;
}

char *text(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return need(s);
}

void line(const char *name, const char *format, ...)
{
	va_list args;

	printf("  %-14s ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

const char *size_text(char *buf, __u64 bytes)
{
	static const char units[] = "KMGTPE";
	double size = bytes / 1024.0;
	unsigned int i = 0;

	while (size >= 1024 && units[i + 1]) {
		size /= 1024;
		i++;
	}
	snprintf(buf, SIZE_TEXT, i ? "%.1f %ciB" : "%.0f %ciB", size, units[i]);
	return buf;
}

const char *share_text(char *buf, __u32 per_mille)
{
	snprintf(buf, SHARE_TEXT, "%u.%u %%", per_mille / 10, per_mille % 10);
	return buf;
}

void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

struct json_object *json_text(const char *string)
{
	return string ? json_object_new_string(string) : NULL;
}

void end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		fail("standard output: %s", strerror(errno));
}
