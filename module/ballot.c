// SPDX-License-Identifier: GPL-2.0
/*
 * The votes on regions, see ballot.h: counting them, and the verdict.
 */
#include "ballot.h"

#define VOTES_MAX	15	/* what 4 bits hold */
#define TELLS_MAX	7
#define TELLS_MIN	(-8)
#define PASS_MASK	63

/* A ballot is clear if at most one vote of so many was for another node. */
#define CLEAR_PART	8

/*
 * Votes in two ballots that agree: those on all samples of a pass and one more.
 * Of the first two ballots it takes five pages of one user at least.
 */
#define ENOUGH_VOTES	(AN_BALLOT_SAMPLES + 1)

/*
 * Pages that faulted again, to tell that each has one owner; of so many that kept
 * their node one may have changed it.
 */
#define ENOUGH_SECONDS	2
#define OWNED_PART	4

/* Pages that changed their node, one of so many: several nodes use them. */
#define CHANGED_PART	3

/*
 * A huge page has one entry, so one fault in a pass, and that tells whether it was
 * used from the same node as the last time. What such a fault adds, and from which
 * sum on several nodes use it: after three changes in a row of a page that is new,
 * five of one that was settled, or where more than a quarter of the faults are
 * changes. A thread that moves is one change, one that passes by two.
 */
#define HUGE_SAME	1
#define HUGE_OTHER	(-3)
#define HUGE_CONTESTED	(-7)

/*
 * Of what other processes map, too, nearly all drawn pages have to vote: those that
 * do not may be used by others. So many in two ballots, of which the first one, of
 * four pages, is short. If less do, passes that tell of owners, for page by page.
 */
#define ENOUGH_MAPPED	(2 * AN_BALLOT_SAMPLES - 3)
#define ENOUGH_FIRST	(AN_BALLOT_SAMPLES + AN_BALLOT_DRAWN - 1)
#define MAPPED_TELLS	3

/* Passes that told of owners, less those of changing users, to end a trial. */
#define TRIAL_TELLS	2

/*
 * Passes that told of owners no longer count, once one had votes of several nodes and
 * no owners; of a region each page of which has been looked at so many do not.
 */
#define OVERTAKEN_TELLS	4

/*
 * Where each page is made to fault, so many that faulted again tell of others, too; and so
 * many that kept their node, if all votes of two ballots in a row are that node's, are one
 * pass less that told of owners.
 */
#define ENOUGH_EACH	4

/* So many passes told of changing users, less those that told otherwise. */
#define SHARED_TELLS	(-2)

/*
 * What pages that faulted again tell: 1: each has one owner, -1: they change,
 * 0: nothing.
 */
static int tells_of(const union an_ballot *b)
{
	if (b->other * CHANGED_PART >= b->same + b->other)
		return b->other ? -1 : 0;
	return b->same >= ENOUGH_SECONDS && b->same >= OWNED_PART * b->other;
}

/* Without a vote, tells is what a huge page left: nothing of its parts. */
static bool voted(const union an_ballot *b)
{
	return b->yes || b->last_yes;
}

static int within_tells(int tells)
{
	return tells > TELLS_MAX ? TELLS_MAX :
	       tells < TELLS_MIN ? TELLS_MIN : tells;
}

static bool clear(u32 yes, u32 no)
{
	return yes && no * CLEAR_PART <= yes;
}

static bool mixed(u32 yes, u32 no)
{
	return yes && !clear(yes, no);
}

/*
 * All threads sweep through the region, and one was overtaken there: the pass has
 * votes of several nodes, as if each page had an owner. But pages that faulted again
 * changed their nodes, or none kept it; passes before that told of owners were those
 * in which the same thread came first twice. A trial asks for more of them.
 */
static bool overtaken(const union an_ballot *b)
{
	return !b->trial && mixed(b->yes, b->no) &&
	       b->same + b->other >= ENOUGH_SECONDS && tells_of(b) <= 0;
}

/*
 * What they tell where each page is made to fault, and nobody else maps it: that some keep
 * their node tells of owners only if other nodes have pages, too.
 */
