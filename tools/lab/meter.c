// SPDX-License-Identifier: GPL-2.0
/*
 * The meter: a QEMU plugin that counts where memory is, seen from the CPU that uses it, and what that would cost.
 *
 * Each user-mode access goes through a small two-way cache of its vCPU, indexed by physical address; an access that
 * misses is counted in the matrix [node of the vCPU][node of the page]. So are the kernel's, in a matrix of their
 * own, if asked for. A mark (mark.h) closes an interval and writes it as one line of JSON. meter.h lists the parts;
 * docs/measuring.md says what is modelled and what is not.
 *
 * Arguments: out=FILE
 *	      cpus=NODE:NODE:...	node of each vCPU
 *	      ranges=FIRST-END-NODE:...	guest-physical ranges, hexadecimal, END excluded
 *	      every=N			a line after every N misses of user programs or so, labelled "every"
 *	      kernel=on			count the kernel's accesses
 *	      distance=D:D:...		between nodes, row after row; 10 everywhere by default
 *	      local_cost=N		of a miss at distance 10, in instructions
 *	      walk_cost=N		of a page walk, in instructions
 *	      delay=N			a miss at distance 20 takes N turns of an empty loop longer, in real time
 *	      pages=FILE		see meter_pages.c
 *	      fault=ADDRESS		of the kernel's page-fault handler, hexadecimal
 */
#include <stdlib.h>
#include <string.h>

#include "find_mark.h"
#include "meter.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct machine machine = { .local_cost = 100, .walk_cost = 30 };

static uint64_t fault_entry;
static const char *distances;

static void on_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	report_mark((uintptr_t)data);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	report_end();
}

/* The upper half of the address space is the kernel's, and a block does not cross the border. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	bool user = !(qemu_plugin_tb_vaddr(tb) >> 63);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	stall_instrument(tb, user);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned int label;

		if (user && is_mark(insn, &label))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)label);
		else
			access_instrument(insn, user);
	}
}

static bool note_node(unsigned long node)
{
	if (node >= MAX_NODES)
		return false;
	if (node >= machine.nr_nodes)
		machine.nr_nodes = node + 1;
	return true;
}

static bool parse_cpus(const char *text)
{
	unsigned int cpu = 0;
	char *end;

	for (; cpu < machine.nr_cpus; text = end + 1) {
		unsigned long node = strtoul(text, &end, 10);

		if (end == text || !note_node(node))
			return false;
		machine.node_of_cpu[cpu++] = node;
		if (*end != ':')
			break;
	}
	return cpu == machine.nr_cpus && !*end;
}

static bool parse_ranges(const char *text)
{
	while (machine.nr_ranges < MAX_RANGES) {
		struct range *r = &machine.ranges[machine.nr_ranges];
		unsigned long long first, end;
		int used;

		if (sscanf(text, "%llx-%llx-%u%n", &first, &end, &r->node, &used) != 3 || !note_node(r->node))
			return false;
		r->first = first;
		r->end = end;
		machine.nr_ranges++;
		text += used;
		if (*text++ != ':')
			return !text[-1];
	}
	return false;
}

/* Once the number of nodes is known. */
static bool parse_distances(const char *text)
{
	unsigned int n = machine.nr_nodes;
	char *end = "";

	for (unsigned int i = 0; i < n * n; i++) {
		unsigned long distance = LOCAL_DISTANCE;

		if (text) {
			distance = strtoul(text, &end, 10);
			if (end == text || distance < LOCAL_DISTANCE || distance > 254 || (i + 1 < n * n && *end != ':'))
				return false;
			text = end + 1;
		}
		machine.distance[i / n][i % n] = distance;
	}
	return !*end;
}

static bool parse_number(const char *text, int base, uint64_t max, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, base);
	return end != text && !*end && *value <= max;
}

static bool parse_argument(const char *arg)
{
	const char *value = strchr(arg, '=');

#define IS(name) (value && !strncmp(arg, name "=", sizeof(name)))
	value = value ? value + 1 : NULL;
	if (IS("cpus"))
		return parse_cpus(value);
	if (IS("ranges"))
		return parse_ranges(value);
	if (IS("distance"))
		return (distances = value);
	if (IS("kernel"))
		return (machine.kernel = !strcmp(value, "on"));
	if (IS("every"))
		return parse_number(value, 10, UINT64_MAX / 2, &machine.every) && machine.every >= EVERY_BATCH;
	if (IS("local_cost"))
		return parse_number(value, 10, 1 << 20, &machine.local_cost);
	if (IS("walk_cost"))
		return parse_number(value, 10, 1 << 20, &machine.walk_cost);
	if (IS("delay"))
		return parse_number(value, 10, 1 << 20, &machine.delay);
	if (IS("fault"))
		return parse_number(value, 16, UINT64_MAX, &fault_entry);
	if (IS("out"))
		return report_open(value);
	if (IS("pages"))
		return pages_open(value);
#undef IS
	return false;
}

static bool parse_arguments(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!parse_argument(argv[i])) {
			fprintf(stderr, "meter: bad argument: %s\n", argv[i]);
			return false;
		}
	}
	if (!machine.nr_ranges || !machine.nr_nodes) {
		fputs("meter: out=, cpus= and ranges= are needed\n", stderr);
		return false;
	}
	if (!parse_distances(distances)) {
		fprintf(stderr, "meter: bad distances: %s\n", distances);
		return false;
	}
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (!info->system_emulation || strcmp(info->target_name, "x86_64")) {
		fputs("meter: not an x86_64 machine\n", stderr);
		return -1;
	}
	machine.nr_cpus = info->system.max_vcpus;
	machine.node_of_cpu = calloc(machine.nr_cpus, sizeof(*machine.node_of_cpu));
	if (!machine.node_of_cpu || !parse_arguments(argc, argv))
		return -1;
	if (!access_init() || !report_init() || !pages_init() || !stall_init(id, fault_entry))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
