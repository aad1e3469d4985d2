// SPDX-License-Identifier: GPL-2.0
/* Unit tests of what is decided on a fault, in TAP: policy_fault.c of module/. Part of policy_test. */
#include "policy.h"
#include "policy_faults.h"
#include "unit.h"

void test_fault(void)
{
	static const struct {
		struct an_fault f;
		enum an_reason want;
		const char *what;
	} cases[] = {
#define F(page, cpu, last, ...) { .page_node = (page), .cpu_node = (cpu), \
	.last_node = (last), .allowed = true, __VA_ARGS__ }
		{ F(0, 1, 1, .same_task = true), AN_R_FOLLOW,
		  "second private fault in a row follows" },
		{ F(0, 1, 1, .same_task = true, .changed = true, .contested = true,
		    .lone = true), AN_R_CHANGED,
		  "nothing moves while threads may" },
		{ F(1, 1, 1, .changed = true), AN_R_LOCAL,
		  "nor does a local page then" },
		{ F(0, 1, 1, .changed = true, .wandering = true), AN_R_WANDERING,
		  "and who came just now tells nothing" },
		{ F(1, 1, 1, .same_task = true), AN_R_LOCAL,
		  "a local page stays" },
		{ F(1, 1, 0, .same_task = false), AN_R_LOCAL,
		  "a local page stays whoever came last" },
		{ F(0, 1, AN_NO_NODE, .same_task = true), AN_R_FIRST_FAULT,
		  "one fault is no evidence" },
		{ F(0, 1, 0, .same_task = true), AN_R_CONTRARY,
		  "a fault from elsewhere cancels" },
		{ F(0, 1, 2), AN_R_CONTRARY, "a third node is contrary too" },
		{ F(0, 1, 1), AN_R_FOLLOW,
		  "shared without home follows two in a row" },
		{ F(0, 1, 1, .has_home = true, .page_home = true,
		    .cpu_home = true), AN_R_SHARED_HOME,
		  "a shared page at home is not chased" },
		{ F(0, 1, 1, .has_home = true, .cpu_home = true),
		  AN_R_FOLLOW_HOME, "a shared page comes home" },
		{ F(0, 1, 1, .has_home = true), AN_R_AWAY_FROM_HOME,
		  "a shared page is not pulled away from home" },
		{ F(0, 1, 1, .has_home = true, .page_home = true),
		  AN_R_AWAY_FROM_HOME, "nor out of it" },
		{ F(0, 1, 1, .has_home = true, .same_task = true),
		  AN_R_FOLLOW, "a private page follows its thread" },
		{ F(0, 1, 1, .has_home = true, .same_task = true,
		    .cpu_home = true, .page_home = true),
		  AN_R_FOLLOW, "from one home node to another, too" },
		{ F(0, 1, 1, .has_home = true, .same_task = true,
		    .page_home = true), AN_R_AWAY_FROM_HOME,
		  "but not out of home" },
		{ F(0, 1, 1, .has_home = true, .same_task = true,
		    .sharer = true, .page_home = true, .cpu_home = true),
		  AN_R_SHARED_HOME, "pages of a sharer count as shared" },
		{ F(0, 1, 1, .has_home = true, .page_home = true,
		    .cpu_home = true, .core_pull = true),
		  AN_R_FOLLOW_HOME, "a shared page goes to the core of home" },
		{ F(0, 1, 1, .same_task = true, .wandering = true),
		  AN_R_WANDERING, "nothing follows a wanderer" },
		{ F(0, 1, 1, .has_home = true, .cpu_home = true,
		    .wandering = true), AN_R_FOLLOW_HOME,
		  "but one who came home" },
		{ F(0, 1, AN_NO_NODE, .verdict = AN_V_OPEN), AN_R_OPEN,
		  "a region of which little is known stays" },
		{ F(0, 1, 1, .same_task = true, .verdict = AN_V_OPEN), AN_R_OPEN,
		  "whatever one page tells" },
		{ F(0, 1, AN_NO_NODE, .verdict = AN_V_OPEN, .lone = true),
		  AN_R_FOLLOW, "but where nobody else uses any" },
		{ F(0, 1, 0, .verdict = AN_V_GATHER, .leader = 0, .lone = true,
		    .same_task = true),
		  AN_R_FOLLOW, "wherever its thread was before" },
		{ F(0, 1, 0, .verdict = AN_V_OPEN, .lone = true), AN_R_OPEN,
		  "unless this page was another's" },
		{ F(0, 1, 0, .lone = true, .same_task = true), AN_R_FOLLOW,
		  "a huge page, too" },
		{ F(0, 1, 0, .verdict = AN_V_SHARED, .lone = true), AN_R_SHARED,
		  "not where others were seen" },
		{ F(0, 1, 0, .verdict = AN_V_OPEN, .lone = true, .wandering = true),
		  AN_R_WANDERING, "nor after a wanderer" },
		{ F(0, 1, AN_NO_NODE, .verdict = AN_V_GATHER, .leader = 1),
		  AN_R_FOLLOW, "a region follows the node that uses it" },
		{ F(0, 1, 1, .verdict = AN_V_GATHER, .leader = 2),
		  AN_R_CONTRARY, "and no other" },
		{ F(0, 1, 1, .verdict = AN_V_GATHER, .leader = 1,
		    .sharer = true), AN_R_SHARED,
		  "a sharer without home gathers nothing" },
		{ F(0, 1, 1, .verdict = AN_V_GATHER, .leader = 1,
		    .sharer = true, .has_home = true, .cpu_home = true),
		  AN_R_FOLLOW_HOME, "at home it does" },
		{ F(0, 1, AN_NO_NODE, .verdict = AN_V_TORN, .owner = true),
		  AN_R_FOLLOW, "in a torn region a page follows its owner" },
		{ F(0, 1, AN_NO_NODE, .verdict = AN_V_TORN), AN_R_FIRST_FAULT,
		  "others have to fault twice" },
		{ F(0, 1, 2, .verdict = AN_V_TORN, .owner = true),
		  AN_R_CONTRARY, "as has an owner where another one was" },
		{ F(0, 1, 1, .verdict = AN_V_TORN, .sharer = true, .same_task = true,
		    .has_home = true, .page_home = true, .cpu_home = true),
		  AN_R_FOLLOW, "whatever else its owner uses" },
		{ F(0, 1, 0, .contested = true), AN_R_CONTESTED,
		  "a contested huge page is taken apart" },
		{ F(1, 1, 0, .contested = true), AN_R_LOCAL, "not by its own node" },
		{ F(0, 1, 1, .contested = true, .wandering = true),
		  AN_R_WANDERING, "nor by a wanderer" },
		{ F(0, 1, 1, .verdict = AN_V_SHARED), AN_R_SHARED,
		  "what several nodes use stays without home" },
		{ F(0, 1, 1, .verdict = AN_V_SHARED, .has_home = true,
		    .cpu_home = true), AN_R_FOLLOW_HOME, "and comes home" },
		{ F(0, 1, 1, .verdict = AN_V_SHARED, .has_home = true,
		    .cpu_home = true, .page_home = true), AN_R_SHARED_HOME,
		  "where it stays" },
		{ F(0, 1, 1, .verdict = AN_V_SHARED, .has_home = true,
		    .cpu_home = true, .page_home = true,
		    .spread_pull = true), AN_R_SPREAD,
		  "unless another home node has too little" },
		{ F(0, 1, 2, .verdict = AN_V_LED, .leader = 2), AN_R_FOLLOW_LEADER,
		  "what one node uses most goes there, whoever uses it now" },
		{ F(0, 1, 1, .verdict = AN_V_LED, .leader = 0, .has_home = true,
		    .cpu_home = true, .page_home = true, .spread_pull = true),
		  AN_R_LED, "where it stays, and is not spread" },
		{ F(0, 1, 2, .verdict = AN_V_LED, .leader = 2, .full = true), AN_R_SHARED,
		  "not while that has no room" },
		{ F(0, 1, 1, .verdict = AN_V_LED, .leader = 1, .lone = true),
		  AN_R_FOLLOW_LEADER, "of one thread alone, too" },
		{ F(0, 1, 1, .verdict = AN_V_LED, .leader = 1, .has_home = true),
		  AN_R_AWAY_FROM_HOME, "not by who is away from home" },
		{ F(0, 1, 2, .sharer = true, .has_home = true, .cpu_home = true,
		    .page_home = true, .spread_pull = true), AN_R_SPREAD,
		  "a huge page as well, by one fault" },
		{ F(0, 1, 2, .has_home = true, .cpu_home = true,
		    .page_home = true, .spread_pull = true), AN_R_CONTRARY,
		  "not of one who shares little" },
		{ F(0, 1, AN_NO_NODE, .sharer = true, .has_home = true,
		    .cpu_home = true, .page_home = true,
		    .spread_pull = true), AN_R_FIRST_FAULT,
		  "nor a page that nobody else was seen to use" },
		{ F(0, 1, 1, .verdict = AN_V_GATHER, .leader = 1,
		    .wandering = true), AN_R_WANDERING,
		  "no region follows a wanderer" },
#undef F
		{ { .page_node = 0, .cpu_node = 1, .last_node = 1,
		    .same_task = true }, AN_R_NOT_ALLOWED,
		  "policy and cpuset come first" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum an_reason got = an_policy_fault(&cases[i].f);

		ok(got == cases[i].want, "fault: %s (%s)", cases[i].what,
		   an_reason_name(got));
	}
}

