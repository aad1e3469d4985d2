// SPDX-License-Identifier: GPL-2.0
/*
 * pages MS NAME|PID...: every MS milliseconds, looks where each page of these processes is, and marks the moment for
 * the meter (NUMALAB_MARK_PAGES), until none of the processes is left, or at TERM. NAME stands for all processes that
 * are called so when it looks; the first of them may come later. Prints a line for each page that is elsewhere than the time before:
 *
 *	look K			the K-th look, from 0; before what it found
 *	page PID VPN OLD NEW	page frames; 0: there was none before, or there is none any more
 *
 * The first look is not printed page by page. Only private memory is looked at, where a page is the process's own. A
 * page under migration is where it was, until a look finds it elsewhere.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>

#include "mark.h"

#define PAGE_SHIFT	12
#define MAX_PIDS	256
#define PRESENT		(1ULL << 63)
#define SWAPPED		(1ULL << 62)	/* the guest has no swap: it is under migration */
#define PFN_MASK	((1ULL << 55) - 1)
#define MOVING		PFN_MASK
#define AT_ONCE		512

struct page {
	uint64_t vpn;
	uint64_t pfn;
};

/* Sorted by vpn, as /proc/PID/maps is. */
struct look {
	struct page *pages;
	size_t nr, room;
};

struct process {
	int pid;
	bool seen;			/* in this look */
	struct look before;
};

static struct process processes[MAX_PIDS];
static unsigned int nr_processes;
static volatile sig_atomic_t stop;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static void add_page(struct look *look, uint64_t vpn, uint64_t pfn)
{
	if (look->nr == look->room) {
		look->room = look->room ? 2 * look->room : 1024;
		look->pages = realloc(look->pages, look->room * sizeof(*look->pages));
		if (!look->pages)
			fail("realloc");
	}
	look->pages[look->nr++] = (struct page){ vpn, pfn };
}

static void read_mapping(struct look *look, int pagemap, uint64_t first, uint64_t end)
{
	static uint64_t entries[AT_ONCE];

	while (first < end) {
		size_t want = end - first < AT_ONCE ? end - first : AT_ONCE;
		ssize_t got = pread(pagemap, entries, want * sizeof(*entries), first * sizeof(*entries));

		if (got <= 0)
			return;
		for (size_t i = 0; i < got / sizeof(*entries); i++) {
			if (entries[i] & PRESENT)
				add_page(look, first + i, entries[i] & PFN_MASK);
			else if (entries[i] & SWAPPED)
				add_page(look, first + i, MOVING);
		}
		first += got / sizeof(*entries);
	}
}

/* Not what is mapped from a file or shared: such a page belongs to several. */
static bool is_own(const char *permissions, unsigned long inode)
{
	return permissions[1] == 'w' && permissions[3] == 'p' && !inode;
}

static bool look_at(int pid, struct look *look)
{
	unsigned long first, end, inode;
	char path[64], line[4352], permissions[5];
	int pagemap;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY);
	while (maps && pagemap >= 0 && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s %*x %*s %lu", &first, &end, permissions, &inode) == 4 &&
		    is_own(permissions, inode))
			read_mapping(look, pagemap, first >> PAGE_SHIFT, end >> PAGE_SHIFT);
	}
	if (maps)
		fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
	return look->nr;
}

static void print_page(int pid, uint64_t vpn, uint64_t old, uint64_t new)
{
	if (old == MOVING)
		old = 0;
	if (new == MOVING)
		new = 0;
	if (old != new)
		printf("page %d %lx %lx %lx\n", pid, vpn, old, new);
}

/* Keeps in after where a moving page was. */
static void compare(int pid, const struct look *before, struct look *after)
{
	size_t i = 0, k = 0;

	while (i < before->nr || k < after->nr) {
		const struct page *a = &before->pages[i];
		struct page *b = &after->pages[k];

		if (k == after->nr || (i < before->nr && a->vpn < b->vpn)) {
			print_page(pid, a->vpn, a->pfn, 0);
			i++;
		} else if (i == before->nr || b->vpn < a->vpn) {
			print_page(pid, b->vpn, 0, b->pfn);
			k++;
		} else {
			if (b->pfn == MOVING)
				b->pfn = a->pfn;
			print_page(pid, a->vpn, a->pfn, b->pfn);
			i++;
			k++;
		}
	}
}

static struct process *process(int pid)
{
	for (unsigned int i = 0; i < nr_processes; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
	}
	if (nr_processes == MAX_PIDS)
		return NULL;
	processes[nr_processes] = (struct process){ .pid = pid };
	return &processes[nr_processes++];
}

static void update(int pid)
{
	struct process *p = process(pid);
	struct look look = { };

	if (!p || p->seen || !look_at(pid, &look))
		return;
	p->seen = true;
	if (p->before.nr)
		compare(pid, &p->before, &look);
	free(p->before.pages);
	p->before = look;
}

static bool is_called(int pid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%31[^\n]", comm) != 1)
		comm[0] = '\0';
	fclose(f);
	return !strcmp(comm, name);
}

static void update_named(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		fail("/proc");
	while ((entry = readdir(proc))) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && is_called(pid, name))
			update(pid);
	}
	closedir(proc);
}

/* Returns how many processes there were. */
static unsigned int look_at_all(char **names)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < nr_processes; i++)
		processes[i].seen = false;
	for (; *names; names++) {
		int pid = atoi(*names);

		if (pid > 0)
			update(pid);
		else
			update_named(*names);
	}
	for (unsigned int i = 0; i < nr_processes; i++)
		found += processes[i].seen;
	return found;
}

int main(int argc, char **argv)
{
	int ms = argc > 2 ? atoi(argv[1]) : 0;
	bool any = false;

	if (ms <= 0) {
		fputs("usage: pages MS NAME|PID...\n", stderr);
		return 2;
	}
	signal(SIGTERM, on_term);
	for (unsigned int k = 0; !stop; k++) {
		printf("look %u\n", k);
		if (look_at_all(argv + 2))
			any = true;
		else if (any)
			break;
		numalab_mark(NUMALAB_MARK_PAGES);
		usleep(ms * 1000);
	}
	return 0;
}
