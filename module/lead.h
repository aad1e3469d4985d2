/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which node uses a region most, of those that several nodes use. Plain C, like the
 * policy.
 *
 * The ballots of ballot.h are asked, one after the other: the node that has most votes
 * in one wins it. Votes of one ballot come from one moment, and often from one sweep of
 * one thread, so all of them tell no more than who came first. Whoever wins more of them
 * than all others together, by far enough, leads.
 */
#ifndef _AUTONUMA_LEAD_H
#define _AUTONUMA_LEAD_H

#include "ballot.h"

/* union an_lead - who leads in a region, one word so that it can be exchanged; 0: nothing known */
union an_lead {
	u32 word;
	struct {
		u32 node : AN_BALLOT_NODE_BITS;	/* that is ahead */
		u32 score : 4;		/* ballots it won, less what others have */
		u32 asked : 5;		/* so often, 31 at most */
		u32 leads : 1;		/* it is far enough ahead, or was until now */
		u32 other : AN_BALLOT_NODE_BITS; /* the first other one that won; node: none */
		u32 third : 1;		/* and a third one did */
		u32 told : 1;		/* asking came to an end once */
	};
};

u32 an_lead_asked(u32 word);
u32 an_lead_count(u32 word, u32 node);
int an_lead_node(u32 word);
bool an_lead_open(u32 word);
u32 an_lead_looked(u32 word);
u32 an_lead_again(u32 word);

#endif /* _AUTONUMA_LEAD_H */
