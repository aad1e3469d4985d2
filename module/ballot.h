/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a few pages of a region say about all of it. Plain C, like the policy.
 *
 * A region is what one page table maps, 2 MiB of small pages. Each pass of
 * gear 1 makes some of its pages fault, drawn at random; each such fault is a
 * vote for the node it came from. The votes of one pass are a ballot: they are
 * near to each other in time, so they tell who used the region just then. Two
 * ballots in a row that agree tell who uses it, as two faults in a row do of
 * one page.
 */
#ifndef _AUTONUMA_BALLOT_H
#define _AUTONUMA_BALLOT_H

#include "policy.h"

/*
 * Pages of a region that are made to fault per pass: so many are drawn anew, and
 * those of the pass before fault once more, to tell whether pages keep their
 * users. Fewer could all be of one user by chance, where each page has another.
 */
#define AN_BALLOT_DRAWN		4
#define AN_BALLOT_SAMPLES	(2 * AN_BALLOT_DRAWN)

/*
 * Huge pages that several nodes use and that may be taken apart, to see whether
 * their parts have an owner each: so many for a start, so many more for each that
 * had, and one in so many passes if none had.
 */
#define AN_TRIALS_FIRST		2
#define AN_TRIALS_MORE		8
#define AN_TRIALS_PASSES	64

/* Draws are told apart by their numbers from 1 on; then they begin again. 0: none yet. */
#define AN_BALLOT_DRAWS		32

/* Nodes that a ballot can tell apart: what Debian's kernels allow. */
#define AN_BALLOT_NODE_BITS	10

/*
 * union an_ballot - the votes on a region, one word so that it can be exchanged
 *
 * All counts stop at their largest value. A word of 0 knows nothing. Of a region
 * that is a huge page it holds tells alone, see an_ballot_huge().
 */
union an_ballot {
	u64 word;
	struct {
		u64 node : AN_BALLOT_NODE_BITS;	/* that leads in this pass */
		u64 yes : 4;		/* votes for it */
		u64 no : 4;		/* votes for others */
		u64 last_node : AN_BALLOT_NODE_BITS; /* the same, of the last */
		u64 last_yes : 4;	/* pass that brought votes */
		u64 last_no : 4;
		u64 same : 4;		/* pages that faulted again in this pass: */
		u64 other : 4;		/* from the same node, from another */
		s64 tells : 4;		/*
					 * passes that told of one owner of each
					 * page, less those of changing users
					 */
		u64 pass : 6;		/* lowest bits of its number */
		u64 draw : 5;		/* number of the last draw of pages, or 0 */
		u64 seen : 1;		/* a page faulted since */
		u64 each : 1;		/* torn when walked: each page was made to fault */
		u64 sparse : 1;		/* few pages: each speaks for itself */
		u64 rests : 1;		/* was at rest at the last draw of pages */
		u64 trial : 1;		/* a huge page was taken apart for it */
	};
};

/* One hinting fault on a small page. */
struct an_vote {
	u32 node;		/* where it came from */
	u32 pass;		/* of the process, now */
	bool known;		/* it tells whether the page keeps its user */
	bool same;		/* likewise: it does */
	bool mute;		/* the thread is not where it belongs */
	bool mapped;		/* other processes may map the region, too */
};

u64 an_ballot_vote(u64 word, const struct an_vote *vote);
int an_ballot_won(u64 word, const struct an_vote *vote);
u32 an_ballot_next_draw(u64 word);
u32 an_ballot_draw_before(u32 draw);
u32 an_ballot_drawn_again(u64 word);
u64 an_ballot_drawn(u64 word, u32 draw, bool rests, bool mapped);
bool an_ballot_rests(u64 word);
bool an_ballot_unused(u64 word);
bool an_ballot_used(u64 word);
u64 an_ballot_planted_each(u64 word, bool torn, bool mapped, bool some);
u64 an_ballot_sparse(u64 word, bool sparse);
enum an_verdict an_ballot_verdict(u64 word, int *node);
enum an_verdict an_ballot_verdict_of(u64 word, bool mapped, int *node);
enum an_verdict an_ballot_overruled(enum an_verdict verdict, int *node);
u64 an_ballot_huge(u64 word, bool same);
u64 an_ballot_huge_mapped(u64 word, u32 node, bool mute);
bool an_ballot_whole(u64 word);
u64 an_ballot_asked(u64 word);
bool an_ballot_contested(u64 word);
u64 an_ballot_trial(void);
bool an_ballot_on_trial(u64 word);
bool an_ballot_apart(u64 word);

#endif /* _AUTONUMA_BALLOT_H */
