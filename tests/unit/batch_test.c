// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of how many pages are moved at once, in TAP: batch.c of module/.
 *
 *	batch_test [seed [iterations]]
 */
#include "batch.h"
#include "unit.h"

#define MOST	512
#define LEAST	32

static u32 iterations = 100000;

static void test_unknown(void)
{
	ok(an_policy_batch(0, 1000, MOST) == MOST, "flush not known: as many as may be");
	ok(an_policy_batch(5000, 0, MOST) == MOST, "page not known: as many as may be");
}

static void test_costs(void)
{
	ok(an_policy_batch(5000, 1000, MOST) == 80, "a flush is 1/16 of its batch");
	ok(an_policy_batch(10000000, 50000, MOST) == MOST, "a slow flush: as many as may be");
	ok(an_policy_batch(300, 1000, MOST) == LEAST, "a flush for nothing: a few all the same");
	ok(an_policy_batch(300, 1000, 8) == 8, "never more than may be");
}

static void test_page(void)
{
	ok(an_policy_batch_page(0, 85000, 5000, 80) == 1000, "a page takes what the flush leaves");
	ok(an_policy_batch_page(0, 4000, 5000, 80) == 1, "less than a flush: known all the same");
	ok(an_policy_batch_page(700, 85000, 5000, 8) == 700, "a few pages tell nothing");
}

static void test_average(void)
{
	u64 ns = an_policy_batch_average(0, 4000);
	u32 i;

	ok(ns == 4000, "the first one is taken as it is");
	ns = an_policy_batch_average(ns, 400000);
	ok(ns > 4000 && ns < 200000, "one that is late is not believed at once (%llu)",
	   (unsigned long long)ns);
	for (i = 0; i < 20; i++)
		ns = an_policy_batch_average(ns, 4000);
	ok(ns < 5000, "and is forgotten (%llu)", (unsigned long long)ns);
}

static void test_fuzz(void)
{
	u32 i, wrong = 0;

	for (i = 0; i < iterations; i++) {
		u64 flush = rnd64() >> rnd(64), ns = rnd64() >> rnd(64);
		u32 most = 1 + rnd(MOST), pages = 1 + rnd(MOST);
		u64 page = an_policy_batch_page(1, ns, flush, pages);
		u32 batch = an_policy_batch(flush, an_policy_batch_average(page, ns), most);

		wrong += !page || batch > most || batch < an_smaller(most, LEAST);
	}
	ok(!wrong, "fuzz: neither less nor more than may be");
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_unknown();
	test_costs();
	test_page();
	test_average();
	test_fuzz();
	return done();
}
