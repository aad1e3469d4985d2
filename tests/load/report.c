// SPDX-License-Identifier: GPL-2.0
/* Counters of the kernel, and the report. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

static const char * const watched[NR_WATCHED] = {
	"numa_pte_updates", "numa_hint_faults", "numa_hint_faults_local", "numa_pages_migrated",
};

static FILE *open_proc(const char *path)
{
	FILE *f = fopen(path, "r");

	check(f ? 0 : -1, path);
	return f;
}

static void read_vmstat(unsigned long *counters)
{
	char name[64];
	unsigned long value;
	FILE *f = open_proc("/proc/vmstat");

	while (fscanf(f, "%63s %lu", name, &value) == 2) {
		for (size_t i = 0; i < NR_WATCHED; i++) {
			if (!strcmp(name, watched[i]))
				counters[i] = value;
		}
	}
	fclose(f);
}

/* Of all CPUs. */
static unsigned long read_idle_ms(void)
{
	unsigned long idle = 0, iowait = 0;
	FILE *f = open_proc("/proc/stat");

	if (fscanf(f, "cpu %*u %*u %*u %lu %lu", &idle, &iowait) != 2)
		die("/proc/stat: no line of all CPUs");
	fclose(f);
	return (idle + iowait) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Sum of the counts of all CPUs in the line "TLB: N N ... TLB shootdowns". */
static unsigned long read_shootdowns(void)
{
	char line[4096], *at = NULL, *end;
	unsigned long sum = 0;
	FILE *f = open_proc("/proc/interrupts");

	while (!at && fgets(line, sizeof(line), f))
		at = strstr(line, "TLB:");
	fclose(f);
	if (!at)
		return 0;
	for (at += strlen("TLB:");; at = end) {
		unsigned long n = strtoul(at, &end, 10);

		if (end == at)
			return sum;
		sum += n;
	}
}

static unsigned long wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000UL + now.tv_nsec / 1000;
}

void take_sample(struct sample *s)
{
	s->wall_us = wall_us();
	s->idle_ms = read_idle_ms();
	s->shootdowns = read_shootdowns();
	read_vmstat(s->watched);
}

/* Of this thread, between CPUs; 0 if the kernel does not tell. */
unsigned long read_migrations(void)
{
	unsigned long n = 0;
	char line[256];
	FILE *f = fopen("/proc/thread-self/sched", "r");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "nr_migrations") && sscanf(line, "%*[^:]: %lu", &n) == 1)
			break;
	}
	fclose(f);
	return n;
}

static unsigned long sweeps_of(unsigned int n)
{
	return (shared->progress[n].units[0] + shared->progress[n].units[1]) / units_per_sweep();
}

static unsigned long cpu_ms_of(unsigned int n)
{
	return shared->progress[n].cpu_us / 1000;
}

static unsigned long migrations_of(unsigned int n)
{
	return shared->progress[n].migrations;
}

struct summary {
	unsigned long sum, min, max;
};

static struct summary sum_up(unsigned long (*of)(unsigned int thread))
{
	struct summary s = { 0, -1UL, 0 };

	for (unsigned int i = 0; i < nr_all(); i++) {
		unsigned long n = of(i);

		s.sum += n;
		if (n < s.min)
			s.min = n;
		if (n > s.max)
			s.max = n;
	}
	return s;
}

/* Each thread's, process by process. */
static void print_threads(const char *name, unsigned long (*of)(unsigned int thread))
{
	struct summary s = sum_up(of);

	printf(",\"%s_min\":%lu,\"%s_mean\":%.1f,\"%s_max\":%lu,\"thread_%s\":[", name, s.min, name,
	       (double)s.sum / nr_all(), name, s.max, name);
	for (unsigned int i = 0; i < nr_all(); i++)
		printf("%s%lu", i ? "," : "", of(i));
	putchar(']');
}

/* At each mark. */
static void print_counters(void)
{
	for (size_t i = 0; i < NR_WATCHED; i++) {
		printf(",\"%s\":[", watched[i]);
		for (unsigned int n = 0; n <= shared->passed; n++)
			printf("%s%lu", n ? "," : "", shared->samples[n].watched[i]);
		putchar(']');
	}
}

/* From the first sweep to the last mark. */
static void print_totals(void)
{
	struct sample *first = &shared->samples[0], *last = &shared->samples[shared->passed];

	printf(",\"wall_ms\":%lu,\"idle_ms\":%lu,\"tlb_shootdowns\":%lu,\"mark_ms\":[",
	       (last->wall_us - first->wall_us) / 1000, last->idle_ms - first->idle_ms,
	       last->shootdowns - first->shootdowns);
	for (unsigned int n = 0; n <= shared->passed; n++)
		printf("%s%lu", n ? "," : "", (shared->samples[n].wall_us - first->wall_us) / 1000);
	putchar(']');
}

/* All but the closing brace. */
void print_report(void)
{
	struct summary s = sum_up(sweeps_of);

	printf("{\"mode\":\"%s\",\"procs\":%u,\"threads\":%u,\"marks\":%u,\"sweeps\":%lu,\"min\":%lu,\"max\":%lu",
	       mode_names[opt.mode], opt.procs, opt.threads, shared->passed, s.sum, s.min, s.max);
	printf(",\"corrupt\":%lu,\"children\":%lu,\"lives\":%lu,\"huge_mib\":%lu", shared->corrupt, shared->children,
	       shared->lives, shared->huge_kib >> 10);
	print_counters();
	print_totals();
	print_threads("sweeps", sweeps_of);
	print_threads("cpu_ms", cpu_ms_of);
	print_threads("migrations", migrations_of);
}