static int tells_of_each(const union an_ballot *b)
{
	int told = tells_of(b);

	return told > 0 && !mixed(b->yes, b->no) ? 0 : told;
}

static int scale(const union an_ballot *b, bool mapped)
{
	bool each = b->each && !mapped;
	int before = b->tells;

	if (each && b->same + b->other < ENOUGH_EACH)
		return before;
	if (before > 0 && overtaken(b))
		before = b->each && before > OVERTAKEN_TELLS ?
			 before - OVERTAKEN_TELLS : 0;
	return within_tells(before + (each ? tells_of_each(b) : tells_of(b)));
}

/*
 * Is all that was torn used from one node now? Or a thread has moved, and its pages are all
 * that was made to fault: that passes, as they forget who used them when they have come.
 */
static bool one_node_left(const union an_ballot *b)
{
	return b->each && b->tells > 0 && b->node == b->last_node &&
	       clear(b->yes, b->no) && clear(b->last_yes, b->last_no) &&
	       b->same >= ENOUGH_EACH && b->last_yes >= ENOUGH_EACH;
}

/* A pass ended that brought votes. */
static void close_pass(union an_ballot *b, bool mapped)
{
	b->tells = !mapped && one_node_left(b) ? b->tells - 1 : scale(b, mapped);
	b->last_node = b->node;
	b->last_yes = b->yes;
	b->last_no = b->no;
	b->yes = 0;
	b->no = 0;
	b->same = 0;
	b->other = 0;
}

/* What votes there are count for no node: the last ballot was contested, and that is all. */
static void contest(union an_ballot *b)
{
	if (b->yes)
		close_pass(b, false);
	b->each = 0;
	b->last_yes = 1;
	b->last_no = 1;
}

/* The node with most votes leads, as nearly as two counts can tell. */
static void count_vote(union an_ballot *b, u32 node)
{
	u32 yes = b->yes;

	if (!yes)
		b->node = node;
	if (b->node == node) {
		b->yes += yes < VOTES_MAX;
	} else if (b->no < yes) {
		b->no++;
	} else {
		b->node = node;
		b->yes = b->no;
		b->no = yes;
	}
}

static void count_second(union an_ballot *b, bool same)
{
	if (b->same == VOTES_MAX || b->other == VOTES_MAX) {
		b->same /= 2;
		b->other /= 2;
	}
	if (same)
		b->same++;
	else
		b->other++;
}

/*
 * SHARED and GATHER answer what the region was taken apart for. TORN does only once
 * enough passes agree: by chance two sweeps pass a few pages in the same order twice.
 */
static u64 end_trial(union an_ballot b)
{
	enum an_verdict verdict;
	int node;

	if (!b.trial)
		return b.word;
	verdict = an_ballot_verdict(b.word, &node);
	if (verdict == AN_V_SHARED || verdict == AN_V_GATHER ||
	    (verdict == AN_V_TORN && b.tells >= TRIAL_TELLS))
		b.trial = 0;
	return b.word;
}

/**
 * an_ballot_vote - count a vote
 * @word: the votes on the region so far
 * @vote: one more; its node must fit into AN_BALLOT_NODE_BITS
 *
 * Return: the votes with it.
 */
u64 an_ballot_vote(u64 word, const struct an_vote *vote)
{
	union an_ballot b = { .word = word };
	int node;

	b.seen = 1;
	if (vote->mute)
		return b.word;
	if (b.pass != (vote->pass & PASS_MASK)) {
		if (b.yes)
			close_pass(&b, vote->mapped);
		if (vote->mapped && b.tells < SHARED_TELLS)
			b.tells = SHARED_TELLS;
		b.pass = vote->pass & PASS_MASK;
	}
	if (!voted(&b))
		b.tells = 0;
	count_vote(&b, vote->node);
	if (vote->known)
		count_second(&b, vote->same);
	if (b.each && vote->mapped &&
	    an_ballot_verdict_of(b.word, true, &node) != AN_V_TORN)
		b.each = 0;
	return end_trial(b);
}

