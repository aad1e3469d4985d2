// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin that counts instructions, and nothing else: of all vCPUs together, those of programs and those of the
 * kernel apart, and how often the instructions at given addresses of the kernel are run. Each mark (mark.h) writes a
 * line of JSON with what was counted since the mark before. With one QEMU thread and a clock made of instructions
 * (numalab --deterministic) the same run gives the same line again. QEMU 10.0 then tells callbacks the wrong vCPU
 * (meter.h), which does not matter to sums; inline counters, which it would find by that vCPU, make it crash.
 *
 * An instruction that faults counts each time it is begun; each repetition of a "rep" instruction counts.
 *
 * Arguments: out=FILE
 *	      at=ADDRESS:ADDRESS:...	hexadecimal
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_mark.h"

#define MAX_ADDRESSES	16

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum counter { COUNT_USER, COUNT_KERNEL, COUNT_AT, NR_COUNTERS = COUNT_AT + MAX_ADDRESSES };

static uint64_t counted[NR_COUNTERS];
static uint64_t address[MAX_ADDRESSES];
static unsigned int nr_addresses;
static FILE *out;

static unsigned long long take(unsigned int counter)
{
	unsigned long long n = counted[counter];

	counted[counter] = 0;
	return n;
}

static void on_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	fprintf(out, "{\"mark\":%u,\"user\":%llu,\"kernel\":%llu,\"at\":[", (unsigned int)(uintptr_t)data,
		take(COUNT_USER), take(COUNT_KERNEL));
	for (unsigned int i = 0; i < nr_addresses; i++)
		fprintf(out, "%s%llu", i ? "," : "", take(COUNT_AT + i));
	fputs("]}\n", out);
	fflush(out);
}

static void on_insn(unsigned int vcpu, void *data)
{
	(void)vcpu;
	++*(uint64_t *)data;
}

static void count(struct qemu_plugin_insn *insn, unsigned int counter)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, QEMU_PLUGIN_CB_NO_REGS, &counted[counter]);
}

static void count_address(struct qemu_plugin_insn *insn)
{
	for (unsigned int i = 0; i < nr_addresses; i++) {
		if (qemu_plugin_insn_vaddr(insn) == address[i])
			count(insn, COUNT_AT + i);
	}
}

/* The upper half of the address space is the kernel's, and a block does not cross the border. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	bool user = !(qemu_plugin_tb_vaddr(tb) >> 63);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned int label;

		count(insn, user ? COUNT_USER : COUNT_KERNEL);
		if (!user)
			count_address(insn);
		else if (is_mark(insn, &label))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)label);
	}
}

static bool parse_addresses(const char *text)
{
	char *end;

	while (nr_addresses < MAX_ADDRESSES) {
		address[nr_addresses++] = strtoull(text, &end, 16);
		if (end == text || *end != ':')
			return end != text && !*end;
		text = end + 1;
	}
	return false;
}

static bool parse_argument(const char *arg)
{
	if (!strncmp(arg, "out=", 4))
		return (out = fopen(arg + 4, "w"));
	if (!strncmp(arg, "at=", 3))
		return parse_addresses(arg + 3);
	return false;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!parse_argument(argv[i])) {
			fprintf(stderr, "count: bad argument: %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fputs("count: out= is needed\n", stderr);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	return 0;
}