/* What tells of the users of a page. */
void test_tells(void)
{
	struct an_fault f = { .page_node = 0, .cpu_node = 1, .last_node = 1 };

	ok(an_policy_tells(&f), "tells: a page that keeps its node");
	f.last_node = 0;
	ok(an_policy_tells(&f), "tells: a page that another thread takes up");
	f.same_task = true;
	ok(!an_policy_tells(&f), "tells not: a thread that came with its page");
	f.last_node = AN_NO_NODE;
	ok(!an_policy_tells(&f), "tells not: a page never seen");
}

/* What tells whether the thread shares its memory. */
void test_knows(void)
{
	struct an_fault f = { .page_node = 0, .cpu_node = 1, .last_node = 0 };

	ok(an_policy_knows(&f), "knows: another thread used it");
	f.settled = true;
	ok(!an_policy_knows(&f) && !an_policy_tells(&f),
	   "knows not: settled memory, taken up on another node");
	f.same_task = true;
	ok(an_policy_knows(&f), "knows: its own settled memory");
	f.same_task = false;
	f.last_node = 1;
	ok(an_policy_knows(&f), "knows: settled memory of two threads of a node");
	f.last_node = 0;
	f.has_home = true;
	ok(an_policy_knows(&f), "knows: settled memory of a process with a home");
	f.stale = true;
	ok(!an_policy_knows(&f), "knows not: a page that was used long ago");
	f = (struct an_fault){ .cpu_node = 1, .changed = true };
	ok(!an_policy_knows(&f), "knows not: when all memory changes its users");
	f.same_task = true;
	ok(an_policy_knows(&f), "knows: its own memory, meanwhile");
}

