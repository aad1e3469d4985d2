// SPDX-License-Identifier: GPL-2.0
/* What holds for a process or a control group, as GET and EXPLAIN answer. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "cgroup.h"
#include "output.h"
#include "scope.h"
#include "sentence.h"

struct word {
	const char *key, *people;
};

static const struct word states[] = {
	[AUTONUMA_STATE_OUT]		= { "out", "left alone" },
	[AUTONUMA_STATE_ACTIVE]		= { "active", "balanced" },
	[AUTONUMA_STATE_DRY_RUN]	= { "dry_run", "looked at, nothing is moved (dry run)" },
	[AUTONUMA_STATE_RESTING]	= { "resting", "put to rest by the watchdog" },
	[AUTONUMA_STATE_STOPPED]	= { "stopped", "the module is switched off" },
};

static const struct word sources[] = {
	[AUTONUMA_BY_DEFAULT]	= { "default", "nobody chose: the parameter scope decides" },
	[AUTONUMA_BY_PROCESS]	= { "process", "a choice for the process or an ancestor" },
	[AUTONUMA_BY_CGROUP]	= { "cgroup", "a choice for the control group" },
};

static const struct word choices[] = {
	[AUTONUMA_CHOICE_DEFAULT]	= { "default", "nothing" },
	[AUTONUMA_CHOICE_ASKED]		= { "asked", "balance it" },
	[AUTONUMA_CHOICE_EXCLUDED]	= { "excluded", "leave it alone" },
};

/* Of a newer module there may be values without a word. */
static struct word word(const struct word *words, unsigned int nr, __u32 value)
{
	static const struct word unknown = { "unknown", "something this program does not know" };

	return value < nr ? words[value] : unknown;
}

#define WORD(words, value) word(words, sizeof(words) / sizeof((words)[0]), value)

static void print_source(const struct autonuma_scope *scope)
{
	char *path = scope->cgroup ? cgroup_of_id(scope->cgroup) : NULL;

	if (path)
		line("decided by", "a choice for the control group %s", printable(path));
	else if (scope->cgroup)
		line("decided by", "a choice for the control group with id %llu",
		     scope->cgroup);
	else
		line("decided by", "%s", WORD(sources, scope->source).people);
	free(path);
}

static void print_settings(const struct answer *a)
{
	const struct autonuma_settings *s = &a->settings;
	char *nodes;

	line("chosen", "%s%s", WORD(choices, s->choice).people,
	     s->flags & AUTONUMA_F_DRY_RUN ? ", but move nothing" : "");
	if (s->migrate_rate_mbps)
		line("rate", "at most %u MiB/s", s->migrate_rate_mbps);
	if (s->scan_budget_pct)
		line("budget", "at most %u %% of all CPUs for scanning", s->scan_budget_pct);
	if (a->has[AUTONUMA_A_HOME_NODES]) {
		nodes = nodes_text(&a->home_nodes);
		line("suggested home", "nodes %s", nodes);
		free(nodes);
	}
}

static bool gain_known(__u32 local_pm, __u32 forecast_pm)
{
	return local_pm != AUTONUMA_UNKNOWN && forecast_pm != AUTONUMA_UNKNOWN;
}

void print_gain(const char *name, __u32 local_pm, __u32 forecast_pm)
{
	if (gain_known(local_pm, forecast_pm))
		line(name, "%+.1f points of the local share",
		     ((double)forecast_pm - local_pm) / 10);
}

static void print_shares(const struct autonuma_scope *scope)
{
	char share[SHARE_TEXT];

	if (scope->local_pm != AUTONUMA_UNKNOWN)
		line("local share", "%s of its accesses lately, as hinting faults see it",
		     share_text(share, scope->local_pm));
	if (scope->forecast_pm != AUTONUMA_UNKNOWN)
		line("forecast", "%s once all is where it should be",
		     share_text(share, scope->forecast_pm));
	print_gain("expected gain", scope->local_pm, scope->forecast_pm);
}

static void print_state(const struct autonuma_scope *scope)
{
	line("state", "%s", WORD(states, scope->state).people);
	if (scope->state == AUTONUMA_STATE_RESTING)
		line("rest", "for %u.%03u s more; %u times in a row", scope->rest_ms / 1000,
		     scope->rest_ms % 1000, scope->rests);
}

