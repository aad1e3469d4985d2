// SPDX-License-Identifier: GPL-2.0
/* What the doctor finds: each with a verdict and, if need be, what to do. */
#define _GNU_SOURCE
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "findings.h"
#include "output.h"

struct finding {
	const char *check, *advice;
	enum verdict verdict;
	char *found;
};

struct findings {
	struct finding *list;
	unsigned int nr;
};

static const char * const names[] = {
	[FIND_OK]	= "ok",
	[FIND_INFO]	= "info",
	[FIND_WARN]	= "warn",
	[FIND_BAD]	= "bad",
};

struct findings *findings_new(void)
{
	return need(calloc(1, sizeof(struct findings)));
}

void findings_free(struct findings *f)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		free(f->list[i].found);
	free(f->list);
	free(f);
}

void find(struct findings *f, const char *check, enum verdict verdict, const char *advice,
	  const char *format, ...)
{
	struct finding *new;
	va_list args;

	f->list = need(realloc(f->list, (f->nr + 1) * sizeof(*f->list)));
	new = &f->list[f->nr++];
	new->check = check;
	new->verdict = verdict;
	new->advice = advice;
	va_start(args, format);
	if (vasprintf(&new->found, format, args) < 0)
		new->found = NULL;
	va_end(args);
	need(new->found);
}

enum verdict findings_worst(const struct findings *f)
{
	enum verdict worst = FIND_OK;
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		if (f->list[i].verdict > worst)
			worst = f->list[i].verdict;
	}
	return worst;
}

void findings_print(const struct findings *f)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		printf("%-5s %s: %s\n", names[f->list[i].verdict], f->list[i].check,
		       f->list[i].found);
		if (f->list[i].advice)
			printf("      to do: %s\n", f->list[i].advice);
	}
}

static struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_text(finding->check));
	json_object_object_add(o, "verdict", json_text(names[finding->verdict]));
	json_object_object_add(o, "found", json_text(finding->found));
	json_object_object_add(o, "advice", json_text(finding->advice));
	return o;
}

void findings_print_json(const struct findings *f)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		json_object_array_add(list, finding_json(&f->list[i]));
	json_object_object_add(o, "worst", json_text(names[findings_worst(f)]));
	json_object_object_add(o, "findings", list);
	print_json(o);
}
