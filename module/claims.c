// SPDX-License-Identifier: GPL-2.0
/*
 * What processes on several nodes use belongs to none of these. Each of them votes for
 * itself, when it has a turn, and a page knows its last user only. So one that comes
 * next after a neighbour on its own node never sees those of other nodes; and
 * two that are asked often, as they have just been moved, see nobody but each
 * other while the rest are at rest, and asked seldom.
 *
 * So who uses a region claims it for its node, with each fault there that has a vote,
 * and upholds that with each of its passes, unless pages were made to fault since, and
 * none has. While a claim of another process on another node stands, nobody gathers
 * the region. Two of each region are enough, of different nodes: so each process meets
 * one of another node.
 *
 * Processes map a file wherever they like, so what is claimed are regions of the file:
 * those that a process's own regions have parts of, see grid.c.
 *
 * The table has a bucket of eight claims, a cache line, for each region of the machine's
 * memory: four regions that meet in one have two each, a fifth one goes without. A claim
 * is a word, exchanged without a lock: one that is lost is made again. Lives from load to
 * unload.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "autonuma.h"
#include "ballot.h"
#include "claims.h"
#include "grid.h"
#include "queue.h"
#include "stats.h"

#define WHO_BITS	16
#define TAG_BITS	(64 - AN_CLAIM_NODE_BITS - WHO_BITS - AN_UNTIL_BITS)
#define BUCKET_CLAIMS	8

static_assert(AN_CLAIM_NODE_BITS > AN_BALLOT_NODE_BITS);

/*
 * A claim stands for as long as four passes of its process took lately: until the next
 * one, also where that gets less of a CPU now.
 */
#define LASTS_PASSES	4
#define LASTS_MIN_S	2

union an_claim {
	u64 word;
	struct {
		u64 node : AN_CLAIM_NODE_BITS;
		u64 who : WHO_BITS;
		u64 until : AN_UNTIL_BITS;	/* seconds, lowest bits */
		u64 tag : TAG_BITS;		/* of the region */
	};
};

static_assert(sizeof(union an_claim) == sizeof(u64));

struct an_bucket {
	atomic64_t claims[BUCKET_CLAIMS];
};

static struct an_bucket *buckets;
static u32 nr_buckets;

/* Numbers of processes under balance: their claims count. Written by knuma_scand. */
static DECLARE_BITMAP(claimants, 1 << WHO_BITS);

static u32 hash_of(const struct an_part *part, unsigned long region)
{
	return jhash_2words(part->file, region, 0);
}

static u32 tag_of(u32 hash)
{
	return hash % (1 << TAG_BITS);
}

static struct an_bucket *bucket_of(u32 hash)
{
	return &buckets[reciprocal_scale(hash, nr_buckets)];
}

static bool stands(union an_claim c)
{
	return c.who && an_lasts(c.until) && test_bit(c.who, claimants);
}

/* Context: load. Return: 0 or -ENOMEM. */
int an_claims_init(void)
{
	nr_buckets = max(totalram_pages() / AN_REGION_PAGES, 1UL);
	buckets = kvcalloc(nr_buckets, sizeof(*buckets), GFP_KERNEL);
	return buckets ? 0 : -ENOMEM;
}

/* Context: unload, when no hook is called any more. */
void an_claims_exit(void)
{
	kvfree(buckets);
}

/* Context: knuma_scand, before anybody finds @p. With no number left it claims nothing. */
void an_claims_begin(struct an_process *p)
{
	static unsigned long last;
	unsigned long who;

	who = find_next_zero_bit(claimants, 1 << WHO_BITS, last + 1);
	if (who == 1 << WHO_BITS)
		who = find_next_zero_bit(claimants, 1 << WHO_BITS, 1);
	p->claimant.node = AN_NO_NODE;
	p->claimant.lasts_s = LASTS_MIN_S;
	if (who == 1 << WHO_BITS)
		return;
	last = who;
	p->claimant.who = who;
	set_bit(who, claimants);
}

/* What @p claimed is free. Context: knuma_scand, or no gear runs. */
void an_claims_end(struct an_process *p)
{
	if (p->claimant.who)
		clear_bit(p->claimant.who, claimants);
}

/**
 * an_claims_pass - a pass of a process begins
 * @p: the process
 * @nid: where its threads run, AN_NODES_SEVERAL or AN_NO_NODE
 *
 * Passes come by CPU time, claims end by the clock. Context: knuma_scand.
 */
void an_claims_pass(struct an_process *p, int nid)
{
	struct an_claimant *c = &p->claimant;
	u32 ms = p->pace.period_ms;

	if (c->begun)
		ms = max(ms, jiffies_to_msecs(jiffies - c->begun));
	c->begun = jiffies ?: 1;
	ms = min(ms, AN_LASTS_MAX_S * (u32)MSEC_PER_SEC);
	WRITE_ONCE(c->node, nid);
	WRITE_ONCE(c->lasts_s, clamp_t(u32, LASTS_PASSES * ms / MSEC_PER_SEC,
				       LASTS_MIN_S, AN_LASTS_MAX_S));
	c->held = READ_ONCE(c->holds);
	WRITE_ONCE(c->holds, false);
}

/*
 * The place of a claim of @who to a region: its own, or one that is free. If two others
 * have one it has none, but of two of the same node one is enough.
 */
static atomic64_t *place_of(struct an_bucket *b, u32 tag, u32 who, u32 nid)
{
	atomic64_t *own = NULL, *free = NULL, *first = NULL;
	union an_claim c, other = {};
	int i;

	for (i = 0; i < BUCKET_CLAIMS; i++) {
		c.word = atomic64_read(&b->claims[i]);
		if (!stands(c)) {
			free = &b->claims[i];
		} else if (c.tag != tag) {
			continue;
		} else if (c.who == who) {
			own = &b->claims[i];
		} else if (!first) {
			first = &b->claims[i];
			other = c;
		} else if (!own) {
			return c.node == other.node && c.node != nid ? first : NULL;
		}
	}
	return own ?: free;
}