/**
 * an_ballot_won - who won the ballot that a vote ends, as the first of the next one
 * @word: the votes on the region before it
 * @vote: the vote
 *
 * Return: the node with most votes in it; AN_NO_NODE if none ends.
 */
int an_ballot_won(u64 word, const struct an_vote *vote)
{
	union an_ballot b = { .word = word };

	if (vote->mute || !b.yes || b.pass == (vote->pass & PASS_MASK))
		return AN_NO_NODE;
	return b.node;
}

/**
 * an_ballot_planted_each - all pages of the region will fault, but those at rest
 * @word: the votes on it
 * @torn: as its pages have an owner each; of what others map that is noted always
 * @mapped: others may map it
 * @some: and some will, or there are none at all
 *
 * Return: the votes with that noted, until its pages are drawn again, or of what others
 * map until they have no owner each. The ballot that told so counts as a sample's.
 */
u64 an_ballot_planted_each(u64 word, bool torn, bool mapped, bool some)
{
	union an_ballot b = { .word = word };

	if (torn && !mapped && !b.each && b.yes)
		close_pass(&b, false);
	b.each = torn || mapped;
	if (some)
		b.seen = 0;
	return b.word;
}

/**
 * an_ballot_sparse - has the region too few pages for samples to mean much
 * @word: the votes on it
 * @sparse: whether it has
 *
 * Return: the votes with that noted.
 */
u64 an_ballot_sparse(u64 word, bool sparse)
{
	union an_ballot b = { .word = word };

	b.sparse = sparse;
	if (sparse)
		b.trial = 0;
	return b.word;
}

/**
 * an_ballot_next_draw - which pages of the region to make fault
 * @word: the votes on it
 *
 * Return: the number of the draw; with it goes the one before. As long as no
 * page of the last one has faulted it is that one again: of memory that nobody
 * uses no more pages are made to fault.
 */
u32 an_ballot_next_draw(u64 word)
{
	union an_ballot b = { .word = word };

	if (!b.draw || b.draw + b.seen == AN_BALLOT_DRAWS)
		return 1;
	return b.draw + b.seen;
}

/**
 * an_ballot_draw_before - the draw that goes along with one
 * @draw: of an_ballot_next_draw()
 */
u32 an_ballot_draw_before(u32 draw)
{
	return draw > 1 ? draw - 1 : AN_BALLOT_DRAWS - 1;
}

/**
 * an_ballot_drawn_again - which of the pages that were made to fault last had been
 *	made to the time before, too
 * @word: the votes on the region
 *
 * Return: the number of their draw.
 */
u32 an_ballot_drawn_again(u64 word)
{
	union an_ballot b = { .word = word };

	return an_ballot_draw_before(b.draw);
}

/**
 * an_ballot_drawn - the pages of a draw will fault
 * @word: the votes on the region
 * @draw: of an_ballot_next_draw()
 * @rests: they are a sample of a region at rest
 * @mapped: others may map it
 *
 * Return: the votes with that noted. A trial begins with the first draw, and ends
 * with the last one, if no verdict has come by then. Where each page was made to fault
 * before, nobody is known to have all of it, as votes may be of who moved.
 */
u64 an_ballot_drawn(u64 word, u32 draw, bool rests, bool mapped)
{
	union an_ballot b = { .word = word };

	b.draw = draw;
	b.seen = 0;
	b.rests = rests;
	if (b.each && !mapped)
		contest(&b);
	if (draw == AN_BALLOT_DRAWS - 1)
		b.trial = 0;
	return b.word;
}

/**
 * an_ballot_rests - was the region at rest when its pages were drawn
 * @word: the votes on it
 *
 * The verdict is no longer that once the first of them has voted otherwise.
 */
bool an_ballot_rests(u64 word)
{
	union an_ballot b = { .word = word };

	return b.rests;
}

/**
 * an_ballot_unused - has no page of the region faulted since they were drawn
 * @word: the votes on it
 */
bool an_ballot_unused(u64 word)
{
	union an_ballot b = { .word = word };

	return b.draw && !b.seen && !b.sparse;
}

