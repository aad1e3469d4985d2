// SPDX-License-Identifier: GPL-2.0
/*
 * How many pages gear 3 moves at once. All of a batch are out of reach from its one
 * TLB flush on until each has been copied, and threads that need one wait: a large
 * batch holds them up for long, a small one spends its time on flushes.
 */
#include "batch.h"

/* A flush may take 1/16 of what a batch takes. */
#define FLUSH_PART	16

/*
 * Below so many pages looking the region up again costs as much as the flush, and a
 * batch tells little of what a page takes.
 */
#define LEAST_PAGES	32

/* Of what was known 3/4 stays. */
#define AVERAGE_OF	4

/**
 * an_policy_batch_average - what something takes lately
 * @old: what it was thought to take, in ns; 0: not known
 * @ns: what it took now
 *
 * Return: what it is thought to take now, in ns; 0 only if it took nothing.
 */
u64 an_policy_batch_average(u64 old, u64 ns)
{
	return old ? old - old / AVERAGE_OF + ns / AVERAGE_OF : ns;
}

/**
 * an_policy_batch_page - what each page of a batch takes lately
 * @old: what it was thought to take, in ns; 0: not known
 * @ns: what the batch took now
 * @flush_ns: what a flush takes
 * @pages: of the batch; of a few it tells nothing
 *
 * Return: what a page is thought to take now, in ns.
 */
u64 an_policy_batch_page(u64 old, u64 ns, u64 flush_ns, u32 pages)
{
	if (pages < LEAST_PAGES)
		return old;
	return an_policy_batch_average(old, ns > flush_ns + pages ?
				       (ns - flush_ns) / pages : 1);
}

/**
 * an_policy_batch - how many pages to move at once
 * @flush_ns: what a TLB flush of the process takes; 0: not known
 * @page_ns: what moving a page takes, without the flush; 0: not known
 * @most: no more than these
 *
 * Context: any.
 * Return: pages, @most as long as one of the two is not known.
 */
u32 an_policy_batch(u64 flush_ns, u64 page_ns, u32 most)
{
	u64 pages;

	if (!flush_ns || !page_ns)
		return most;
	pages = an_larger(flush_ns * FLUSH_PART / page_ns, LEAST_PAGES);
	return an_smaller(pages, most);
}
