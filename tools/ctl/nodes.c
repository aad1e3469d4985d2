// SPDX-License-Identifier: GPL-2.0
/* Sets of NUMA nodes, and their lists as people and sysfs write them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "nodes.h"
#include "output.h"

bool nodes_have(const struct nodes *nodes, unsigned int node)
{
	return nodes->words[node / 64] >> node % 64 & 1;
}

void nodes_add(struct nodes *nodes, unsigned int node)
{
	nodes->words[node / 64] |= 1ULL << node % 64;
}

unsigned int nodes_next(const struct nodes *nodes, unsigned int node)
{
	while (node < MAX_NODES && !nodes_have(nodes, node))
		node++;
	return node;
}

unsigned int nodes_count(const struct nodes *nodes)
{
	unsigned int i, count = 0;

	for (i = 0; i < NODE_WORDS; i++)
		count += __builtin_popcountll(nodes->words[i]);
	return count;
}

static bool parse_node(const char **list, unsigned long *node)
{
	char *end;

	if (!isdigit((unsigned char)**list))
		return false;
	*node = strtoul(*list, &end, 10);
	*list = end;
	return *node < MAX_NODES;
}

bool nodes_parse(struct nodes *nodes, const char *list)
{
	unsigned long node, last;

	memset(nodes, 0, sizeof(*nodes));
	for (;; list++) {
		if (!parse_node(&list, &node))
			return false;
		last = node;
		if (*list == '-') {
			list++;
			if (!parse_node(&list, &last) || last < node)
				return false;
		}
		for (; node <= last; node++)
			nodes_add(nodes, node);
		if (!*list)
			return true;
		if (*list != ',')
			return false;
	}
}

char *nodes_text(const struct nodes *nodes)
{
	unsigned int node, last;
	char *list = text("%s", ""), *longer;

	for (node = nodes_next(nodes, 0); node < MAX_NODES; node = nodes_next(nodes, last + 1)) {
		for (last = node; last + 1 < MAX_NODES && nodes_have(nodes, last + 1);)
			last++;
		longer = text(last > node ? "%s%s%u-%u" : "%s%s%u", list, *list ? "," : "",
			      node, last);
		free(list);
		list = longer;
	}
	if (*list)
		return list;
	free(list);
	return text("none");
}

struct json_object *nodes_json(const struct nodes *nodes)
{
	struct json_object *list = json_object_new_array();
	unsigned int node;

	for (node = nodes_next(nodes, 0); node < MAX_NODES; node = nodes_next(nodes, node + 1))
		json_object_array_add(list, json_object_new_int(node));
	return list;
}

bool nodes_read(struct nodes *nodes, const char *kind)
{
	char *list = read_textf("/sys/devices/system/node/%s", kind);
	bool there = list;

	/* No node of this kind is an empty line, or a lone newline. */
	if (!list || !nodes_parse(nodes, list))
		memset(nodes, 0, sizeof(*nodes));
	free(list);
	return there;
}
