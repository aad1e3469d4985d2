// SPDX-License-Identifier: GPL-2.0
/* What keeps autonuma from working on this machine: others that move memory or tasks. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "cgroup.h"
#include "doctor.h"
#include "file.h"
#include "findings.h"
#include "output.h"
#include "target.h"

/* --- others that move --- */

static void check_reclaim(struct findings *f)
{
	long mode;

	if (!read_number("/proc/sys/vm/zone_reclaim_mode", &mode))
		return;
	if (mode)
		find(f, "zone_reclaim", FIND_WARN, "sysctl vm.zone_reclaim_mode=0",
		     "vm.zone_reclaim_mode is %ld: a full node drops its cache before it uses another one",
		     mode);
	else
		find(f, "zone_reclaim", FIND_OK, NULL, "vm.zone_reclaim_mode is 0");
}

/* The number of a running program of this name, or 0. */
static pid_t running(const char *wanted)
{
	char *proc = rooted("/proc"), *name;
	DIR *dir = opendir(proc);
	struct dirent *entry;
	pid_t pid, found = 0;

	free(proc);
	while (dir && !found && (entry = readdir(dir))) {
		pid = parse_pid(entry->d_name);
		name = pid ? read_textf("/proc/%d/comm", pid) : NULL;
		if (name && !strcmp(name, wanted))
			found = pid;
		free(name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void check_numad(struct findings *f)
{
	pid_t pid = running("numad");

	if (pid)
		find(f, "numad", FIND_BAD, "systemctl disable --now numad",
		     "numad runs (process %d): it binds what autonuma would place", pid);
	else
		find(f, "numad", FIND_OK, NULL, "numad does not run");
}

static bool reads(const char *path, const char *wanted)
{
	char *value = read_text(path);
	bool same = value && !strcmp(value, wanted);

	free(value);
	return same;
}

static void check_demotion(struct findings *f)
{
	if (reads("/sys/kernel/mm/numa/demotion_enabled", "true"))
		find(f, "demotion", FIND_WARN, "echo 0 >/sys/kernel/mm/numa/demotion_enabled",
		     "the kernel demotes pages to slower nodes; autonuma brings them back");
}

static void check_ksm(struct findings *f)
{
	long run, across;

	if (read_number("/sys/kernel/mm/ksm/run", &run) && run == 1 &&
	    read_number("/sys/kernel/mm/ksm/merge_across_nodes", &across) && across)
		find(f, "ksm", FIND_WARN,
		     "merge_across_nodes=0 in /sys/kernel/mm/ksm, after run=2",
		     "KSM merges pages of different nodes; merged pages are not moved");
}

static void check_sched_ext(struct findings *f)
{
	if (reads("/sys/kernel/sched_ext/state", "enabled"))
		find(f, "sched_ext", FIND_WARN, "stop the BPF scheduler, or set balance to 0",
		     "a BPF scheduler runs: tasks that it has taken over are not placed");
}

static void check_huge_pages(struct findings *f)
{
	char *enabled = read_text("/sys/kernel/mm/transparent_hugepage/enabled");

	if (enabled && strstr(enabled, "[never]"))
		find(f, "huge_pages", FIND_INFO, NULL,
		     "transparent huge pages are off: small pages cost many more hinting faults");
	else if (reads("/sys/kernel/mm/transparent_hugepage/khugepaged/defrag", "1"))
		find(f, "huge_pages", FIND_INFO, NULL,
		     "khugepaged makes huge pages on the node where most of the small ones were");
	free(enabled);
}

void check_rivals(struct findings *f)
{
	check_reclaim(f);
	check_numad(f);
	check_demotion(f);
	check_ksm(f);
	check_sched_ext(f);
	check_huge_pages(f);
}

/* --- limits that the module obeys --- */

/* The word of the kernel's command line that begins so, to be freed, or NULL. */
static char *boot_argument(const char *begin)
{
	char *line = read_text("/proc/cmdline"), *state, *word, *found = NULL;

	for (word = line ? strtok_r(line, "\n ", &state) : NULL; word && !found;
	     word = strtok_r(NULL, "\n ", &state)) {
		if (!strncmp(word, begin, strlen(begin)))
			found = text("%s", word);
	}
	free(line);
	return found;
}

static void check_boot_arguments(struct findings *f)
{
	static const struct {
		const char *begin, *says;
		enum verdict verdict;
	} arguments[] = {
		{ "numa_balancing=", "means nothing while autonuma is loaded", FIND_INFO },
		{ "numa=off", "the kernel hides the nodes: remove it and boot again", FIND_WARN },
		{ "isolcpus=", "threads are not moved to these CPUs", FIND_INFO },
		{ "nohz_full=", "threads are not moved to these CPUs", FIND_INFO },
	};
	unsigned int i;
	char *word;

	for (i = 0; i < ARRAY_SIZE(arguments); i++) {
		word = boot_argument(arguments[i].begin);
		if (word)
			find(f, "boot", arguments[i].verdict, NULL, "%s: %s", word,
			     arguments[i].says);
		free(word);
	}
}

static enum walk has_own_memory_nodes(const char *path, const struct stat *st, void *arg)
{
	unsigned int *count = arg;
	char *mount = cgroup_mount(), *nodes;

	(void)st;
	nodes = mount ? read_textf("%s%s/cpuset.mems", mount, path) : NULL;
	if (nodes && *nodes)
		++*count;
	free(nodes);
	free(mount);
	return WALK_ON;
}

static void check_cgroups(struct findings *f)
{
	unsigned int count = 0;
	char *mount = cgroup_mount();

	if (!mount) {
		find(f, "cgroup", FIND_WARN, "boot with systemd.unified_cgroup_hierarchy=1",
		     "cgroup v2 is not mounted: --cgroup and --unit do not work");
		return;
	}
	find(f, "cgroup", FIND_OK, NULL, "cgroup v2 is mounted on %s", mount);
	free(mount);
	cgroup_walk(has_own_memory_nodes, &count);
	if (count)
		find(f, "cpusets", FIND_INFO, NULL,
		     "%u control groups have cpuset.mems of their own, which is obeyed", count);
}

void check_limits(struct findings *f)
{
	check_boot_arguments(f);
	check_cgroups(f);
}
