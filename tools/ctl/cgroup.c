// SPDX-License-Identifier: GPL-2.0
/* Control groups, of version 2: where they are, and which is meant. */
#define _GNU_SOURCE
#include <errno.h>
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cgroup.h"
#include "file.h"
#include "output.h"

char *cgroup_mount(void)
{
	char *mounts = rooted("/proc/self/mounts"), *found = NULL;
	FILE *f = setmntent(mounts, "re");
	struct mntent *m;

	free(mounts);
	if (!f)
		return NULL;
	while (!found && (m = getmntent(f))) {
		if (!strcmp(m->mnt_type, "cgroup2"))
			found = text("%s", m->mnt_dir);
	}
	endmntent(f);
	return found;
}

void cgroup_walk(enum walk (*seen)(const char *path, const struct stat *st, void *arg), void *arg)
{
	char *mount = cgroup_mount(), *top;
	enum walk next = WALK_ON;
	FTSENT *entry;
	FTS *tree;

	if (!mount)
		return;
	top = rooted(mount);
	free(mount);
	tree = need(fts_open((char *[]){ top, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL));
	while (next != WALK_END && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_D)
			continue;
		next = seen(entry->fts_path + strlen(top), entry->fts_statp, arg);
		if (next == WALK_NOT_BELOW)
			fts_set(tree, entry, FTS_SKIP);
	}
	fts_close(tree);
	free(top);
}

/* The units that have a control group. */
static bool has_suffix(const char *unit)
{
	static const char * const suffixes[] = {
		".service", ".scope", ".slice", ".socket", ".mount", ".swap",
	};
	const char *dot = strrchr(unit, '.');
	unsigned int i;

	for (i = 0; dot && i < ARRAY_SIZE(suffixes); i++) {
		if (!strcmp(dot, suffixes[i]))
			return true;
	}
	return false;
}

struct unit_search {
	const char *name;	/* with suffix */
	unsigned int found;
	char *path;		/* the last one */
	char *shown;		/* all, one per line */
};

static enum walk is_unit(const char *path, const struct stat *st, void *arg)
{
	enum walk next = st->st_uid && st->st_uid != geteuid() ? WALK_NOT_BELOW : WALK_ON;
	const char *name = strrchr(path, '/');
	struct unit_search *search = arg;
	char *line, *longer;

	if (!name || strcmp(name + 1, search->name))
		return next;
	free(search->path);
	search->path = text("%s", path);
	line = printable(text("%s", path));
	longer = search->found++ ? text("%s\n%s", search->shown, line) : text("%s", line);
	free(search->shown);
	free(line);
	search->shown = longer;
	return next;
}

char *cgroup_of_unit(const char *unit)
{
	char *name = text("%s%s", unit, has_suffix(unit) ? "" : ".service");
	struct unit_search search = { .name = name };

	cgroup_walk(is_unit, &search);
	if (!search.found)
		fail("unit %s has no control group: is it running? (systemctl status %s)",
		     name, name);
	if (search.found > 1)
		fail("unit %s has %u control groups; name the one you mean by --cgroup:\n%s",
		     name, search.found, search.shown);
	free(search.shown);
	free(name);
	return search.path;
}

struct id_search {
	__u64 id;
	char *path;
};

static enum walk is_id(const char *path, const struct stat *st, void *arg)
{
	struct id_search *search = arg;

	if (st->st_ino != search->id)
		return WALK_ON;
	search->path = text("%s", *path ? path : "/");
	return WALK_END;
}

char *cgroup_of_id(__u64 id)
{
	struct id_search search = { .id = id };

	cgroup_walk(is_id, &search);
	return search.path;
}
