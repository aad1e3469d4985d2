// SPDX-License-Identifier: GPL-2.0
/*
 * The meter: a QEMU plugin that counts where user programs' memory is, seen from the CPU that uses it.
 *
 * Each user-mode access goes through a small direct-mapped cache of its vCPU, indexed by physical address; an access
 * that misses is counted in the matrix [node of the vCPU][node of the page]. User and kernel instructions are counted
 * per vCPU. Not modelled: coherence, prefetch, shared caches, time; kernel accesses and instruction fetches are not
 * counted in the matrix. A mark (mark.h) closes an interval and writes it as one line of JSON.
 *
 * Arguments: out=FILE
 *	      cpus=NODE:NODE:...	node of each vCPU
 *	      ranges=FIRST-END-NODE:...	guest-physical ranges, hexadecimal, END excluded
 *	      every=N			a line after every N misses or so, labelled "every"
 *
 * QEMU must run one thread per vCPU: with a single one (-icount), QEMU 10.0 tells a callback the vCPU that translated
 * the code, not the one that runs it. A vCPU's counters are written by its own thread alone; a mark reads those of the others while they run.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "qemu-plugin-api.h"

#define LINE_SHIFT	6
#define CACHE_LINES	512		/* 32 KiB */
#define MAX_NODES	64
#define MAX_RANGES	256
#define OTHER		MAX_NODES	/* in no range */
#define EVERY_BATCH	1024		/* misses of a vCPU between two looks at the common count */

struct range {
	uint64_t first;
	uint64_t end;
	unsigned int node;
};

struct vcpu {
	uint64_t last_line;		/* virtual: an access to the same line again cannot miss */
	uint64_t batch;
	uint64_t miss[MAX_NODES + 1];
	uint64_t tag[CACHE_LINES];	/* physical line + 1 */
} __attribute__((aligned(64)));

struct insns {
	uint64_t user;
	uint64_t kernel;
};

struct totals {
	uint64_t miss[MAX_NODES][MAX_NODES + 1];
	struct insns *insns;
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct range ranges[MAX_RANGES];
static unsigned int nr_ranges;
static unsigned int nr_nodes;
static unsigned int nr_cpus;
static unsigned int *node_of_cpu;
static struct vcpu *vcpus;
static qemu_plugin_u64 user_insns, kernel_insns;

static uint64_t every;
static uint64_t misses_to_go;

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static FILE *out;
static struct totals reported, now;
static unsigned int seq;
static bool running;		/* between the marks start and end; read without the lock, too */

static unsigned int node_of_address(uint64_t paddr)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		if (paddr >= ranges[i].first && paddr < ranges[i].end)
			return ranges[i].node;
	}
	return OTHER;
}

static void read_totals(struct totals *t)
{
	memset(t->miss, 0, sizeof(t->miss));
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		t->insns[cpu].user = qemu_plugin_u64_get(user_insns, cpu);
		t->insns[cpu].kernel = qemu_plugin_u64_get(kernel_insns, cpu);
		for (unsigned int node = 0; node <= MAX_NODES; node++)
			t->miss[node_of_cpu[cpu]][node] += __atomic_load_n(&vcpus[cpu].miss[node], __ATOMIC_RELAXED);
	}
}

static void forget(void)
{
	struct insns *insns = reported.insns;

	memcpy(insns, now.insns, nr_cpus * sizeof(*insns));
	reported = now;
	reported.insns = insns;
}

static void print_insns(const char *name, size_t member)
{
	fprintf(out, ",\"%s\":[", name);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		uint64_t new = *(uint64_t *)((char *)&now.insns[cpu] + member);
		uint64_t old = *(uint64_t *)((char *)&reported.insns[cpu] + member);

		fprintf(out, "%s%llu", cpu ? "," : "", (unsigned long long)(new - old));
	}
	fputc(']', out);
}

static void print_misses(void)
{
	uint64_t sum = 0, local = 0, other = 0;

	fputs(",\"miss\":[", out);
	for (unsigned int from = 0; from < nr_nodes; from++) {
		fputs(from ? ",[" : "[", out);
		for (unsigned int to = 0; to < nr_nodes; to++) {
			uint64_t n = now.miss[from][to] - reported.miss[from][to];

			fprintf(out, "%s%llu", to ? "," : "", (unsigned long long)n);
			sum += n;
			if (from == to)
				local += n;
		}
		fputc(']', out);
		other += now.miss[from][OTHER] - reported.miss[from][OTHER];
	}
	fprintf(out, "],\"other\":%llu,\"local\":", (unsigned long long)other);
	if (sum)
		fprintf(out, "%.5f", (double)local / sum);
	else
		fputs("null", out);
}

/* label is JSON: a number, or a string with its quotes */
static void report(const char *label)
{
	fprintf(out, "{\"seq\":%u,\"mark\":%s", seq++, label);
	print_insns("user_insns", offsetof(struct insns, user));
	print_insns("kernel_insns", offsetof(struct insns, kernel));
	print_misses();
	fputs("}\n", out);
	fflush(out);
}

static void on_mark(unsigned int vcpu, void *data)
{
	unsigned int n = (uintptr_t)data;
	char label[8];

	(void)vcpu;
	pthread_mutex_lock(&report_lock);
	read_totals(&now);
	if (n == NUMALAB_MARK_END) {
		report("\"end\"");
		__atomic_store_n(&running, false, __ATOMIC_RELAXED);
	} else if (n == NUMALAB_MARK_START) {
		__atomic_store_n(&running, true, __ATOMIC_RELAXED);
	} else {
		snprintf(label, sizeof(label), "%u", n);
		report(label);
	}
	forget();
	pthread_mutex_unlock(&report_lock);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	pthread_mutex_lock(&report_lock);
	if (running) {
		read_totals(&now);
		report("\"end\"");
	}
	fclose(out);
	pthread_mutex_unlock(&report_lock);
}

