// SPDX-License-Identifier: GPL-2.0
/*
 * Who leads in a region that several nodes use, see lead.h.
 *
 * One candidate and a counter find whoever has more than half of all ballots
 * (Boyer and Moore), if there is one, without a count for each node.
 */
#include "lead.h"

#define ASKED_MAX	31	/* what 5 bits hold */

/*
 * So far ahead is no accident: where all of four nodes use a region alike, one gets
 * there in 4 of 1000 regions before that is given up (lead_test). It leads until little is
 * left of that; and no more is counted than a few ballots that others win can take away.
 */
#define SCORE_LEADS	7
#define SCORE_LOST	3
#define SCORE_MAX	10

/*
 * Of two nodes each wins every other ballot where both use a region alike, so who leads
 * has to win more than two of three, as long as no third one has won any.
 */
#define PAIR_LOSES	2

/* It is asked so often at least; then only if someone is ahead by one in 6 of them. */
#define ASKED_LEAST	8
#define AHEAD_ONE_IN	6

/**
 * an_lead_asked - pages of the region will fault, to tell who leads
 * @word: what is known so far
 *
 * Whether that brings a ballot or not: who could vote may be away, or not count.
 *
 * Return: what is known, and that.
 */
u32 an_lead_asked(u32 word)
{
	union an_lead l = { .word = word };

	l.asked += l.asked < ASKED_MAX;
	return l.word;
}

/* Another one than the candidate has won. Is it one and the same that does, again? */
static bool of_a_pair(union an_lead *l, u32 node)
{
	bool again = l->other == node;

	if (l->other == l->node)
		l->other = node;
	else if (!again)
		l->third = 1;
	return again && !l->third;
}

static void lose(union an_lead *l, u32 node)
{
	u32 loses = of_a_pair(l, node) ? PAIR_LOSES : 1;

	if (l->score > loses) {
		l->score -= loses;
		return;
	}
	l->other = l->node;
	l->node = node;
	l->score = 1;
}

/**
 * an_lead_count - count a ballot
 * @word: what is known so far
 * @node: that won it
 *
 * Return: what is known with it.
 */
u32 an_lead_count(u32 word, u32 node)
{
	union an_lead l = { .word = word };

	if (!l.score) {
		l.node = node;
		l.other = node;
		l.score = 1;
		if (l.asked >= ASKED_LEAST)	/* in vain, as it was not used */
			l.asked = 0;
	} else if (l.node == node) {
		l.score += l.score < SCORE_MAX;
	} else {
		lose(&l, node);
	}
	if (l.score >= SCORE_LEADS) {
		l.leads = 1;
	} else if (l.leads && l.score <= SCORE_LOST) {
		l.leads = 0;
		l.told = 0;
		l.asked = 0;	/* who does now? */
	}
	return l.word;
}

/**
 * an_lead_node - the node that uses the region most
 * @word: of an_lead_count()
 *
 * Return: the node, AN_NO_NODE if none does, as far as is known.
 */
int an_lead_node(u32 word)
{
	union an_lead l = { .word = word };

	return l.leads ? (int)l.node : AN_NO_NODE;
}

/**
 * an_lead_open - may more ballots tell who leads, so that it is to be asked
 * @word: of an_lead_count()
 *
 * Once only, unless who led does no more: of what is at rest samples tell.
 */
bool an_lead_open(u32 word)
{
	union an_lead l = { .word = word };

	if (l.leads || l.told || l.asked == ASKED_MAX)
		return false;
	return l.asked < ASKED_LEAST || l.score * AHEAD_ONE_IN >= l.asked;
}

/**
 * an_lead_looked - a pass has come by, and what the last one asked has told what it can
 * @word: of an_lead_count()
 *
 * Return: what is known with that.
 */
u32 an_lead_looked(u32 word)
{
	union an_lead l = { .word = word };

	l.told |= l.score && !an_lead_open(word);
	return l.word;
}

/**
 * an_lead_again - one node alone seemed to use the region, so nobody leads
 * @word: what is known so far
 *
 * Of all that several nodes use alike one region or another always seems to be, so it
 * is not asked anew for that.
 *
 * Return: what holds if several nodes do after all.
 */
u32 an_lead_again(u32 word)
{
	union an_lead was = { .word = word }, l = { .told = was.told };

	return l.word;
}