/**
 * an_ballot_used - did a page of the region fault since some were made to
 * @word: the votes on it; of a sparse one that is not noted, nor where there were none
 */
bool an_ballot_used(u64 word)
{
	union an_ballot b = { .word = word };

	return b.seen && !b.sparse && voted(&b);
}

static bool agreed(const union an_ballot *b)
{
	return clear(b->yes, b->no) && clear(b->last_yes, b->last_no) &&
	       b->node == b->last_node && b->yes + b->last_yes >= ENOUGH_VOTES;
}

/*
 * Votes of several nodes count while owners are told of: of the last pass, by its end. So
 * it stays once each page was made to fault: those who do not vote may be owners that do
 * not run just now, and those who do the pages of a thread that has moved.
 */
static bool torn(const union an_ballot *b, bool mapped)
{
	return scale(b, mapped) > 0 &&
	       ((b->each && !mapped) || mixed(b->yes, b->no) ||
		(mixed(b->last_yes, b->last_no) && b->tells > 0));
}

static enum an_verdict verdict_on(const union an_ballot *b, bool mapped, int *node)
{
	*node = AN_NO_NODE;
	if (b->sparse)
		return AN_V_NONE;
	if (!voted(b))
		return AN_V_OPEN;
	if (scale(b, mapped) <= SHARED_TELLS)
		return AN_V_SHARED;
	if (agreed(b) && (mapped || !b->each)) {
		*node = b->node;
		return AN_V_GATHER;
	}
	return torn(b, mapped) ? AN_V_TORN : AN_V_OPEN;
}

/**
 * an_ballot_verdict - what the votes on a region add up to
 * @word: the votes
 * @node: out, with AN_V_GATHER: the node that uses it
 *
 * Return: AN_V_GATHER: one node uses it, AN_V_TORN: each page has an owner, not
 * all the same, AN_V_SHARED: several nodes use its pages, AN_V_OPEN: not known,
 * AN_V_NONE: too few pages, do not ask it.
 */
enum an_verdict an_ballot_verdict(u64 word, int *node)
{
	union an_ballot b = { .word = word };

	return verdict_on(&b, false, node);
}

/* Where each page was made to fault, there are votes enough of a few. */
static bool all_vote(const union an_ballot *b)
{
	u32 votes = b->yes + b->last_yes;

	return !b->each &&
	       (votes >= ENOUGH_MAPPED ||
		(votes >= ENOUGH_FIRST && b->last_yes <= AN_BALLOT_DRAWN));
}

/* Pages of its own among those of others, in this pass and in the last one. */
static bool some_vote(const union an_ballot *b)
{
	bool few = b->yes < AN_BALLOT_SAMPLES - 1 &&
		   b->last_yes < AN_BALLOT_SAMPLES - 1;

	return (few || b->each) && voted(b) && scale(b, true) >= MAPPED_TELLS &&
	       !mixed(b->yes, b->no) && !mixed(b->last_yes, b->last_no);
}

/**
 * an_ballot_verdict_of - likewise, of memory that other processes may map, or not
 * @word: the votes
 * @mapped: they may
 * @node: out, with AN_V_GATHER: the node that uses it
 *
 * The others vote elsewhere, so that all votes agree tells little: nearly all pages
 * have to vote, and to have kept their node, from fault to fault of whoever it was. If
 * only some do, they are its own among those of others. If all votes are of one node,
 * and pages do not keep it, others use them from elsewhere.
 *
 * Return: as an_ballot_verdict(), or AN_V_FOREIGN.
 */
enum an_verdict an_ballot_verdict_of(u64 word, bool mapped, int *node)
{
	union an_ballot b = { .word = word };
	enum an_verdict verdict = verdict_on(&b, mapped, node);

	if (!mapped)
		return verdict;
	if (verdict == AN_V_SHARED && !mixed(b.yes, b.no) &&
	    !mixed(b.last_yes, b.last_no))
		return AN_V_FOREIGN;
	if (verdict == AN_V_GATHER && scale(&b, true) > 0 && all_vote(&b))
		return AN_V_GATHER;
	if (verdict != AN_V_GATHER && verdict != AN_V_OPEN)
		return verdict;
	*node = AN_NO_NODE;
	return some_vote(&b) ? AN_V_TORN : AN_V_OPEN;
}

