// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of who leads in a region that several nodes use, in TAP: lead.c of module/.
 *
 *	lead_test [seed [iterations]]
 *
 * Ballots are drawn at random: one node wins a part of them, the others the rest alike.
 */
#include "lead.h"
#include "unit.h"

#define LEADER	5	/* whose part is given; others have lower numbers */

static u32 iterations = 2000;

/* Who wins a ballot: LEADER @percent of them, else one of the @others. */
static u32 winner(u32 percent, u32 others)
{
	return chance(percent) ? LEADER : rnd(others);
}

/* What became of a region that was asked for as long as that may tell. */
struct answer {
	int node;
	u32 ballots;
};

static struct answer ask(u32 percent, u32 others)
{
	struct answer a = { .node = AN_NO_NODE };
	u32 word = 0;

	while (an_lead_open(word)) {
		word = an_lead_asked(word);
		word = an_lead_count(word, winner(percent, others));
		a.ballots++;
	}
	a.node = an_lead_node(word);
	return a;
}

/* Of 1000 regions, those in which LEADER leads, and another one; mean ballots in 1/100. */
struct answers {
	u32 led;
	u32 wrong;
	u32 ballots;
};

static struct answers ask_all(u32 percent, u32 others)
{
	u64 led = 0, wrong = 0, ballots = 0;
	u32 i;

	for (i = 0; i < iterations; i++) {
		struct answer a = ask(percent, others);

		led += a.node == LEADER;
		wrong += a.node != LEADER && a.node != AN_NO_NODE;
		ballots += a.ballots;
	}
	return (struct answers){
		.led = led * 1000 / iterations,
		.wrong = wrong * 1000 / iterations,
		.ballots = ballots * 100 / iterations,
	};
}

static void test_alike(u32 nodes, u32 most)
{
	struct answers a = ask_all(100 / nodes, nodes - 1);

	ok(a.led + a.wrong <= most, "%u nodes alike: somebody leads in %u of 1000",
	   nodes, a.led + a.wrong);
	ok(a.ballots <= 1200, "and that is known after %u.%02u ballots",
	   a.ballots / 100, a.ballots % 100);
}

/* In 1000 ballots of regions that are used alike: how often another one leads than the last time. */
static u32 changes(u32 nodes)
{
	u64 sum = 0;
	u32 i, n;

	for (i = 0; i < iterations / 10; i++) {
		int last = AN_NO_NODE, now;
		u32 word = 0;

		for (n = 0; n < 1000; n++) {
			word = an_lead_count(word, rnd(nodes));
			now = an_lead_node(word);
			sum += now != AN_NO_NODE && last != AN_NO_NODE && now != last;
			last = now == AN_NO_NODE ? last : now;
		}
	}
	return sum * 100 / (iterations / 10);
}

static void test_holds(u32 nodes, u32 most)
{
	u32 n = changes(nodes);

	ok(n <= most, "%u nodes alike: the lead changes hands %u.%02u times in 1000 ballots",
	   nodes, n / 100, n % 100);
}

static void test_leader(u32 percent, u32 others, u32 least)
{
	struct answers a = ask_all(percent, others);

	ok(a.led >= least, "who wins %u of 100, of %u nodes, leads in %u of 1000",
	   percent, others + 1, a.led);
	ok(a.wrong <= 10, "and another one in %u", a.wrong);
	note("%u.%02u ballots", a.ballots / 100, a.ballots % 100);
}

static u32 count(u32 word, u32 node, u32 times)
{
	while (times--)
		word = an_lead_count(word, node);
	return word;
}

