/* SPDX-License-Identifier: GPL-2.0 */
/* What the doctor finds: each with a verdict and, if need be, what to do. */
#ifndef CTL_FINDINGS_H
#define CTL_FINDINGS_H

#include "attributes.h"

struct findings;

enum verdict {
	FIND_OK,
	FIND_INFO,	/* good to know, nothing to do */
	FIND_WARN,	/* it works, but less well than it could */
	FIND_BAD,	/* it does not work, or not at all */
};

struct findings *findings_new(void);
void findings_free(struct findings *f);

/* @advice: what to do, or NULL. */
__printf(5, 6)
void find(struct findings *f, const char *check, enum verdict verdict, const char *advice,
	  const char *format, ...);

enum verdict findings_worst(const struct findings *f);
void findings_print(const struct findings *f);
void findings_print_json(const struct findings *f);

#endif
