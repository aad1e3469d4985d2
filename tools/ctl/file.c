// SPDX-License-Identifier: GPL-2.0
/* Files of the kernel, below / or what --root names instead. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"
#include "output.h"

static const char *root = "";

void set_root(const char *dir)
{
	root = strcmp(dir, "/") ? dir : "";
}

bool root_is_here(void)
{
	return !*root;
}

char *rooted(const char *path)
{
	return text("%s%s", root, path);
}

bool exists(const char *path)
{
	char *full = rooted(path);
	bool there = !access(full, F_OK);

	free(full);
	return there;
}

static FILE *open_rooted(const char *path)
{
	char *full = rooted(path);
	FILE *f = fopen(full, "re");

	free(full);
	return f;
}

/* Files of proc and sysfs tell no size: read until the end. */
static char *read_all(FILE *f)
{
	size_t size = 0, got, room = 4096;
	char *s = need(malloc(room));

	while ((got = fread(s + size, 1, room - size - 1, f)) > 0) {
		size += got;
		if (size + 1 == room) {
			room *= 2;
			s = need(realloc(s, room));
		}
	}
	s[size] = '\0';
	return s;
}

char *read_text(const char *path)
{
	FILE *f = open_rooted(path);
	bool failed;
	size_t len;
	char *s;

	if (!f)
		return NULL;
	s = read_all(f);
	failed = ferror(f);
	fclose(f);
	if (failed) {
		free(s);
		return NULL;
	}
	len = strlen(s);
	if (len && s[len - 1] == '\n')
		s[len - 1] = '\0';
	return s;
}

char *read_textf(const char *format, ...)
{
	char *path = NULL, *s;
	va_list args;

	va_start(args, format);
	if (vasprintf(&path, format, args) < 0)
		path = NULL;
	va_end(args);
	s = read_text(need(path));
	free(path);
	return s;
}

bool read_number(const char *path, long *value)
{
	char *s = read_text(path), *end;
	bool good;

	if (!s)
		return false;
	*value = strtol(s, &end, 10);
	good = end != s && !*end;
	free(s);
	return good;
}

bool has_line(const char *path, bool (*wanted)(const char *line))
{
	FILE *f = open_rooted(path);
	bool found = false;
	char *s = NULL;
	size_t room = 0;
	ssize_t len;

	if (!f)
		return false;
	while (!found && (len = getline(&s, &room, f)) > 0) {
		if (s[len - 1] == '\n')
			s[len - 1] = '\0';
		found = wanted(s);
	}
	free(s);
	fclose(f);
	return found;
}
