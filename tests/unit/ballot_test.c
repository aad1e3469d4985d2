// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the votes on regions, in TAP: ballot.c of module/.
 *
 *	ballot_test [seed [iterations]]
 *
 * A region of 512 pages is sampled pass by pass as gear 1 does: some pages drawn
 * anew, and those of the pass before again; each faults once per pass, from where
 * its users run.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "ballot.h"
#include "unit.h"

#define PAGES	512
#define NODES	8

static u32 iterations = 2000;

/* Who uses a region, and what its pages know of it. */
struct region {
	u64 word;
	int last[PAGES];
	u32 pass;
	u32 drawn[AN_BALLOT_DRAWN];
	/* The node a page is used from in a pass. */
	u32 (*user)(const struct region *r, u32 page);
	u32 nodes;		/* so many use it */
	u32 sweeper;		/* in this pass, whoever comes first */
	u32 overtaker;		/* who comes first */
	u32 cut;		/* from this page on */
};

static u32 one_user(const struct region *r __attribute__((unused)),
		    u32 page __attribute__((unused)))
{
	return 3;
}

/* Every page has an owner, in turn. */
static u32 striped(const struct region *r, u32 page)
{
	return page % r->nodes;
}

/* Three quarters are one's, the rest is another's. */
static u32 at_a_border(const struct region *r __attribute__((unused)),
		       u32 page)
{
	return page < PAGES * 3 / 4 ? 1 : 2;
}

/* Each access from any of the nodes. */
static u32 shared(const struct region *r,
		  u32 page __attribute__((unused)))
{
	return rnd(r->nodes);
}

/* All use all of it; who sweeps by first takes all the faults of a pass. */
static u32 swept(const struct region *r,
		 u32 page __attribute__((unused)))
{
	return r->sweeper;
}

/* As swept, but in some passes another one overtakes. */
static u32 overtaken(const struct region *r, u32 page)
{
	return page < r->cut ? r->sweeper : r->overtaker;
}

static void start(struct region *r, u32 (*user)(const struct region *, u32),
		  u32 nodes)
{
	u32 i;

	memset(r, 0, sizeof(*r));
	r->user = user;
	r->nodes = nodes;
	for (i = 0; i < PAGES; i++)
		r->last[i] = AN_NO_NODE;
}

/* Only of a page that faulted in the pass before, too, is known who uses it now. */
static void fault(struct region *r, u32 page, bool again)
{
	struct an_vote vote = {
		.node = r->user(r, page),
		.pass = r->pass,
		.known = again,
	};

	vote.same = r->last[page] == (int)vote.node;
	r->word = an_ballot_vote(r->word, &vote);
	r->last[page] = vote.node;
}

/* As gear 1 does, but where each page was made to fault, and is again. */
static u64 draw(u64 word, bool mapped)
{
	union an_ballot b = { .word = word };
	int node;

	if (b.each && an_ballot_verdict_of(word, mapped, &node) == AN_V_TORN)
		return word;
	return an_ballot_drawn(word, an_ballot_next_draw(word), false, mapped);
}

static void pass(struct region *r)
{
	u32 i;

	r->pass++;
	r->sweeper = rnd(r->nodes);
	r->overtaker = rnd(r->nodes);
	r->cut = chance(30) ? rnd(PAGES) : PAGES;
	r->word = draw(r->word, false);
	for (i = 0; i < AN_BALLOT_DRAWN; i++) {
		if (r->pass > 1)
			fault(r, r->drawn[i], true);
		r->drawn[i] = rnd(PAGES);
		fault(r, r->drawn[i], false);
	}
}

static enum an_verdict verdict(const struct region *r, int *node)
{
	return an_ballot_verdict(r->word, node);
}

static u32 passes_until(struct region *r, enum an_verdict want, int want_node,
			u32 most)
{
	u32 passes = 0;
	int node;

	while (passes < most) {
		pass(r);
		passes++;
		if (verdict(r, &node) == want &&
		    (want_node == AN_NO_NODE || node == want_node))
			break;
	}
	return passes;
}