/* All that several nodes use is asked for once, and seen by each pass. */
static void test_told(void)
{
	u32 led = an_lead_looked(count(0, 1023, 7)), told = 0, i;

	ok(an_lead_open(an_lead_looked(0)), "told: to begin with it is asked");
	for (i = 0; an_lead_open(told); i++)
		told = an_lead_looked(an_lead_count(an_lead_asked(told), i % 3));
	ok(!an_lead_open(count(told, 1, 6)), "told: not again for what comes later");
	ok(an_lead_node(count(told, 1, 20)) == 1, "told: though that may tell who leads");
	ok(an_lead_open(count(count(led, 3, 1), 2, 6)), "told: but if who led leads no more");
	ok(!an_lead_open(an_lead_again(told)) && !an_lead_open(an_lead_again(led)),
	   "told: not if one node alone seemed to use it");
	ok(an_lead_node(an_lead_again(led)) == AN_NO_NODE, "told: who led leads no more then");
	ok(!an_lead_again(count(0, 2, 6)), "told: and it is asked if that was not over");
	for (i = 0, told = 0; an_lead_open(told); i++)
		told = an_lead_looked(an_lead_asked(told));
	ok(i == 8 && an_lead_open(an_lead_looked(count(told, 2, 1))),
	   "told: and if nobody used it when it was");
}

static void test_bounds(void)
{
	u32 word = 0, i;

	ok(an_lead_node(0) == AN_NO_NODE && an_lead_open(0), "of nothing nothing is known");
	word = count(0, 1023, 6);
	ok(an_lead_node(word) == AN_NO_NODE, "six ballots are too few");
	word = count(word, 1023, 1);
	ok(an_lead_node(word) == 1023 && !an_lead_open(word), "seven will do, for the last node");
	word = count(word, 1023, 1000);
	word = count(count(word, 3, 1), 2, 5);
	ok(an_lead_node(word) == 1023, "however many: six against it are too few");
	word = count(word, 2, 1);
	ok(an_lead_node(word) == AN_NO_NODE, "with seven it leads no more");
	ok(an_lead_open(word), "and it is asked who does now");
	word = count(word, 2, 10);
	ok(an_lead_node(word) == 2, "another one leads, if it goes on");
	for (i = 0, word = 0; i < 1000 && an_lead_open(word); i++)
		word = an_lead_count(an_lead_asked(word), i % 3);
	ok(i == 8, "nobody is ahead: eight ballots are enough (%u)", i);
	for (i = 0, word = 0; i < 1000 && an_lead_open(word); i++)
		word = an_lead_asked(word);
	ok(i == 8, "nobody votes: asked eight times (%u)", i);
	for (i = 0, word = count(count(count(0, 2, 1), 3, 1), 1, 6); i < 1000 && an_lead_open(word); i++)
		word = an_lead_asked(count(word, i % 2 ? 1 : 2, 1));
	ok(i == 31, "somebody is ahead, never by enough: asked 31 times (%u)", i);
	word = 0;
	for (i = 0; i < 1000; i++)
		word = an_lead_count(word, i % 3 ? 1 : 0);
	ok(an_lead_node(word) == AN_NO_NODE, "two of three do not lead a pair");
}

/* Whatever the word: it leads or it does not, and the score keeps its bounds. */
static void test_random(void)
{
	u64 bad = 0;
	u32 i;

	for (i = 0; i < 100 * iterations; i++) {
		union an_lead old = { .word = rnd64() }, new;
		u32 node = chance(50) ? old.node : rnd(1024);

		if (!old.score)
			old.leads = 0;
		new.word = an_lead_count(old.word, node);
		bad += !new.score || (new.asked != old.asked && new.leads);
		bad += new.leads && new.node != old.node && old.leads;
		bad += new.node != old.node && new.node != node;
	}
	ok(!bad, "random words: counts do not wrap, nor does a lead change hands at once (%llu)",
	   bad);
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_bounds();
	test_told();
	test_alike(2, 120);
	test_alike(3, 40);
	test_alike(4, 10);
	test_alike(8, 5);
	test_holds(2, 500);
	test_holds(4, 100);
	test_leader(77, 3, 800);
	test_leader(62, 3, 380);
	test_leader(62, 7, 550);
	test_leader(90, 1, 900);
	test_random();
	return done();
}
