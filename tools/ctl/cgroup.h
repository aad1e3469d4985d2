/* SPDX-License-Identifier: GPL-2.0 */
/* Control groups, of version 2: where they are, and which is meant. */
#ifndef CTL_CGROUP_H
#define CTL_CGROUP_H

#include <stdbool.h>
#include <linux/types.h>
#include <sys/stat.h>

/* Where cgroup v2 is mounted, below the root, to be freed; NULL if nowhere. */
char *cgroup_mount(void);

enum walk { WALK_ON, WALK_NOT_BELOW, WALK_END };

/*
 * Calls @seen for each control group with its path from the mount on, "" for
 * the first; it says how to go on.
 */
void cgroup_walk(enum walk (*seen)(const char *path, const struct stat *st, void *arg), void *arg);

/*
 * The path from the mount on of the one that a systemd unit has, to be freed. What others than
 * root and the caller have made below their own is no unit, whatever its name.
 * The program ends if there is none, or more than one.
 */
char *cgroup_of_unit(const char *unit);

/* The path from the mount on of the one with this inode, to be freed, or NULL. */
char *cgroup_of_id(__u64 id);

#endif