/* Mean passes in 1/100 until a verdict; what never comes counts as @most. */
static u32 mean_passes(u32 (*user)(const struct region *, u32), u32 nodes,
		       enum an_verdict want, int want_node, u32 most)
{
	struct region r;
	u64 sum = 0;
	u32 i;

	for (i = 0; i < iterations; i++) {
		start(&r, user, nodes);
		sum += passes_until(&r, want, want_node, most);
	}
	return sum * 100 / iterations;
}

static void test_one_user(void)
{
	u32 mean = mean_passes(one_user, NODES, AN_V_GATHER, 3, 10);

	ok(mean == 200, "one user: gathered in two passes (%u/100)", mean);
}

/* One vote is no ballot, and two of one pass are no two ballots. */
static void test_one_pass(void)
{
	struct region r;
	int node;
	u32 i;

	start(&r, one_user, NODES);
	ok(verdict(&r, &node) == AN_V_OPEN, "nothing known: open");
	r.pass = 1;
	for (i = 0; i < 100; i++)
		fault(&r, i, false);
	ok(verdict(&r, &node) == AN_V_OPEN,
	   "one pass, however many votes: open");
	r.pass = 2;
	fault(&r, 200, false);
	ok(verdict(&r, &node) == AN_V_GATHER && node == 3,
	   "and a vote of another pass that agrees: gathered");
}

/* Few pages: they are not asked about each other. */
static void test_sparse(void)
{
	struct region r;
	int node;

	start(&r, one_user, NODES);
	passes_until(&r, AN_V_GATHER, 3, 10);
	r.word = an_ballot_sparse(r.word, true);
	ok(verdict(&r, &node) == AN_V_NONE && node == AN_NO_NODE,
	   "sparse: not asked");
	r.word = an_ballot_sparse(r.word, false);
	ok(verdict(&r, &node) == AN_V_GATHER, "dense again: nothing forgotten");
}

/* Passes in which so many of a draw fault, from two nodes in turn or one. */
static u64 vote_mapped(u64 word, u32 passes, u32 votes, bool two_nodes, bool known, bool same)
{
	struct an_vote vote = { .known = known, .same = same, .mapped = true };
	union an_ballot b = { .word = word };
	u32 last = b.pass + passes, i;

	for (vote.pass = b.pass + 1; vote.pass <= last; vote.pass++) {
		word = draw(word, true);
		for (i = 0; i < votes; i++) {
			vote.node = two_nodes ? 2 + i % 2 : 2;
			word = an_ballot_vote(word, &vote);
		}
	}
	return word;
}

static enum an_verdict voted_mapped(u32 passes, bool two_nodes, bool known, bool same)
{
	int node;

	return an_ballot_verdict_of(vote_mapped(0, passes, AN_BALLOT_SAMPLES,
						two_nodes, known, same), true, &node);
}

