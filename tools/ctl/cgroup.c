// SPDX-License-Identifier: GPL-2.0
/* Control groups, of version 2: where they are, and which is meant. */
#define _GNU_SOURCE
#include <errno.h>
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void cgroup_walk(bool (*seen)(const char *path, const struct stat *st, void *arg), void *arg)
{
	char *mount = cgroup_mount(), *top;
	bool more = true;
	FTSENT *entry;
	FTS *tree;

	if (!mount)
		return;
	top = rooted(mount);
	free(mount);
	tree = need(fts_open((char *[]){ top, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL));
	while (more && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D)
			more = seen(entry->fts_path + strlen(top), entry->fts_statp, arg);
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
	char *paths;		/* one per line */
};

static bool is_unit(const char *path, const struct stat *st, void *arg)
{
	const char *name = strrchr(path, '/');
	struct unit_search *search = arg;
	char *longer;

	(void)st;
	if (!name || strcmp(name + 1, search->name))
		return true;
	longer = search->found++ ? text("%s\n%s", search->paths, path) : text("%s", path);
	free(search->paths);
	search->paths = longer;
	return true;
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
		     name, search.found, search.paths);
	free(name);
	return search.paths;
}

struct id_search {
	__u64 id;
	char *path;
};

static bool is_id(const char *path, const struct stat *st, void *arg)
{
	struct id_search *search = arg;

	if (st->st_ino != search->id)
		return true;
	search->path = text("%s", *path ? path : "/");
	return false;
}

char *cgroup_of_id(__u64 id)
{
	struct id_search search = { .id = id };

	cgroup_walk(is_id, &search);
	return search.path;
}
