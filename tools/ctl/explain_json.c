// SPDX-License-Identifier: GPL-2.0
/* Where a process or a thread is, where it should be, and why: for programs. */
#include <json-c/json.h>
#include "explain.h"
#include "output.h"
#include "scope.h"
#include "sentence.h"

static struct json_object *weights_json(const struct answer *a, enum autonuma_attr attr,
					const struct weights *weights)
{
	struct json_object *o;
	unsigned int i;

	if (!a->has[attr])
		return NULL;
	o = json_object_new_array();
	for (i = 0; i < weights->nr; i++)
		json_object_array_add(o, json_object_new_uint64(weights->node[i]));
	return o;
}

static struct json_object *field(const struct decision *d, enum autonuma_decision_attr attr,
				 __u64 value)
{
	return d->has[attr] ? json_object_new_uint64(value) : NULL;
}

static struct json_object *decision_json(const struct decision *d)
{
	struct json_object *o = json_object_new_object();
	const char *act = d->act ? d->act : "?", *why = d->why ? d->why : "?";

	json_object_object_add(o, "time_ns", field(d, AUTONUMA_D_TIME, d->time));
	json_object_object_add(o, "act", json_text(d->act));
	json_object_object_add(o, "reason", json_text(d->why));
	json_object_object_add(o, "sentence", json_text(in_words(act, why)));
	json_object_object_add(o, "tid", field(d, AUTONUMA_D_TID, d->tid));
	json_object_object_add(o, "from", field(d, AUTONUMA_D_FROM, d->from));
	json_object_object_add(o, "to", field(d, AUTONUMA_D_TO, d->to));
	json_object_object_add(o, "addr", field(d, AUTONUMA_D_ADDR, d->addr));
	json_object_object_add(o, "pages", field(d, AUTONUMA_D_PAGES, d->pages));
	json_object_object_add(o, "gain_pm", field(d, AUTONUMA_D_GAIN, d->gain));
	return o;
}

static struct json_object *decisions_json(const struct answer *a)
{
	struct json_object *o = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->nr_decisions; i++)
		json_object_array_add(o, decision_json(&a->decisions[i]));
	return o;
}

static struct json_object *placement_json(const struct answer *a)
{
	const struct autonuma_thread *t = &a->thread;
	struct json_object *o;

	if (!a->has[AUTONUMA_A_THREAD])
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "node", number_json(t->node));
	json_object_object_add(o, "preferred", number_json(t->preferred));
	json_object_object_add(o, "best", number_json(t->best));
	json_object_object_add(o, "load_pm", json_object_new_int64(t->load));
	json_object_object_add(o, "moved_to", number_json(t->moved_to));
	json_object_object_add(o, "undone", json_object_new_int64(t->undone));
	json_object_object_add(o, "on_preferred_ms", json_object_new_uint64(t->on_preferred_ms));
	json_object_object_add(o, "off_preferred_ms",
			       json_object_new_uint64(t->off_preferred_ms));
	return o;
}

struct json_object *thread_json(const struct thread *t)
{
	struct json_object *o = json_object_new_object();
	const struct answer *a = &t->answer;

	json_object_object_add(o, "tid", json_object_new_int(t->tid));
	json_object_object_add(o, "name", json_text(t->name));
	json_object_object_add(o, "thread", placement_json(a));
	json_object_object_add(o, "why", why_json("stay", a->why));
	json_object_object_add(o, "private", weights_json(a, AUTONUMA_A_PRIVATE, &a->private));
	json_object_object_add(o, "shared", weights_json(a, AUTONUMA_A_SHARED, &a->shared));
	json_object_object_add(o, "decisions", decisions_json(a));
	return o;
}

static struct json_object *process_json(const struct answer *a)
{
	struct json_object *o;

	if (!a->has[AUTONUMA_A_PROCESS])
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "balanced", json_object_new_boolean(a->process.balanced));
	json_object_object_add(o, "pass", json_object_new_int64(a->process.pass));
	json_object_object_add(o, "period_ms", json_object_new_int64(a->process.period_ms));
	json_object_object_add(o, "local_pm", number_json(a->process.local_pm));
	json_object_object_add(o, "forecast_pm", number_json(a->process.forecast_pm));
	json_object_object_add(o, "gain_pm", gain_json(a->process.local_pm,
						       a->process.forecast_pm));
	return o;
}

struct json_object *all_json(const struct target *target, const struct explanation *e)
{
	struct json_object *o = json_object_new_object(), *threads = json_object_new_array();
	const struct answer *a = &e->process;
	unsigned int i;

	json_object_object_add(o, "target", json_text(target->called));
	json_object_object_add(o, "pid", json_object_new_int(target->pid));
	add_scope_json(o, a);
	json_object_object_add(o, "process", process_json(a));
	json_object_object_add(o, "pages", weights_json(a, AUTONUMA_A_PAGES, &a->pages));
	json_object_object_add(o, "home", a->has[AUTONUMA_A_HOME] ? nodes_json(&a->home) : NULL);
	json_object_object_add(o, "decisions", decisions_json(a));
	for (i = 0; i < e->nr; i++)
		json_object_array_add(threads, thread_json(&e->threads[i]));
	json_object_object_add(o, "threads", threads);
	return o;
}
