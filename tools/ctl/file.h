/* SPDX-License-Identifier: GPL-2.0 */
/* Files of the kernel, below / or what --root names instead. */
#ifndef CTL_FILE_H
#define CTL_FILE_H

#include <stdbool.h>
#include "attributes.h"

void set_root(const char *dir);

/* Is it the machine that this program runs on? */
bool root_is_here(void);

/* The path with the root in front, to be freed. */
char *rooted(const char *path);

bool exists(const char *path);

/* The contents without the last newline, to be freed; NULL if unreadable. */
char *read_text(const char *path);
__printf(1, 2) char *read_textf(const char *format, ...);

/* False if it is not there, or no number. */
bool read_number(const char *path, long *value);

/* Has a file this line? */
bool has_line(const char *path, bool (*wanted)(const char *line));

#endif
