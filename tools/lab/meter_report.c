// SPDX-License-Identifier: GPL-2.0
/*
 * Intervals: a mark (mark.h) closes one and writes it as a line of JSON. docs/measuring.md lists its fields.
 *
 * Modelled time of a vCPU, in instructions: one for each instruction, local_cost * distance / 10 for each miss of the
 * cache, walk_cost for each miss of the TLB. A halted vCPU's time stands still.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "meter.h"

/* What a vCPU did, in one mode. */
struct doings {
	uint64_t insns;
	struct traffic traffic;
};

struct sample {
	struct doings user;
	struct doings kernel;
};

bool running;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static FILE *out;
static struct sample *reported, *now;	/* of each vCPU */
static unsigned int seq;
static uint64_t misses_to_go;	/* changed without the lock, too */

bool report_open(const char *path)
{
	out = fopen(path, "w");
	return out;
}

bool report_init(void)
{
	misses_to_go = machine.every;
	reported = calloc(machine.nr_cpus, sizeof(*reported));
	now = calloc(machine.nr_cpus, sizeof(*now));
	return out && reported && now;
}

static void read_traffic(struct traffic *to, const struct traffic *from)
{
	for (unsigned int node = 0; node <= OTHER; node++)
		to->miss[node] = __atomic_load_n(&from->miss[node], __ATOMIC_RELAXED);
	to->walks = __atomic_load_n(&from->walks, __ATOMIC_RELAXED);
}

static void read_now(void)
{
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		now[cpu].user.insns = user_insns(cpu);
		now[cpu].kernel.insns = kernel_insns(cpu);
		read_traffic(&now[cpu].user.traffic, user_traffic(cpu));
		read_traffic(&now[cpu].kernel.traffic, kernel_traffic(cpu));
	}
}

static void forget(void)
{
	memcpy(reported, now, machine.nr_cpus * sizeof(*now));
}

/* Figures of a vCPU in this interval; mode is the offset of user or of kernel. */

static const struct doings *doings(const struct sample *samples, unsigned int cpu, size_t mode)
{
	return (const struct doings *)((const char *)&samples[cpu] + mode);
}

static uint64_t insns(unsigned int cpu, size_t mode)
{
	return doings(now, cpu, mode)->insns - doings(reported, cpu, mode)->insns;
}

static uint64_t walks(unsigned int cpu, size_t mode)
{
	return doings(now, cpu, mode)->traffic.walks - doings(reported, cpu, mode)->traffic.walks;
}

static uint64_t misses(unsigned int cpu, size_t mode, unsigned int node)
{
	return doings(now, cpu, mode)->traffic.miss[node] - doings(reported, cpu, mode)->traffic.miss[node];
}

static uint64_t memory_time(unsigned int cpu, size_t mode)
{
	unsigned int from = machine.node_of_cpu[cpu];
	uint64_t weighted = 0;

	for (unsigned int node = 0; node <= OTHER; node++) {
		if (node < machine.nr_nodes || node == OTHER)
			weighted += misses(cpu, mode, node) * distance_between(from, node);
	}
	return weighted * machine.local_cost / LOCAL_DISTANCE + walks(cpu, mode) * machine.walk_cost;
}

static uint64_t time_passed(unsigned int cpu, size_t mode)
{
	return insns(cpu, mode) + memory_time(cpu, mode);
}

/* Lines */

static void print_per_cpu(const char *name, uint64_t (*figure)(unsigned int cpu, size_t mode), size_t mode)
{
	fprintf(out, ",\"%s\":[", name);
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		fprintf(out, "%s%llu", cpu ? "," : "", (unsigned long long)figure(cpu, mode));
	fputc(']', out);
}

static uint64_t between_nodes(unsigned int from, unsigned int to, size_t mode)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		if (machine.node_of_cpu[cpu] == from)
			sum += misses(cpu, mode, to);
	}
	return sum;
}