/* Returns whether it has a claim now, but for who wrote there at the same time. */
static bool claim(const struct an_process *p, u32 hash, int nid, bool anew)
{
	u32 who = p->claimant.who;
	union an_claim old, new;
	atomic64_t *at;
	bool own;

	at = place_of(bucket_of(hash), tag_of(hash), who, nid);
	if (!at)
		return false;
	old.word = atomic64_read(at);
	own = stands(old) && old.who == who && old.tag == tag_of(hash);
	if (!own && (!anew || nid == AN_NO_NODE))
		return false;
	new = (union an_claim){
		.node = nid == AN_NO_NODE ? old.node : nid,
		.who = who,
		.until = an_now_s() + READ_ONCE(p->claimant.lasts_s),
		.tag = tag_of(hash),
	};
	if (new.word != old.word)
		atomic64_cmpxchg_relaxed(at, old.word, new.word);
	return true;
}

/*
 * Votes on nearly all pages drawn tell nothing of a part that few of them are in: of so
 * many pages one is in each draw.
 */
#define LEAST_PART	(AN_REGION_PAGES / AN_BALLOT_DRAWN)

static bool claim_part(const struct an_process *p, const struct an_part *part, int nid,
		       bool anew)
{
	unsigned int pages = part->head;
	unsigned long region;
	bool holds = false;

	for (region = part->first; region <= part->last; region++) {
		holds |= claim(p, hash_of(part, region), nid,
			       anew && (part->first == part->last || pages >= LEAST_PART));
		pages = part->pages - part->head;
	}
	return holds;
}

/**
 * an_claim - a process uses a page
 * @p: the process
 * @vma: a shared mapping of its
 * @addr: of the page
 * @huge: it is as large as a region
 * @nid: where it runs, or AN_NODES_SEVERAL
 *
 * Context: any; holds mmap_lock, or the VMA's. Not before init or after exit, as what
 * follows.
 * Return: whether it has a claim there.
 */
bool an_claim(const struct an_process *p, const struct vm_area_struct *vma,
	      unsigned long addr, bool huge, int nid)
{
	struct an_part part;

	if (!vma->vm_file || !p->claimant.who)
		return false;
	an_grid_keep(vma, READ_ONCE(p->claimant.lasts_s));
	return an_grid_part(vma, addr, huge, &part) && claim_part(p, &part, nid, true);
}

/**
 * an_claims_uphold - a process goes on using a region
 * @p: the process, where its claimant says
 * @vma: a shared mapping of its
 * @addr: in the region
 * @votes: on it
 * @anew: it is known to be mapped still; else what was not claimed is not
 *
 * If pages of it faulted since some were made to. Which, the votes do not tell, unless
 * they are of all that were: where it has parts of two regions of the file, and was
 * not seen to use but some, its faults tell. Context: as above.
 * Return: whether it has a claim there.
 */
bool an_claims_uphold(const struct an_process *p, const struct vm_area_struct *vma,
		      unsigned long addr, u64 votes, bool anew)
{
	struct an_part part;
	bool whole;
	int node;

	if (!an_ballot_used(votes) || !p->claimant.who ||
	    !an_grid_part(vma, addr, true, &part))
		return false;
	whole = an_ballot_whole(votes);
	if (!whole && part.first != part.last &&
	    an_ballot_verdict_of(votes, true, &node) == AN_V_OPEN)
		return false;
	if (!claim_part(p, &part, p->claimant.node, anew && whole))
		return false;
	an_grid_keep(vma, p->claimant.lasts_s);
	return true;
}

static bool claimed(const struct an_process *p, u32 hash, int nid)
{
	struct an_bucket *b = bucket_of(hash);
	union an_claim c;
	int i;

	for (i = 0; i < BUCKET_CLAIMS; i++) {
		c.word = atomic64_read(&b->claims[i]);
		if (c.tag == tag_of(hash) && c.who != p->claimant.who &&
		    c.node != nid && stands(c))
			return true;
	}
	return false;
}

static bool part_claimed(const struct an_process *p, const struct an_part *part, int nid)
{
	unsigned long region;

	for (region = part->first; region <= part->last; region++)
		if (claimed(p, hash_of(part, region), nid))
			return true;
	return false;
}

/**
 * an_claimed - has another process, on another node, a claim to what a page belongs to
 * @p: the one that asks
 * @vma: a shared mapping of its
 * @addr: of the page
 * @huge: it may be as large as a region: to any part of that
 * @nid: the node that is to have it, AN_NO_NODE: any
 *
 * Context: as above.
 */
bool an_claimed(const struct an_process *p, const struct vm_area_struct *vma,
		unsigned long addr, bool huge, int nid)
{
	struct an_part part;

	return an_grid_part(vma, addr, huge, &part) && part_claimed(p, &part, nid);
}

/**
 * an_claims_heed - what the votes of a process on a region add up to, where others use it
 * @p: the process
 * @vma: a shared mapping of its
 * @addr: in the region
 * @verdict: of an_ballot_verdict_of()
 * @node: in and out, as there
 *
 * Context: as above.
 */
enum an_verdict an_claims_heed(const struct an_process *p,
			       const struct vm_area_struct *vma, unsigned long addr,
			       enum an_verdict verdict, int *node)
{
	int nid = *node;
	enum an_verdict overruled = an_ballot_overruled(verdict, &nid);

	if (overruled == verdict || !an_claimed(p, vma, addr, true, *node))
		return verdict;
	*node = nid;
	return overruled;
}
