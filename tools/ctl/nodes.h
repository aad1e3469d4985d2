/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of NUMA nodes, and their lists as people and sysfs write them. */
#ifndef CTL_NODES_H
#define CTL_NODES_H

#include <stdbool.h>
#include <linux/types.h>

struct json_object;

/* As many as Linux can have on any machine. */
#define MAX_NODES	1024
#define NODE_WORDS	(MAX_NODES / 64)

struct nodes {
	__u64 words[NODE_WORDS];	/* as AUTONUMA_A_HOME_NODES has them */
};

bool nodes_have(const struct nodes *nodes, unsigned int node);
void nodes_add(struct nodes *nodes, unsigned int node);
unsigned int nodes_count(const struct nodes *nodes);

/* The next one from @node on, or MAX_NODES. */
unsigned int nodes_next(const struct nodes *nodes, unsigned int node);

/* 0,2-3: false if it is none; an empty list is none, too. */
bool nodes_parse(struct nodes *nodes, const char *list);

/* The same in reverse, to be freed; "none" if empty. */
char *nodes_text(const struct nodes *nodes);
struct json_object *nodes_json(const struct nodes *nodes);

/* What /sys/devices/system/node/KIND lists; false if it is not there. */
bool nodes_read(struct nodes *nodes, const char *kind);

#endif
