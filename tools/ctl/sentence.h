/* SPDX-License-Identifier: GPL-2.0 */
/* The module's reasons in words. */
#ifndef CTL_SENTENCE_H
#define CTL_SENTENCE_H

struct json_object;

/*
 * What a reason means, or NULL if it is not known: the module may be newer.
 * @act is what was decided, or NULL: then the first one that has this reason.
 */
const char *sentence(const char *act, const char *why);

/* The sentence of a decision, or else the reason as it is. */
const char *in_words(const char *act, const char *why);

/* The same of a reason that came without an act: it is likely to be of @act. */
const char *likely_words(const char *act, const char *why);

/* { "reason": ..., "sentence": ... }, or null without a reason. */
struct json_object *why_json(const char *act, const char *why);

#endif
