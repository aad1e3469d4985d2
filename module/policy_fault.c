// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions of autonuma on hinting faults, see policy.h: does the page go, where
 * to, with its region or alone. Plain C, like the rest of the policy.
 */
#include "policy.h"

/*
 * Was the page, or what the thread uses, last used by another thread? Where each
 * page has an owner, it speaks for itself.
 */
static bool shared(const struct an_fault *f)
{
	if (f->verdict == AN_V_SHARED || f->verdict == AN_V_LED ||
	    (f->sharer && f->verdict != AN_V_TORN))
		return true;
	return f->last_node != AN_NO_NODE && !f->same_task;
}

/* A thread that is not where it belongs tells nothing of where memory does. */
static enum an_reason out_of_place(const struct an_fault *f)
{
	if ((f->wandering || (f->expected && !f->has_home)) && !f->cpu_home)
		return AN_R_WANDERING;
	if (f->has_home && !f->cpu_home && (shared(f) || f->page_home))
		return AN_R_AWAY_FROM_HOME;
	return AN_R_NONE;
}

/**
 * an_policy_votes - is this fault a vote on where its region belongs
 * @f: the fault; its verdict, if any, is the one before
 *
 * Context: any; looks at @f only.
 */
bool an_policy_votes(const struct an_fault *f)
{
	return f->allowed && out_of_place(f) == AN_R_NONE;
}

/**
 * an_policy_knows - does this fault tell whether the thread shares the page
 * @f: the fault
 *
 * Two threads share what both use at the same time. Whether settled memory that is
 * used from another node is shared now, or has changed hands, its next fault tells.
 *
 * Context: any; looks at @f only.
 */
bool an_policy_knows(const struct an_fault *f)
{
	bool taken_up = (f->settled || f->changed) && !f->has_home &&
			!f->same_task && f->last_node != f->cpu_node;

	return f->last_node != AN_NO_NODE && !f->stale && !taken_up;
}

/**
 * an_policy_same - did the page keep its node
 * @f: the fault
 *
 * Where another process used it last, from this node, those on other nodes may have
 * come before both. Context: any; looks at @f only.
 */
bool an_policy_same(const struct an_fault *f)
{
	return f->last_node == f->cpu_node && !(f->foreign && f->claimed);
}

/**
 * an_policy_tells - does this fault tell whether the page has one user
 * @f: the fault
 *
 * A thread that went to another node and takes up its page there is no second
 * user. Of a page that other processes map, too, their use from another node does tell,
 * be it long ago: they fault when it is their turn. Context: any; looks at @f only.
 */
bool an_policy_tells(const struct an_fault *f)
{
	if (f->foreign && !an_policy_same(f))
		return true;
	return an_policy_knows(f) &&
	       (f->last_node == f->cpu_node || !f->same_task);
}

/*
 * Nobody else was seen to use the region, nor the page: one fault tells as much as
 * many would.
 */
static bool its_own_region(const struct an_fault *f)
{
	return f->lone && (f->last_node == AN_NO_NODE || f->same_task) &&
	       f->verdict != AN_V_TORN && f->verdict != AN_V_SHARED &&
	       f->verdict != AN_V_LED;
}

/*
 * Does the page even out how the memory of its process is spread? Others use it as
 * well, and most of what the thread uses: no node has a claim to it, so where pages
 * speak for themselves, as huge ones do, one fault is as good as the next.
 */
static bool evens_page_out(const struct an_fault *f)
{
	return f->has_home && f->page_home && f->spread_pull && f->sharer &&
	       !f->same_task;
}

/* May one node have it, and is it this one? AN_R_NONE: it may follow. */
static enum an_reason why_not_follow(const struct an_fault *f)
{
	bool again = f->last_node == f->cpu_node;

	if (f->changed)
		return AN_R_CHANGED;
	if (f->contested)
		return AN_R_CONTESTED;
	if (its_own_region(f))
		return AN_R_NONE;
	switch (f->verdict) {
	case AN_V_NONE:
		if (f->last_node == AN_NO_NODE)
			return AN_R_FIRST_FAULT;
		return again || evens_page_out(f) ? AN_R_NONE : AN_R_CONTRARY;
	case AN_V_GATHER:
		/* Where it belongs is for the home nodes to say. */
		if (f->sharer && !f->has_home)
			return AN_R_SHARED;
		return f->leader == f->cpu_node ? AN_R_NONE : AN_R_CONTRARY;
	case AN_V_TORN:
		if (f->last_node == AN_NO_NODE)
			return f->owner ? AN_R_NONE : AN_R_FIRST_FAULT;
		return again ? AN_R_NONE : AN_R_CONTRARY;
	case AN_V_SHARED:
		return f->has_home && !f->foreign ? AN_R_NONE : AN_R_SHARED;
	case AN_V_LED:
		if (f->page_node == f->leader)
			return AN_R_LED;
		return f->full ? AN_R_SHARED : AN_R_NONE;
	case AN_V_FOREIGN:
		return AN_R_SHARED;
	default:
		return AN_R_OPEN;
	}
}

