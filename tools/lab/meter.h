/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meter's parts, and what they share. docs/measuring.md says what is counted and what is not.
 *
 *	meter.c		arguments, and what is counted at which instruction
 *	meter_access.c	the modelled cache and TLB: where an access goes
 *	meter_stall.c	how long threads are away from their own code
 *	meter_pages.c	who uses which page
 *	meter_report.c	intervals, modelled time, the lines of JSON
 *
 * QEMU must run one thread per vCPU: with a single one (-icount), QEMU 10.0 tells a callback the vCPU that translated
 * the code, not the one that runs it. A vCPU's counters are written by its own thread alone; a mark reads those of the
 * others while they run.
 */
#ifndef NUMALAB_METER_H
#define NUMALAB_METER_H

#include <stdint.h>
#include <stdio.h>

#include "qemu-plugin-api.h"

#define LINE_SHIFT	6
#define PAGE_SHIFT	12
#define CACHE_LINES	512		/* 32 KiB */
#define TLB_ENTRIES	1024		/* 4 MiB */
#define MAX_NODES	64
#define MAX_RANGES	256
#define OTHER		MAX_NODES	/* in no range */
#define LOCAL_DISTANCE	10

struct range {
	uint64_t first;			/* bytes, guest-physical */
	uint64_t end;
	unsigned int node;
};

/* What the arguments say. */
struct machine {
	unsigned int nr_cpus;
	unsigned int nr_nodes;
	unsigned int nr_ranges;
	unsigned int *node_of_cpu;
	struct range ranges[MAX_RANGES];
	unsigned int distance[MAX_NODES][MAX_NODES];
	uint64_t local_cost;		/* of a miss at distance 10, in instructions */
	uint64_t walk_cost;		/* of a page walk */
	uint64_t delay;			/* turns of an empty loop for a miss at distance 20 */
	uint64_t every;			/* misses; 0: marks only */
	bool kernel;			/* the kernel's accesses are counted, too */
};

extern struct machine machine;

static inline unsigned int distance_between(unsigned int from, unsigned int to)
{
	return to == OTHER ? LOCAL_DISTANCE : machine.distance[from][to];
}

/* meter_access.c; once for user programs, once for the kernel */
struct traffic {
	uint64_t miss[MAX_NODES + 1];
	uint64_t walks;
};

bool access_init(void);
const struct traffic *user_traffic(unsigned int cpu);
const struct traffic *kernel_traffic(unsigned int cpu);
/* The vCPU may see other memory at the same address from now on. */
void access_forget_line(unsigned int cpu);
void access_instrument(struct qemu_plugin_insn *insn, bool user);

/* meter_stall.c */
enum away { AWAY_FAULT, AWAY_WAIT, AWAY_KERNEL, NR_AWAY };

bool stall_init(qemu_plugin_id_t id, uint64_t fault_entry);
void stall_instrument(struct qemu_plugin_tb *tb, bool user);
uint64_t user_insns(unsigned int cpu);
uint64_t kernel_insns(unsigned int cpu);
/* Writes the stalls since the last call. */
void stall_print(FILE *out);
void stall_forget(void);

/* meter_pages.c */
bool pages_open(const char *path);
bool pages_init(void);
void pages_write(unsigned int seq);
void pages_forget(void);

extern uint16_t *page_uses;		/* NULL: not counted */

static inline void count_page(uint64_t paddr, unsigned int node)
{
	uint16_t *uses = &page_uses[(paddr >> PAGE_SHIFT) * machine.nr_nodes + node];

	if (*uses != UINT16_MAX)
		++*uses;
}

/* meter_report.c */
extern bool running;		/* between the marks start and end */

bool report_open(const char *path);
bool report_init(void);
void report_mark(unsigned int label);
void report_count_batch(void);
void report_end(void);

#define EVERY_BATCH	1024		/* misses of a vCPU between two calls of report_count_batch() */

#endif