static void count_for_every(struct vcpu *v)
{
	uint64_t left;

	v->batch = 0;
	if (!__atomic_load_n(&running, __ATOMIC_RELAXED))
		return;
	left = __atomic_sub_fetch(&misses_to_go, EVERY_BATCH, __ATOMIC_RELAXED);
	if (left && left <= every)	/* it wraps when N is no multiple of the batch */
		return;
	pthread_mutex_lock(&report_lock);
	left = __atomic_load_n(&misses_to_go, __ATOMIC_RELAXED);
	if (!left || left > every) {
		__atomic_add_fetch(&misses_to_go, every, __ATOMIC_RELAXED);
		read_totals(&now);
		report("\"every\"");
		forget();
	}
	pthread_mutex_unlock(&report_lock);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct vcpu *v = &vcpus[vcpu];
	struct qemu_plugin_hwaddr *hwaddr;
	uint64_t paddr, line, *tag;
	unsigned int node;

	(void)data;
	if (v->last_line == vaddr >> LINE_SHIFT)
		return;
	hwaddr = qemu_plugin_get_hwaddr(info, vaddr);
	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return;
	v->last_line = vaddr >> LINE_SHIFT;
	paddr = qemu_plugin_hwaddr_phys_addr(hwaddr);
	line = paddr >> LINE_SHIFT;
	tag = &v->tag[line % CACHE_LINES];
	if (*tag == line + 1)
		return;
	*tag = line + 1;
	node = node_of_address(paddr);
	__atomic_store_n(&v->miss[node], v->miss[node] + 1, __ATOMIC_RELAXED);
	if (every && ++v->batch == EVERY_BATCH)
		count_for_every(v);
}

static bool is_mark(const struct qemu_plugin_insn *insn, unsigned int *label)
{
	static const uint8_t opcode[] = { 0x0f, 0x1f, 0x84, 0x00 };
	uint32_t magic;
	uint8_t code[8];

	if (qemu_plugin_insn_data(insn, code, sizeof(code)) != sizeof(code) || memcmp(code, opcode, sizeof(opcode)))
		return false;
	memcpy(&magic, code + sizeof(opcode), sizeof(magic));
	*label = magic & 0xff;
	return (magic & ~0xffu) == NUMALAB_MARK_MAGIC;
}

/* The upper half of the address space is the kernel's, and a block does not cross the border. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	bool user = !(qemu_plugin_tb_vaddr(tb) >> 63);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							  user ? user_insns : kernel_insns, n);
	if (!user)
		return;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned int label;

		if (is_mark(insn, &label))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)label);
		else
			qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static bool note_node(unsigned long node)
{
	if (node >= MAX_NODES)
		return false;
	if (node >= nr_nodes)
		nr_nodes = node + 1;
	return true;
}

static bool parse_cpus(const char *text)
{
	unsigned int cpu = 0;
	char *end;

	for (; cpu < nr_cpus; text = end + 1) {
		unsigned long node = strtoul(text, &end, 10);

		if (end == text || !note_node(node))
			return false;
		node_of_cpu[cpu++] = node;
		if (*end != ':')
			break;
	}
	return cpu == nr_cpus && !*end;
}

static bool parse_ranges(const char *text)
{
	while (nr_ranges < MAX_RANGES) {
		struct range *r = &ranges[nr_ranges];
		unsigned long long first, end;
		int used;

		if (sscanf(text, "%llx-%llx-%u%n", &first, &end, &r->node, &used) != 3 || !note_node(r->node))
			return false;
		r->first = first;
		r->end = end;
		nr_ranges++;
		text += used;
		if (*text++ != ':')
			return !text[-1];
	}
	return false;
}

static bool parse_argument(const char *arg)
{
	if (!strncmp(arg, "cpus=", 5))
		return parse_cpus(arg + 5);
	if (!strncmp(arg, "ranges=", 7))
		return parse_ranges(arg + 7);
	if (!strncmp(arg, "every=", 6)) {
		every = strtoull(arg + 6, NULL, 10);
		misses_to_go = every;
		return every >= EVERY_BATCH;
	}
	if (!strncmp(arg, "out=", 4)) {
		out = fopen(arg + 4, "w");
		return out;
	}
	return false;
}

static bool allocate(void)
{
	struct qemu_plugin_scoreboard *board = qemu_plugin_scoreboard_new(sizeof(struct insns));

	user_insns = (qemu_plugin_u64){ board, offsetof(struct insns, user) };
	kernel_insns = (qemu_plugin_u64){ board, offsetof(struct insns, kernel) };
	node_of_cpu = calloc(nr_cpus, sizeof(*node_of_cpu));
	now.insns = calloc(nr_cpus, sizeof(*now.insns));
	reported.insns = calloc(nr_cpus, sizeof(*reported.insns));
	vcpus = aligned_alloc(64, nr_cpus * sizeof(*vcpus));
	if (!node_of_cpu || !now.insns || !reported.insns || !vcpus)
		return false;
	memset(vcpus, 0, nr_cpus * sizeof(*vcpus));
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (!info->system_emulation || strcmp(info->target_name, "x86_64")) {
		fputs("meter: not an x86_64 machine\n", stderr);
		return -1;
	}
	nr_cpus = info->system.max_vcpus;
	if (!allocate())
		return -1;
	for (int i = 0; i < argc; i++) {
		if (!parse_argument(argv[i])) {
			fprintf(stderr, "meter: bad argument: %s\n", argv[i]);
			return -1;
		}
	}
	if (!out || !nr_ranges || !nr_nodes) {
		fputs("meter: out=, cpus= and ranges= are needed\n", stderr);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
