// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses which page: for each guest-physical page of 4 KiB, the misses of user programs by the node of the vCPU.
 * The mark NUMALAB_MARK_PAGES writes them and starts anew. The file, all numbers little-endian:
 *
 *	a line of text		{"nodes":N,"ranges":[[FIRST-PAGE,END-PAGE,NODE],...]}
 *	for each mark		u32 seq of the interval it fell into, u32 number of records
 *	a record		u32 page frame number, u16 misses from node 0, ... node N - 1; 65535 stands for more
 *
 * vCPUs of one node count without a lock: now and then one of two counts is lost.
 */
#include <stdlib.h>
#include <string.h>

#include "meter.h"

uint16_t *page_uses;

static FILE *out;
static uint64_t nr_pages;

bool pages_open(const char *path)
{
	out = fopen(path, "w");
	return out;
}

static void write_header(void)
{
	fprintf(out, "{\"nodes\":%u,\"ranges\":[", machine.nr_nodes);
	for (unsigned int i = 0; i < machine.nr_ranges; i++) {
		const struct range *r = &machine.ranges[i];

		fprintf(out, "%s[%llu,%llu,%u]", i ? "," : "", (unsigned long long)r->first >> PAGE_SHIFT,
			(unsigned long long)r->end >> PAGE_SHIFT, r->node);
	}
	fputs("]}\n", out);
}

bool pages_init(void)
{
	if (!out)
		return true;
	for (unsigned int i = 0; i < machine.nr_ranges; i++) {
		if (machine.ranges[i].end >> PAGE_SHIFT > nr_pages)
			nr_pages = machine.ranges[i].end >> PAGE_SHIFT;
	}
	page_uses = calloc(nr_pages * machine.nr_nodes, sizeof(*page_uses));
	write_header();
	return page_uses;
}

static bool is_used(uint64_t pfn)
{
	for (unsigned int node = 0; node < machine.nr_nodes; node++) {
		if (page_uses[pfn * machine.nr_nodes + node])
			return true;
	}
	return false;
}

static void write_u32(uint32_t value)
{
	fwrite(&value, sizeof(value), 1, out);
}

static uint32_t count_used(void)
{
	uint32_t used = 0;

	for (uint64_t pfn = 0; pfn < nr_pages; pfn++)
		used += is_used(pfn);
	return used;
}

/* Pages that are used for the first time while this runs wait for the next mark: the number stands before them. */
void pages_write(unsigned int seq)
{
	size_t size = machine.nr_nodes * sizeof(*page_uses);
	uint32_t left;

	if (!out)
		return;
	left = count_used();
	write_u32(seq);
	write_u32(left);
	for (uint64_t pfn = 0; pfn < nr_pages && left; pfn++) {
		if (!is_used(pfn))
			continue;
		write_u32(pfn);
		fwrite(&page_uses[pfn * machine.nr_nodes], size, 1, out);
		memset(&page_uses[pfn * machine.nr_nodes], 0, size);
		left--;
	}
	fflush(out);
}

void pages_forget(void)
{
	if (out)
		memset(page_uses, 0, nr_pages * machine.nr_nodes * sizeof(*page_uses));
}