/* Of what other processes map, votes of one node tell nothing by themselves. */
static void test_mapped(void)
{
	struct an_vote vote = { .node = 1, .pass = 1 };
	u64 word;
	int node;

	ok(voted_mapped(4, false, false, false) == AN_V_OPEN,
	   "mapped: votes of one node, nothing else known: open");
	ok(voted_mapped(4, false, true, true) == AN_V_GATHER,
	   "mapped: and its pages keep their node: gathered");
	ok(voted_mapped(4, false, true, false) == AN_V_FOREIGN,
	   "mapped: others use its pages from elsewhere: theirs, too");
	ok(voted_mapped(4, true, true, false) == AN_V_SHARED,
	   "mapped: from several nodes, and pages change: shared");
	word = vote_mapped(0, 40, AN_BALLOT_SAMPLES, false, true, false);
	word = vote_mapped(word, 4, AN_BALLOT_SAMPLES, false, true, true);
	ok(an_ballot_verdict_of(word, true, &node) == AN_V_GATHER,
	   "mapped: those who used it for long are gone: gathered after four passes");
	word = vote_mapped(0, 8, AN_BALLOT_SAMPLES / 2, false, true, true);
	ok(an_ballot_verdict_of(word, true, &node) == AN_V_TORN,
	   "mapped: half of its pages are used from here: torn");
	word = vote_mapped(an_ballot_planted_each(word, true, true, true), 4, 256,
			   false, true, true);
	ok(an_ballot_verdict_of(word, true, &node) == AN_V_TORN,
	   "mapped: and so it stays, however many of them fault");
	node = 1;
	ok(an_ballot_overruled(AN_V_GATHER, &node) == AN_V_FOREIGN && node == AN_NO_NODE,
	   "claimed: not gathered where others use it from elsewhere");
	ok(an_ballot_overruled(AN_V_SHARED, &node) == AN_V_FOREIGN,
	   "claimed: nor drawn to its home");
	ok(an_ballot_overruled(AN_V_TORN, &node) == AN_V_TORN,
	   "claimed: its own pages may come");
	ok(an_ballot_overruled(AN_V_OPEN, &node) == AN_V_OPEN,
	   "claimed: what is not known is asked on");
	ok(!an_ballot_unused(0), "unused: not before it was drawn");
	ok(!an_ballot_used(0), "used: nor that");
	word = an_ballot_drawn(0, an_ballot_next_draw(0), false, true);
	ok(an_ballot_unused(word), "unused: drawn, and no page has faulted");
	ok(!an_ballot_used(word), "unused: so it is not used");
	word = an_ballot_vote(word, &vote);
	ok(!an_ballot_unused(word) && an_ballot_used(word), "unused: no more");
	ok(an_ballot_used(an_ballot_planted_each(word, true, true, false)),
	   "used: and so it stays while no page is made to fault");
	ok(!an_ballot_used(an_ballot_planted_each(word, true, true, true)),
	   "used: not until one faults, where each was made to");
	ok(!an_ballot_used(an_ballot_sparse(word, true)), "used: not known of a sparse one");
}

static void test_torn(void)
{
	u32 mean = mean_passes(striped, NODES, AN_V_TORN, AN_NO_NODE, 20);

	ok(mean <= 300, "pages with owners in turn: torn in %u/100 passes", mean);
	mean = mean_passes(at_a_border, NODES, AN_V_TORN, AN_NO_NODE, 40);
	ok(mean <= 700, "a border through it: torn in %u/100 passes", mean);
}

/* In how many of 100 passes a region would be moved, and once it is known. */
static u32 gathers(u32 (*user)(const struct region *, u32), u32 nodes, u32 from)
{
	u32 i, n, gathered = 0, passes = 0;
	struct region r;
	int node;

	for (i = 0; i < iterations; i++) {
		start(&r, user, nodes);
		for (n = 0; n < 20; n++) {
			pass(&r);
			if (n < from)
				continue;
			passes++;
			gathered += verdict(&r, &node) == AN_V_GATHER;
		}
	}
	return gathered * 100 / passes;
}

static void test_shared(void)
{
	u32 all = gathers(shared, NODES, 0), late = gathers(shared, NODES, 6);

	ok(!all && !late, "used by eight nodes: gathered %u, later %u in 100",
	   all, late);
	all = gathers(shared, 2, 0);
	late = gathers(shared, 2, 6);
	ok(all <= 3 && late <= 2,
	   "used by two nodes: gathered %u, later %u in 100", all, late);
	all = gathers(swept, NODES, 0);
	late = gathers(swept, NODES, 6);
	ok(all <= 6 && late <= 2,
	   "swept by eight nodes: gathered %u, later %u in 100", all, late);
	all = gathers(swept, 2, 0);
	late = gathers(swept, 2, 6);
	ok(all <= 40, "swept by two nodes: gathered %u, later %u in 100", all,
	   late);
}

/* In how many of 100 a region is torn at some time in ten passes. */
static u32 ever_torn(u32 (*user)(const struct region *, u32), u32 nodes)
{
	u32 i, torn = 0;
	struct region r;
	int node;

	for (i = 0; i < iterations; i++) {
		start(&r, user, nodes);
		passes_until(&r, AN_V_TORN, AN_NO_NODE, 10);
		torn += verdict(&r, &node) == AN_V_TORN;
	}
	return torn * 100 / iterations;
}

