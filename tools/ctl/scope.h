/* SPDX-License-Identifier: GPL-2.0 */
/* What holds for a process or a control group, as GET and EXPLAIN answer. */
#ifndef CTL_SCOPE_H
#define CTL_SCOPE_H

#include "message.h"

struct json_object;

void print_scope(const struct answer *answer);

/* Adds its keys to @o. */
void add_scope_json(struct json_object *o, const struct answer *answer);

/* null for AUTONUMA_UNKNOWN, which is AUTONUMA_NO_NODE, too. */
struct json_object *number_json(__u32 number);

/* What a dry run expects: forecast minus present local share. */
void print_gain(const char *name, __u32 local_pm, __u32 forecast_pm);
struct json_object *gain_json(__u32 local_pm, __u32 forecast_pm);

#endif