/* Returns the local share, or a negative number if there is none. */
static double print_matrix(const char *name, size_t mode)
{
	uint64_t sum = 0, local = 0;

	fprintf(out, ",\"%s\":[", name);
	for (unsigned int from = 0; from < machine.nr_nodes; from++) {
		fputs(from ? ",[" : "[", out);
		for (unsigned int to = 0; to < machine.nr_nodes; to++) {
			uint64_t n = between_nodes(from, to, mode);

			fprintf(out, "%s%llu", to ? "," : "", (unsigned long long)n);
			sum += n;
			if (from == to)
				local += n;
		}
		fputc(']', out);
	}
	fputc(']', out);
	return sum ? (double)local / sum : -1;
}

static void print_other(const char *name, size_t mode)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		sum += misses(cpu, mode, OTHER);
	fprintf(out, ",\"%s\":%llu", name, (unsigned long long)sum);
}

static void print_user(void)
{
	const size_t mode = offsetof(struct sample, user);
	double local = print_matrix("miss", mode);

	print_other("other", mode);
	if (local >= 0)
		fprintf(out, ",\"local\":%.5f", local);
	else
		fputs(",\"local\":null", out);
	print_per_cpu("user_walks", walks, mode);
	print_per_cpu("user_memory", memory_time, mode);
	print_per_cpu("user_time", time_passed, mode);
}

static void print_kernel(void)
{
	const size_t mode = offsetof(struct sample, kernel);

	print_matrix("kernel_miss", mode);
	print_other("kernel_other", mode);
	print_per_cpu("kernel_walks", walks, mode);
	print_per_cpu("kernel_memory", memory_time, mode);
	print_per_cpu("kernel_time", time_passed, mode);
}

/* label is JSON: a number, or a string with its quotes */
static void report(const char *label)
{
	fprintf(out, "{\"seq\":%u,\"mark\":%s", seq++, label);
	print_per_cpu("user_insns", insns, offsetof(struct sample, user));
	print_per_cpu("kernel_insns", insns, offsetof(struct sample, kernel));
	print_user();
	if (machine.kernel)
		print_kernel();
	stall_print(out);
	fputs("}\n", out);
	fflush(out);
}

static void start(void)
{
	__atomic_store_n(&running, true, __ATOMIC_RELAXED);
	stall_forget();
	pages_forget();
}

static void end(void)
{
	report("\"end\"");
	__atomic_store_n(&running, false, __ATOMIC_RELAXED);
}

static void report_number(unsigned int n)
{
	char label[8];

	snprintf(label, sizeof(label), "%u", n);
	report(label);
}

void report_mark(unsigned int n)
{
	pthread_mutex_lock(&lock);
	if (n == NUMALAB_MARK_PAGES) {
		pages_write(seq);
		pthread_mutex_unlock(&lock);
		return;
	}
	read_now();
	if (n == NUMALAB_MARK_END)
		end();
	else if (n == NUMALAB_MARK_START)
		start();
	else
		report_number(n);
	forget();
	pthread_mutex_unlock(&lock);
}

void report_count_batch(void)
{
	uint64_t left;

	if (!__atomic_load_n(&running, __ATOMIC_RELAXED))
		return;
	left = __atomic_sub_fetch(&misses_to_go, EVERY_BATCH, __ATOMIC_RELAXED);
	if (left && left <= machine.every)	/* it wraps when N is no multiple of the batch */
		return;
	pthread_mutex_lock(&lock);
	left = __atomic_load_n(&misses_to_go, __ATOMIC_RELAXED);
	if (!left || left > machine.every) {
		__atomic_add_fetch(&misses_to_go, machine.every, __ATOMIC_RELAXED);
		read_now();
		report("\"every\"");
		forget();
	}
	pthread_mutex_unlock(&lock);
}

void report_end(void)
{
	pthread_mutex_lock(&lock);
	if (running) {
		read_now();
		report("\"end\"");
	}
	fclose(out);
	pthread_mutex_unlock(&lock);
}