/* All use all of it: to be torn it would have to be looked at page by page. */
static void test_not_torn(void)
{
	static const struct {
		u32 (*user)(const struct region *r, u32 page);
		u32 nodes, most;
		const char *what;
	} cases[] = {
		{ shared, 2, 12, "used by two nodes" },
		{ shared, NODES, 0, "used by eight nodes" },
		{ swept, 2, 0, "swept by two nodes" },
		{ swept, NODES, 0, "swept by eight nodes" },
		{ overtaken, 2, 11, "overtaken, two nodes" },
		{ overtaken, NODES, 3, "overtaken, eight nodes" },
	};
	u32 i, torn;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		torn = ever_torn(cases[i].user, cases[i].nodes);
		ok(torn <= cases[i].most, "%s: ever torn %u in 100",
		   cases[i].what, torn);
	}
}

/* One pass in which its pages changed their nodes does not make it whole. */
static void test_stays_torn(void)
{
	u32 i, n, torn = 0;
	struct region r;
	int node;

	for (i = 0; i < iterations; i++) {
		start(&r, striped, NODES);
		for (n = 0; n < 10; n++) {
			pass(&r);
			if (verdict(&r, &node) == AN_V_TORN)
				r.word = an_ballot_planted_each(r.word, true, false, true);
		}
		r.user = shared;
		pass(&r);
		torn += verdict(&r, &node) == AN_V_TORN;
	}
	ok(torn * 100 >= iterations * 95, "torn, and mixed up once: still torn in %u of %u",
	   torn, iterations);
}

/* Striped, and known to be for so many passes at least; each page was made to fault. */
static void start_torn(struct region *r, u32 nodes, int tells)
{
	union an_ballot b;
	int node;

	start(r, striped, nodes);
	do {
		pass(r);
		b.word = r->word;
	} while (verdict(r, &node) != AN_V_TORN || b.tells < tells);
	r->word = an_ballot_planted_each(r->word, true, false, true);
}

/* A pass in which so many pages fault from one node, and tell whether they keep it. */
static void votes_of(struct region *r, u32 node, u32 votes, bool known, bool same)
{
	struct an_vote vote = { .node = node, .pass = ++r->pass, .known = known, .same = same };

	while (votes--)
		r->word = an_ballot_vote(r->word, &vote);
	r->word = an_ballot_planted_each(r->word, true, false, true);
}

/* Of who moves all pages fault twice; then one in eight of those that forgot. */
static bool stays_as_one_moves(u32 pages)
{
	struct region r;
	int node;
	u32 i;

	start_torn(&r, 4, 2);
	votes_of(&r, 2, pages, false, false);
	votes_of(&r, 2, pages, true, true);
	for (i = 0; i < 16; i++, pages -= pages / 8)
		votes_of(&r, 2, pages / 8, false, false);
	return verdict(&r, &node) == AN_V_TORN && an_ballot_apart(r.word);
}

/* So many pages at rest are asked in a pass. */
static u32 asked(void)
{
	u32 page, nr = 0;

	for (page = 0; page < PAGES; page++)
		nr += !rnd(PAGES / AN_BALLOT_SAMPLES);
	return nr;
}

/* Passes until one has all of what others had a part of, UINT_MAX if not in so many. */
static u32 until_one_has_all(u32 most)
{
	struct region r;
	u32 i;
	int node;

	start_torn(&r, 4, 7);
	r.user = one_user;
	for (i = 0; i < most && verdict(&r, &node) == AN_V_TORN; i++)
		votes_of(&r, 3, asked(), true, true);
	for (; i < most; i++) {
		pass(&r);
		if (verdict(&r, &node) == AN_V_GATHER && node == 3)
			return i;
	}
	return UINT_MAX;
}