static void print_counts(const struct autonuma_scope *scope)
{
	line("processes", "%u under balance now", scope->processes);
	line("pages", "%llu made to fault, %llu faulted, %llu moved",
	     scope->planted, scope->faults,
	     scope->moved);
	if (scope->state == AUTONUMA_STATE_DRY_RUN)
		line("would move", "%llu pages", scope->would_move);
	line("CPU time", "%.3f s scanning, %.3f s moving pages, %.3f s placing threads",
	     scope->scand_ns / 1e9, scope->migrated_ns / 1e9, scope->balanced_ns / 1e9);
}

/* What a reason that comes with a scope is about. */
static const char *why_act(const struct answer *a)
{
	return a->has[AUTONUMA_A_SCOPE] && a->scope.state == AUTONUMA_STATE_RESTING ?
	       "rest" : "process_skipped";
}

void print_scope(const struct answer *a)
{
	if (a->has[AUTONUMA_A_SCOPE]) {
		print_state(&a->scope);
		print_source(&a->scope);
	}
	if (a->has[AUTONUMA_A_SETTINGS])
		print_settings(a);
	if (a->has[AUTONUMA_A_SCOPE]) {
		print_shares(&a->scope);
		print_counts(&a->scope);
	}
	if (a->why)
		line("held back", "%s (%s)", likely_words(why_act(a), a->why), a->why);
}

struct json_object *number_json(__u32 number)
{
	return number == AUTONUMA_UNKNOWN ? NULL : json_object_new_int64(number);
}

struct json_object *gain_json(__u32 local_pm, __u32 forecast_pm)
{
	return gain_known(local_pm, forecast_pm) ?
	       json_object_new_int64((__s64)forecast_pm - local_pm) : NULL;
}

static struct json_object *settings_json(const struct answer *a)
{
	const struct autonuma_settings *s = &a->settings;
	struct json_object *o;

	if (!a->has[AUTONUMA_A_SETTINGS])
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "choice", json_text(WORD(choices, s->choice).key));
	json_object_object_add(o, "dry_run",
			       json_object_new_boolean(s->flags & AUTONUMA_F_DRY_RUN));
	json_object_object_add(o, "migrate_rate_mbps",
			       json_object_new_int64(s->migrate_rate_mbps));
	json_object_object_add(o, "scan_budget_pct", json_object_new_int64(s->scan_budget_pct));
	json_object_object_add(o, "home_nodes", a->has[AUTONUMA_A_HOME_NODES] ?
			       nodes_json(&a->home_nodes) : NULL);
	return o;
}

static struct json_object *cgroup_json(const struct autonuma_scope *scope)
{
	char *path = scope->cgroup ? cgroup_of_id(scope->cgroup) : NULL;
	struct json_object *o = json_text(path ? printable(path) : NULL);

	free(path);
	return o;
}

static void add_counts_json(struct json_object *o, const struct autonuma_scope *scope)
{
	json_object_object_add(o, "processes", json_object_new_int64(scope->processes));
	json_object_object_add(o, "rests", json_object_new_int64(scope->rests));
	json_object_object_add(o, "rest_ms", json_object_new_int64(scope->rest_ms));
	json_object_object_add(o, "local_pm", number_json(scope->local_pm));
	json_object_object_add(o, "forecast_pm", number_json(scope->forecast_pm));
	json_object_object_add(o, "gain_pm", gain_json(scope->local_pm, scope->forecast_pm));
	json_object_object_add(o, "planted", json_object_new_uint64(scope->planted));
	json_object_object_add(o, "faults", json_object_new_uint64(scope->faults));
	json_object_object_add(o, "moved", json_object_new_uint64(scope->moved));
	json_object_object_add(o, "would_move", json_object_new_uint64(scope->would_move));
	json_object_object_add(o, "scand_ns", json_object_new_uint64(scope->scand_ns));
	json_object_object_add(o, "migrated_ns", json_object_new_uint64(scope->migrated_ns));
	json_object_object_add(o, "balanced_ns", json_object_new_uint64(scope->balanced_ns));
}

static struct json_object *scope_json(const struct answer *a)
{
	const struct autonuma_scope *scope = &a->scope;
	struct json_object *o;

	if (!a->has[AUTONUMA_A_SCOPE])
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "state", json_text(WORD(states, scope->state).key));
	json_object_object_add(o, "source", json_text(WORD(sources, scope->source).key));
	json_object_object_add(o, "cgroup_id", json_object_new_uint64(scope->cgroup));
	json_object_object_add(o, "cgroup", cgroup_json(scope));
	add_counts_json(o, scope);
	return o;
}

void add_scope_json(struct json_object *o, const struct answer *a)
{
	json_object_object_add(o, "settings", settings_json(a));
	json_object_object_add(o, "scope", scope_json(a));
	json_object_object_add(o, "why", why_json(why_act(a), a->why));
}
