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

/* How many bytes of UTF-8 begin here, 0: none; controls, which terminals obey, are none. */
static unsigned int utf8_bytes(const unsigned char *s)
{
	static const __u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int bytes = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 :
			     *s >> 3 == 30 ? 4 : 0, i;
	__u32 code = bytes > 1 ? *s & (0x7f >> bytes) : *s;

	for (i = 1; i < bytes; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (!bytes || code < least[bytes] || code > 0x10ffff || code >> 11 == 0x1b)
		return 0;
	return code < ' ' || (code >= 0x7f && code < 0xa0) ? 0 : bytes;
}

char *printable(char *name)
{
	unsigned int bytes;
	char *at = name;

	while (*at) {
		bytes = utf8_bytes((unsigned char *)at);
		if (!bytes)
			*at = '?';
		at += bytes ? bytes : 1;
	}
	return name;
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