/* Who votes while others rest does not have all of it; who has all of it votes alone. */
static void test_owners_rest(void)
{
	union an_ballot b = { .node = 1, .yes = 3, .no = 2, .last_node = 1, .last_yes = 4,
			      .same = 2, .pass = 5 };
	u32 i, n, torn = 0, late = 0;
	struct region r;
	int node;

	b.word = an_ballot_planted_each(b.word, true, false, true);
	ok(an_ballot_verdict(b.word, &node) == AN_V_TORN, "torn by few: and so it stays");
	for (i = 0; i < iterations; i++) {
		start_torn(&r, 2, 1);
		for (n = 0; n < 40; n++)
			votes_of(&r, n / 20, 1 + n % 2, true, true);
		torn += verdict(&r, &node) == AN_V_TORN;
		late += until_one_has_all(200) == UINT_MAX;
	}
	ok(torn == iterations, "torn, and a page or two fault: still torn in %u of %u", torn,
	   iterations);
	ok(stays_as_one_moves(256) && stays_as_one_moves(64), "torn, and one moves: it stays so");
	ok(!late, "torn, and all of it is one's now: not gathered in 200 passes %u times", late);
}

/* Its user is another one now. */
static void test_change(void)
{
	u64 sum = 0;
	u32 i, n;

	for (i = 0; i < iterations; i++) {
		struct region r;

		start(&r, one_user, NODES);
		for (n = 1 + rnd(20); n; n--)
			pass(&r);
		r.user = swept;
		r.nodes = 1;
		sum += passes_until(&r, AN_V_GATHER, 0, 20);
	}
	ok(sum <= 3ULL * iterations,
	   "a new user: gathered again in %u/100 passes",
	   (u32)(sum * 100 / iterations));
}

/* What nobody uses is not made to fault again and again. */
static void test_draws(void)
{
	struct an_vote mute = { .node = 1, .pass = 1, .mute = true };
	union an_ballot b = {};
	u32 draw, i;

	draw = an_ballot_next_draw(0);
	b.word = an_ballot_drawn(0, draw, false, false);
	ok(an_ballot_next_draw(b.word) == draw,
	   "no page has faulted: the same draw");
	b.word = an_ballot_vote(b.word, &mute);
	ok(an_ballot_next_draw(b.word) == draw + 1 && !b.yes,
	   "one has, though it does not count: another one");
	for (i = 1; i < AN_BALLOT_DRAWS; i++) {
		b.word = an_ballot_drawn(b.word, an_ballot_next_draw(b.word), false,
					 false);
		b.word = an_ballot_vote(b.word, &mute);
	}
	ok(an_ballot_next_draw(b.word) == draw + 1, "they begin again");
	ok(an_ballot_drawn_again(an_ballot_drawn(0, 1, false, false)) == AN_BALLOT_DRAWS - 1 &&
	   an_ballot_drawn_again(an_ballot_drawn(0, 5, false, false)) == 4,
	   "the draw before goes along, around the end as well");
}

/* A region at rest whose user changes: all of its samples say that it was. */
static void test_rests(void)
{
	struct an_vote vote = { .node = 2, .pass = 2 };
	u64 word = an_ballot_drawn(0, an_ballot_next_draw(0), true, false);

	word = an_ballot_vote(an_ballot_vote(word, &vote), &vote);
	ok(an_ballot_rests(word), "votes do not change what it was");
	word = an_ballot_drawn(word, an_ballot_next_draw(word), false, false);
	ok(!an_ballot_rests(word), "the next draw does");
}

/* Votes on a huge page, one of @percent from another node, until it is contested. */
static u32 votes_until_contested(u32 percent, u32 max)
{
	int last = 0, node;
	u64 word = 0;
	u32 n;

	for (n = 1; n <= max; n++) {
		node = chance(percent);
		word = an_ballot_huge(word, node == last);
		last = node;
		if (an_ballot_contested(word))
			break;
	}
	return n;
}