/**
 * an_ballot_overruled - the verdict of one process on a region that another one claims
 * @verdict: of an_ballot_verdict_of()
 * @node: in and out, as there
 *
 * Neither its node nor its home is to have all of it. Pages of its own may move.
 */
enum an_verdict an_ballot_overruled(enum an_verdict verdict, int *node)
{
	if (verdict != AN_V_GATHER && verdict != AN_V_SHARED)
		return verdict;
	*node = AN_NO_NODE;
	return AN_V_FOREIGN;
}

/**
 * an_ballot_huge - count a fault on a region that is a huge page
 * @word: what is known of the region, also from before it was one
 * @same: the page was used from the same node as the last time
 *
 * Return: what is known now. A page put together again (khugepaged) over parts that
 * had owners is contested at once.
 */
u64 an_ballot_huge(u64 word, bool same)
{
	union an_ballot old = { .word = word }, b = {};
	int tells = old.tells, node;

	if (voted(&old))
		tells = an_ballot_verdict(word, &node) == AN_V_TORN ?
			TELLS_MIN : 0;
	b.tells = within_tells(tells + (same ? HUGE_SAME : HUGE_OTHER));
	return b.word;
}

/**
 * an_ballot_huge_mapped - a fault on a region that is a huge page of a file
 * @word: what is known of the region, also from before it was one
 * @node: that used it
 * @mute: its thread is not where it belongs
 *
 * Whoever maps it may use it from anywhere, so claims tell what becomes of it, and
 * not votes. One vote notes that the process did use it, until an_ballot_asked().
 *
 * Return: the votes.
 */
u64 an_ballot_huge_mapped(u64 word, u32 node, bool mute)
{
	union an_ballot old = { .word = word };
	union an_ballot b = { .last_node = node, .last_yes = 1, .seen = 1 };

	if (mute) {
		old.seen = 1;
		return old.word;
	}
	return b.word;
}

/**
 * an_ballot_whole - is all of a region used, as far as can be known
 * @word: the votes on it
 *
 * Return: whether nearly all pages that were made to fault voted, or its huge page did, or
 * several nodes of the process share it: then votes are too mixed to be counted.
 */
bool an_ballot_whole(u64 word)
{
	union an_ballot b = { .word = word };
	int node;

	if (b.last_yes && !b.yes && !b.draw && !b.each)
		return true;
	return all_vote(&b) || an_ballot_verdict_of(word, true, &node) == AN_V_SHARED;
}

/**
 * an_ballot_asked - a region that is a huge page will fault
 * @word: the votes on it
 *
 * Return: the votes with that noted.
 */
u64 an_ballot_asked(u64 word)
{
	union an_ballot b = { .word = word };

	b.seen = 0;
	return b.word;
}

/**
 * an_ballot_contested - do several nodes use a huge page
 * @word: of an_ballot_huge()
 */
bool an_ballot_contested(u64 word)
{
	union an_ballot b = { .word = word };

	return b.tells <= HUGE_CONTESTED;
}

/**
 * an_ballot_trial - a huge page was taken apart to see who uses its parts
 *
 * Return: the votes to begin with; that they are is noted until the verdict.
 */
u64 an_ballot_trial(void)
{
	union an_ballot b = { .trial = 1 };

	return b.word;
}

/**
 * an_ballot_on_trial - is the verdict still to come
 * @word: the votes
 */
bool an_ballot_on_trial(u64 word)
{
	union an_ballot b = { .word = word };

	return b.trial;
}

/**
 * an_ballot_apart - are the small pages of a region worth more than a huge one
 * @word: the votes on it
 */
bool an_ballot_apart(u64 word)
{
	int node;

	return an_ballot_on_trial(word) ||
	       an_ballot_verdict(word, &node) == AN_V_TORN;
}
