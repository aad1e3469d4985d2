// SPDX-License-Identifier: GPL-2.0
/* What the whole machine tells: the module, the hooks, the kernel's own balancing. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "machine.h"
#include "netlink.h"
#include "output.h"

static bool is_hook(const char *line)
{
	static const char name[] = " autonuma_register";
	size_t len = strlen(line);

	return len >= sizeof(name) - 1 && !strcmp(line + len - (sizeof(name) - 1), name);
}

static bool is_any(const char *line)
{
	(void)line;
	return true;
}

static bool is_option(const char *line)
{
	return !strcmp(line, "CONFIG_AUTONUMA_HOOKS=y");
}

/* The symbols of the running kernel, or else the config it was built with. */
enum known kernel_has_hooks(void)
{
	char *release, *config;
	enum known has;

	if (module_is_loaded() || has_line("/proc/kallsyms", is_hook))
		return YES;
	if (has_line("/proc/kallsyms", is_any))
		return NO;
	release = read_text("/proc/sys/kernel/osrelease");
	config = text("/boot/config-%s", release ? release : "");
	if (has_line(config, is_option))
		has = YES;
	else
		has = exists(config) && release ? NO : UNKNOWN;
	free(config);
	free(release);
	return has;
}

bool module_is_loaded(void)
{
	return exists(MODULE_DIR);
}

char *module_version(void)
{
	return read_text(MODULE_DIR "/version");
}

enum known module_listens(void)
{
	struct module_link link;
	int err;

	if (!root_is_here())
		return UNKNOWN;
	err = link_open(&link);
	if (!err)
		link_close(&link);
	if (err == -ENOENT)
		return NO;
	return err ? UNKNOWN : YES;
}

char *parameter(const char *name)
{
	return read_textf(PARAMETERS_DIR "/%s", name);
}

bool parameter_is_off(const char *name)
{
	char *value = parameter(name);
	bool off = value && (!strcmp(value, "N") || !strcmp(value, "0"));

	free(value);
	return off;
}

bool module_is_on(void)
{
	return module_is_loaded() && !parameter_is_off("enabled") && !parameter_is_off("scan");
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void each_parameter(void (*seen)(const char *name, const char *value, void *arg), void *arg)
{
	char *dir = rooted(PARAMETERS_DIR), *value;
	struct dirent **entries;
	int i, nr = scandir(dir, &entries, no_dots, alphasort);

	free(dir);
	for (i = 0; i < nr; i++) {
		value = parameter(entries[i]->d_name);
		if (value)
			seen(entries[i]->d_name, value, arg);
		free(value);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}
