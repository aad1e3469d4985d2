// SPDX-License-Identifier: GPL-2.0
/*
 * Where an access goes. Each vCPU has a cache, indexed by physical address, and a direct-mapped TLB; what misses the
 * cache is counted by the node of the page. User programs and the kernel share both, and are counted apart. A set of
 * the cache has two lines: with one, copying a page to another of the same colour would miss at every word.
 */
#include <stdlib.h>
#include <string.h>

#include "meter.h"

#define NOWHERE	(OTHER + 1)		/* in the cache, or no memory */

struct vcpu {
	uint64_t last_line;		/* virtual: an access to the same line again cannot miss */
	uint64_t batch;
	struct traffic user;
	struct traffic kernel;
	uint64_t tag[CACHE_LINES / 2][2];	/* physical line + 1, the one used last first */
	uint64_t tlb_era;		/* how often it was flushed, and one */
	uint64_t tlb[TLB_ENTRIES];	/* era and virtual page */
} __attribute__((aligned(64)));

static struct vcpu *vcpus;

const struct traffic *user_traffic(unsigned int cpu)
{
	return &vcpus[cpu].user;
}

const struct traffic *kernel_traffic(unsigned int cpu)
{
	return &vcpus[cpu].kernel;
}

void access_forget_line(unsigned int cpu)
{
	vcpus[cpu].last_line = UINT64_MAX;
}

/* The owner alone writes; a plain add that readers see whole. */
static inline void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static unsigned int node_of_address(uint64_t paddr)
{
	for (unsigned int i = 0; i < machine.nr_ranges; i++) {
		const struct range *r = &machine.ranges[i];

		if (paddr >= r->first && paddr < r->end)
			return r->node;
	}
	return OTHER;
}

static inline void look_up_tlb(struct vcpu *v, struct traffic *t, uint64_t vaddr)
{
	uint64_t page = vaddr << 16 >> (16 + PAGE_SHIFT), *entry = &v->tlb[page % TLB_ENTRIES];
	uint64_t is = v->tlb_era << (48 - PAGE_SHIFT) | page;

	if (*entry == is)
		return;
	*entry = is;
	count(&t->walks);
}

/* Returns whether it was there; it is now. */
static inline bool look_up_cache(struct vcpu *v, uint64_t line)
{
	uint64_t *set = v->tag[line % (CACHE_LINES / 2)], last = set[0];
	bool found;

	if (last == line + 1)
		return true;
	found = set[1] == line + 1;
	set[0] = line + 1;
	set[1] = last;
	return found;
}

/* The node that the access goes to, and the address there. */
static inline unsigned int look_up(struct vcpu *v, struct traffic *t, qemu_plugin_meminfo_t info, uint64_t vaddr,
				   uint64_t *paddr)
{
	struct qemu_plugin_hwaddr *hwaddr;
	unsigned int node;

	if (v->last_line == vaddr >> LINE_SHIFT)
		return NOWHERE;
	hwaddr = qemu_plugin_get_hwaddr(info, vaddr);
	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return NOWHERE;
	v->last_line = vaddr >> LINE_SHIFT;
	look_up_tlb(v, t, vaddr);
	*paddr = qemu_plugin_hwaddr_phys_addr(hwaddr);
	if (look_up_cache(v, *paddr >> LINE_SHIFT))
		return NOWHERE;
	node = node_of_address(*paddr);
	count(&t->miss[node]);
	return node;
}

static void feel_distance(unsigned int distance)
{
	uint64_t turns = machine.delay * (distance - LOCAL_DISTANCE) / LOCAL_DISTANCE;

	while (turns--)
		__asm__ volatile("");
}

static void on_user_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct vcpu *v = &vcpus[cpu];
	unsigned int from = machine.node_of_cpu[cpu], node;
	uint64_t paddr;

	(void)data;
	node = look_up(v, &v->user, info, vaddr, &paddr);
	if (node == NOWHERE)
		return;
	if (page_uses && node != OTHER)
		count_page(paddr, from);
	if (machine.delay)
		feel_distance(distance_between(from, node));
	if (machine.every && ++v->batch == EVERY_BATCH) {
		v->batch = 0;
		report_count_batch();
	}
}

/*
 * Not while the guest boots: QEMU 10.0 fails an assertion when it is asked for the address of a device whose place has
 * just been changed.
 */
static void on_kernel_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	struct vcpu *v = &vcpus[cpu];
	uint64_t paddr;

	(void)data;
	if (__atomic_load_n(&running, __ATOMIC_RELAXED))
		look_up(v, &v->kernel, info, vaddr, &paddr);
}

static void on_tlb_flush(unsigned int cpu, void *data)
{
	(void)data;
	vcpus[cpu].tlb_era++;
}

/* A load of CR3, INVLPG or INVPCID: whatever it is told to flush, the modelled TLB loses all. */
static bool is_tlb_flush(const struct qemu_plugin_insn *insn)
{
	uint8_t code[16], *c = code;
	size_t n = qemu_plugin_insn_data(insn, code, sizeof(code));

	memset(code + n, 0, sizeof(code) - n);
	while (*c == 0x66 || *c == 0x2e || *c == 0x3e || (*c & 0xf0) == 0x40)
		c++;
	if (*c++ != 0x0f)
		return false;
	if (c[0] == 0x22)
		return (c[1] & 0x38) == 3 << 3;
	if (c[0] == 0x01)
		return (c[1] & 0x38) == 7 << 3 && c[1] < 0xc0;
	return c[0] == 0x38 && c[1] == 0x82;
}

void access_instrument(struct qemu_plugin_insn *insn, bool user)
{
	if (!user && is_tlb_flush(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_tlb_flush, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (user || machine.kernel)
		qemu_plugin_register_vcpu_mem_cb(insn, user ? on_user_access : on_kernel_access,
						 QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
}

bool access_init(void)
{
	vcpus = aligned_alloc(64, machine.nr_cpus * sizeof(*vcpus));
	if (!vcpus)
		return false;
	memset(vcpus, 0, machine.nr_cpus * sizeof(*vcpus));
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		vcpus[cpu].tlb_era = 1;
	return true;
}