/* What other processes map and use is not drawn to this one's home. */
void test_foreign(void)
{
	struct an_fault f = {
		.page_node = 0, .cpu_node = 1, .last_node = 2, .verdict = AN_V_SHARED,
		.allowed = true, .has_home = true, .cpu_home = true, .stale = true,
		.mapped = true, .foreign = true,
	};

	ok(an_policy_tells(&f), "foreign: tells of others, be it long ago");
	ok(an_policy_fault(&f) == AN_R_SHARED, "foreign: shared, others used it last");
	f.foreign = false;
	ok(!an_policy_tells(&f), "foreign: else that is long ago");
	ok(an_policy_fault(&f) == AN_R_FOLLOW_HOME, "foreign: shared by its own threads");
	f.verdict = AN_V_FOREIGN;
	ok(an_policy_fault(&f) == AN_R_SHARED, "foreign: others use it from elsewhere");
	f.foreign = true;
	f.last_node = f.cpu_node;
	ok(!an_policy_tells(&f), "foreign: nor does use from the same node");
	ok(an_policy_same(&f), "foreign: what was used from the same node kept it");
	f.claimed = true;
	ok(!an_policy_same(&f) && an_policy_tells(&f),
	   "foreign: not if processes on other nodes use the region, as it then tells");
	f.foreign = false;
	ok(an_policy_same(&f), "foreign: its own page did, whoever uses others of the region");
}