/* In how many of 100 cases that is so within @max votes, and after how many. */
static u32 contested(u32 percent, u32 max, u32 *mean)
{
	u32 i, n, found = 0, votes = 0;

	for (i = 0; i < iterations; i++) {
		n = votes_until_contested(percent, max);
		if (n > max)
			continue;
		found++;
		votes += n;
	}
	*mean = found ? votes / found : 0;
	return found * 100 / iterations;
}

static void test_huge(void)
{
	u32 mean, part = contested(50, 40, &mean), i;
	struct region r;
	u64 word = 0;
	int node;

	ok(part >= 95 && mean <= 8, "huge: two nodes: contested in %u of 100, after %u votes",
	   part, mean);
	part = contested(5, 40, &mean);
	ok(part <= 10, "huge: one node in 20 uses: contested in %u of 100", part);
	ok(!contested(0, 40, &mean), "huge: one node: never");
	for (i = 0; i < 10; i++)
		word = an_ballot_huge(word, true);
	word = an_ballot_huge(word, false);
	ok(!an_ballot_contested(an_ballot_huge(word, true)),
	   "huge: its user has moved: no");
	start(&r, striped, NODES);
	passes_until(&r, AN_V_TORN, AN_NO_NODE, 20);
	ok(an_ballot_contested(an_ballot_huge(r.word, true)),
	   "huge: put together over a tear: at once");
	start(&r, one_user, NODES);
	passes_until(&r, AN_V_GATHER, 3, 20);
	ok(!an_ballot_contested(an_ballot_huge(r.word, false)),
	   "huge: put together over one user's memory: no");
	ok(!an_ballot_used(an_ballot_huge_mapped(0, 2, true)),
	   "huge, mapped: who is away does not use it");
	word = an_ballot_huge_mapped(0, 2, false);
	ok(an_ballot_used(word) && an_ballot_whole(word), "huge, mapped: all of it is used");
	word = an_ballot_asked(word);
	ok(!an_ballot_used(word), "huge, mapped: until it is asked");
	word = an_ballot_huge_mapped(word, 3, true);
	ok(an_ballot_used(word), "huge, mapped: and once more, by whomsoever");
	ok(an_ballot_verdict_of(word, true, &node) == AN_V_OPEN && !an_ballot_unused(word),
	   "huge, mapped: no verdict on its parts");
}

/* One page in four changes its node from pass to pass: neither owned nor shared. */
static u32 undecided(const struct region *r, u32 page)
{
	return chance(25) ? rnd(r->nodes) : page % r->nodes;
}

/* Of 100 regions that all nodes, or one of them, use: those that are used as a whole. */
static u32 whole(u32 (*user)(const struct region *, u32), enum an_verdict want)
{
	u32 i, found = 0;
	struct region r;

	for (i = 0; i < iterations; i++) {
		start(&r, user, NODES);
		passes_until(&r, want, AN_NO_NODE, 20);
		found += an_ballot_whole(r.word);
	}
	return found * 100 / iterations;
}

static void test_whole(void)
{
	u32 part = whole(one_user, AN_V_GATHER);

	ok(!an_ballot_whole(0), "whole: not what nobody voted on");
	ok(part >= 90, "whole: of one user's: %u in 100", part);
	part = whole(shared, AN_V_SHARED);
	ok(part >= 90, "whole: of what several of its nodes share: %u in 100", part);
}

static u32 endless;	/* trials that had no end */

/* In how many of 100 trials the parts are found to have an owner each. */
static u32 trials_that_pay(u32 (*user)(const struct region *, u32), u32 nodes)
{
	u32 i, n, torn = 0;
	struct region r;
	int node;

	for (i = 0; i < iterations; i++) {
		start(&r, user, nodes);
		r.word = an_ballot_trial();
		for (n = 0; n < 40 && an_ballot_on_trial(r.word); n++)
			pass(&r);
		endless += an_ballot_on_trial(r.word);
		torn += verdict(&r, &node) == AN_V_TORN;
	}
	return torn * 100 / iterations;
}

