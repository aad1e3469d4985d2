/* SPDX-License-Identifier: GPL-2.0 */
/* What is said to people, and how the program ends. */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <linux/types.h>
#include "attributes.h"

struct json_object;

/* Exit status of a request that was refused or failed; run has its own. */
extern int failure_status;

/* To standard error, with the program's name in front; ends the program. */
__noreturn __printf(1, 2) void fail(const char *format, ...);

/* Memory, or the end of the program. */
void *need(void *memory);
__printf(1, 2) char *text(const char *format, ...);

/*
 * Makes a name that others gave harmless where it is: what is not printable UTF-8 becomes
 * question marks. Returns it.
 */
char *printable(char *name);

/* "NAME  value", a line of what people read. */
__printf(2, 3) void line(const char *name, const char *format, ...);

/* 12.3 MiB. */
#define SIZE_TEXT	24
const char *size_text(char *buf, __u64 bytes);

/* 93.1 %, of 931/1000. */
#define SHARE_TEXT	24
const char *share_text(char *buf, __u32 per_mille);

/* To standard output; o is given away. */
void print_json(struct json_object *o);

/* A string, or null. */
struct json_object *json_text(const char *string);

/* Has all that was printed been written? Otherwise the program ends here. */
void end_output(void);

#endif