/* Who is out of place has no vote; what follows as a region. */
void test_regions(void)
{
	struct an_fault f = { .page_node = 0, .cpu_node = 1, .last_node = 1 };

	ok(!an_policy_votes(&f), "vote: not where memory is not allowed");
	f.allowed = true;
	ok(an_policy_votes(&f), "vote: a thread where it may be");
	f.expected = true;
	ok(!an_policy_votes(&f), "vote: not of who is expected elsewhere");
	f.has_home = true;
	f.cpu_home = true;
	ok(an_policy_votes(&f), "vote: but at home");
	f.has_home = false;
	f.cpu_home = false;
	f.expected = false;
	f.wandering = true;
	ok(!an_policy_votes(&f), "vote: no wanderer");
	f.wandering = false;
	f.has_home = true;
	f.sharer = true;
	ok(!an_policy_votes(&f), "vote: no sharer away from home");
	ok(!an_policy_whole_region(&f), "region: not without a verdict");
	f.verdict = AN_V_OPEN;
	ok(!an_policy_whole_region(&f), "region: not of which little is known");
	f.lone = true;
	ok(an_policy_whole_region(&f), "region: but if it is one thread's");
	f.verdict = AN_V_TORN;
	ok(!an_policy_whole_region(&f), "region: not a torn one");
	f.verdict = AN_V_GATHER;
	ok(an_policy_whole_region(&f), "region: one of one user");
	f.verdict = AN_V_LED;
	ok(an_policy_whole_region(&f), "region: one that one node uses most");
	f.verdict = AN_V_GATHER;
	ok(!an_policy_carries(&f, f.cpu_node, true), "carry: no system call");
	f.from_user = true;
	ok(!an_policy_carries(&f, f.cpu_node, true), "carry: nobody who waits");
	f.prompt = true;
	ok(!an_policy_carries(&f, f.cpu_node, true), "carry: not unasked");
	f.crowded = true;
	ok(an_policy_carries(&f, f.cpu_node, true), "carry: but where a worker would take its CPU");
	f.crowded = false;
	f.carriers = true;
	ok(an_policy_carries(&f, f.cpu_node, true), "carry: to its own node");
	ok(!an_policy_carries(&f, f.cpu_node + 1, true), "carry: to no other");
	ok(!an_policy_carries(&f, f.cpu_node, false), "carry: no single page");
}

void test_crowded(void)
{
	const u32 two = 2 * AN_LOAD_ONE;

	ok(!an_policy_crowded(two, two, false), "crowded: not with a thread for each CPU");
	ok(!an_policy_crowded(two, two * 3 / 2, false), "crowded: nor with another one");
	ok(an_policy_crowded(two, two * 2, false), "crowded: with two for each");
	ok(an_policy_crowded(two, two * 5 / 3, true), "crowded: still, if one sleeps a bit");
	ok(!an_policy_crowded(two, two * 5 / 3, false), "crowded: not yet, then");
	ok(!an_policy_crowded(two, two * 3 / 2, true), "crowded: no more, with one thread above");
	ok(!an_policy_crowded(two, two, true), "crowded: no more, if each has a CPU");
	ok(!an_policy_crowded(0, 0, true), "crowded: not without CPUs and threads");
}

/* By how much the home nodes' turns differ at most, in any 64 regions in a row. */
static u32 turns_differ(unsigned long home)
{
	u32 worst = 0, start, i, n;

	for (start = 0; start < 1000; start += 7) {
		u32 got[4] = {}, most = 0, least = 64;

		for (i = 0; i < 64; i++) {
			int node = an_policy_turn(&home, 4, start + i);

			if (node < 0 || !(home >> node & 1))
				return 64;
			got[node]++;
		}
		for (n = 0; n < 4; n++) {
			if (!(home >> n & 1))
				continue;
			most = got[n] > most ? got[n] : most;
			least = got[n] < least ? got[n] : least;
		}
		worst = most - least > worst ? most - least : worst;
	}
	return worst;
}

/* Where shared memory goes that comes home. */
void test_turn(void)
{
	struct an_fault f = { .page_node = 0, .cpu_node = 1, .turn_node = 2 };
	unsigned long none = 0;
	u32 two = turns_differ(0xa), three = turns_differ(0x7);

	ok(an_policy_turn(&none, 4, 1) == AN_NO_NODE, "turn: without home");
	ok(!turns_differ(0x4), "turn: one home node takes all");
	ok(two <= 4 && three <= 5, "turn: evenly spread (%u, %u)", two, three);
	ok(an_policy_target(&f, AN_R_FOLLOW_HOME) == 1,
	   "target: one page goes where it is used");
	f.verdict = AN_V_SHARED;
	ok(an_policy_target(&f, AN_R_FOLLOW_HOME) == 2,
	   "target: what all use goes where its turn is");
	ok(an_policy_target(&f, AN_R_SPREAD) == 1 &&
	   an_policy_target(&f, AN_R_FOLLOW) == 1, "target: and only that");
	f.leader = 3;
	ok(an_policy_target(&f, AN_R_FOLLOW_LEADER) == 3, "target: whoever leads has no turn");
	f.turn_node = AN_NO_NODE;
	ok(an_policy_target(&f, AN_R_FOLLOW_HOME) == 1,
	   "target: where nobody's turn is, where it is used");
}