static void test_trials(void)
{
	u32 two = trials_that_pay(striped, 2), many = trials_that_pay(striped, 8);

	ok(two >= 95 && many >= 95, "trial: owners in turn: %u and %u of 100 pay",
	   two, many);
	two = trials_that_pay(at_a_border, 2);
	ok(two >= 80, "trial: a border through it: %u of 100", two);
	/* More than one in AN_TRIALS_MORE would never end. */
	two = trials_that_pay(shared, 2);
	many = trials_that_pay(shared, 8);
	ok(two * AN_TRIALS_MORE < 100 && many <= 2, "trial: used by all: %u and %u of 100",
	   two, many);
	two = trials_that_pay(swept, 2);
	many = trials_that_pay(swept, 8);
	ok(two <= 2 && many <= 2, "trial: swept by all: %u and %u of 100", two,
	   many);
	many = trials_that_pay(one_user, 1);
	ok(!many, "trial: one user after all: %u of 100", many);
	trials_that_pay(undecided, 2);
	ok(!endless, "trial: %u had no end", endless);
	ok(!an_ballot_on_trial(an_ballot_sparse(an_ballot_trial(), true)),
	   "trial: ends where few pages are left");
	ok(!an_ballot_on_trial(an_ballot_huge(an_ballot_trial(), true)),
	   "trial: ends where a huge page is again");
}

/* What a huge page left says nothing of its parts. */
static void test_after_huge(int tells)
{
	union an_ballot b = { .tells = tells };
	struct an_vote vote = { .node = 1, .pass = 1 };
	int node;

	ok(an_ballot_verdict(b.word, &node) == AN_V_OPEN &&
	   an_ballot_verdict(an_ballot_vote(b.word, &vote), &node) == AN_V_OPEN,
	   "small pages that were a huge one with %d: open", tells);
}

/* Any word is good: the largest node, votes without end, each verdict. */
static void test_random(void)
{
	u64 word = 0, bad = 0;
	union an_ballot b;
	int node;
	u32 i;

	for (i = 0; i < 100 * iterations; i++) {
		struct an_vote vote = {
			.node = rnd(4) ? rnd(3) : 1023,
			.pass = i / (1 + rnd(50)),
			.known = chance(50),
			.same = chance(70),
			.mute = chance(5),
		};

		if (chance(1))
			word = rnd64();
		word = an_ballot_vote(word, &vote);
		if (chance(20))
			word = an_ballot_drawn(word, an_ballot_next_draw(word), false, false);
		b.word = word;
		if (an_ballot_verdict(word, &node) == AN_V_GATHER)
			bad += node != (int)b.node || !b.yes || !b.last_yes;
		else
			bad += node != AN_NO_NODE;
	}
	ok(!bad, "random words and votes: no verdict without votes (%llu)", bad);
}

/* A ballot ends with the first vote of the next one, and is won by most. */
static void test_won(void)
{
	struct an_vote vote = { .node = 2, .pass = 1 };
	u64 word = an_ballot_vote(0, &vote);

	vote.node = 1;
	ok(an_ballot_won(word, &vote) == AN_NO_NODE, "won: not before it ends");
	word = an_ballot_vote(word, &vote);
	word = an_ballot_vote(word, &vote);
	vote.pass = 2;
	vote.mute = true;
	ok(an_ballot_won(word, &vote) == AN_NO_NODE, "won: no mute vote ends it");
	vote.mute = false;
	ok(an_ballot_won(word, &vote) == 1, "won: by most votes");
	word = an_ballot_vote(word, &vote);
	ok(an_ballot_won(word, &vote) == AN_NO_NODE, "won: once");
	ok(an_ballot_won(0, &vote) == AN_NO_NODE, "won: not without votes");
}

int main(int argc, char **argv)
{
	begin(argc, argv, &iterations);
	test_one_user();
	test_one_pass();
	test_sparse();
	test_mapped();
	test_torn();
	test_shared();
	test_not_torn();
	test_stays_torn();
	test_owners_rest();
	test_change();
	test_draws();
	test_rests();
	test_huge();
	test_whole();
	test_won();
	test_trials();
	test_after_huge(-8);
	test_after_huge(7);
	test_random();
	return done();
}