/**
 * an_policy_fault - what to do with the page of one hinting fault
 * @f: the fault
 *
 * A page follows on the second fault in a row from one node, and a region on
 * the second ballot that agrees, so a wrong move needs two accidents. Where the
 * pages of a region are known to have an owner each, the first fault tells who,
 * as it does where one thread has all of the process's memory for itself.
 * What several threads use has no better node of its own: it belongs on any
 * home node of the process, on a core one if there are such, spread over them;
 * but if one of them uses a region most, there.
 * What runs away from home pulls nothing shared, and nothing at all from home:
 * it is expected back. A huge page that several nodes use is taken apart where that
 * is worth a try. While threads may change places for it, no memory moves.
 *
 * Context: any; looks at @f only.
 * Return: AN_R_FOLLOW, AN_R_FOLLOW_LEADER, AN_R_FOLLOW_HOME or AN_R_SPREAD to move the page to
 * an_policy_target(), AN_R_LOCAL or AN_R_CONTRARY to cancel a queued move,
 * AN_R_CONTESTED to take the page apart, else the reason to leave things as they
 * are.
 */
enum an_reason an_policy_fault(const struct an_fault *f)
{
	enum an_reason why;

	if (!f->allowed)
		return AN_R_NOT_ALLOWED;
	if (f->page_node == f->cpu_node)
		return AN_R_LOCAL;
	why = out_of_place(f);
	if (why == AN_R_NONE)
		why = why_not_follow(f);
	if (why != AN_R_NONE)
		return why;
	if (f->verdict == AN_V_LED)
		return AN_R_FOLLOW_LEADER;
	if (!f->has_home || !shared(f))
		return AN_R_FOLLOW;
	if (f->page_home && f->spread_pull)
		return AN_R_SPREAD;
	if (f->page_home && !f->core_pull)
		return AN_R_SHARED_HOME;
	return AN_R_FOLLOW_HOME;
}

/**
 * an_policy_in_turn - do home nodes take what should move in turn
 * @f: the fault
 * @why: what an_policy_fault() said
 *
 * Whichever thread goes first through memory that all of them use has all of its
 * faults, and would draw all of it to its node, to be spread from there.
 *
 * Context: any; looks at @f only.
 */
bool an_policy_in_turn(const struct an_fault *f, enum an_reason why)
{
	return why == AN_R_FOLLOW_HOME && f->verdict == AN_V_SHARED;
}

/**
 * an_policy_target - to which node goes what should move
 * @f: the fault; turn_node is AN_NO_NODE if that may not, or cannot have it now
 * @why: what an_policy_fault() said
 *
 * Context: any; looks at @f only.
 */
int an_policy_target(const struct an_fault *f, enum an_reason why)
{
	if (why == AN_R_FOLLOW_LEADER)
		return f->leader;
	return an_policy_in_turn(f, why) && f->turn_node != AN_NO_NODE ?
	       f->turn_node : f->cpu_node;
}

/**
 * an_policy_whole_region - does what was decided on a page hold for its region
 * @f: the fault
 *
 * Context: any; looks at @f only.
 */
bool an_policy_whole_region(const struct an_fault *f)
{
	return f->verdict == AN_V_GATHER || f->verdict == AN_V_SHARED ||
	       f->verdict == AN_V_LED ||
	       (f->verdict == AN_V_OPEN && f->lone);
}

/**
 * an_policy_carries - should the thread bring what it asked for by itself
 * @f: the fault
 * @to: the node that it is to come to
 * @whole: it is a whole region, not a single page
 *
 * If that is asked for, or a worker would have to take turns for it with threads that
 * wait for a CPU: then their memory would come the later, the more they are. One that
 * comes to its own node: it is the first to gain by that. A single page waits for its
 * neighbours, and system calls may hold locks for long. Others wait for what it has in
 * hand, so it must not wait for a CPU behind them itself; and a real-time thread has no
 * time for it.
 *
 * Context: any; looks at @f only.
 */
bool an_policy_carries(const struct an_fault *f, int to, bool whole)
{
	return whole && (f->carriers || f->crowded) && f->from_user &&
	       f->prompt && to == f->cpu_node;
}

/**
 * an_policy_crowded - do threads wait for the CPUs of a node
 * @capacity: of the node, AN_LOAD_ONE per CPU
 * @wanted: what threads want of it
 * @was: so it was thought until now
 *
 * With nearly twice as much as there is; half as much again is a thread that the load
 * balancer brought and will take away. Less for it to end, so that it does not come and
 * go with each thread that sleeps.
 */
bool an_policy_crowded(u32 capacity, u64 wanted, bool was)
{
	return 4 * wanted > (was ? 6 : 7) * (u64)capacity;
}
