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
 * The table has a bucket of four claims for each region of the machine's memory: two
 * regions that meet in one have two each, a third one goes without. A claim is a word,
 * exchanged without a lock: one that is lost is made again. Lives from load to unload.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "autonuma.h"
#include "ballot.h"
#include "claims.h"
#include "queue.h"
#include "stats.h"

#define WHO_BITS	16
#define UNTIL_BITS	16
#define TAG_BITS	(64 - AN_CLAIM_NODE_BITS - WHO_BITS - UNTIL_BITS)
#define BUCKET_CLAIMS	4

static_assert(AN_CLAIM_NODE_BITS > AN_BALLOT_NODE_BITS);

/*
 * A claim stands for as long as four passes of its process took lately: until the next
 * one, also where that gets less of a CPU now. At most ten minutes: what has ended, and
 * nobody wrote over, seems to stand again for so long in 18 hours.
 */
#define LASTS_PASSES	4
#define LASTS_MIN_S	2
#define LASTS_MAX_S	600

union an_claim {
	u64 word;
	struct {
		u64 node : AN_CLAIM_NODE_BITS;
		u64 who : WHO_BITS;
		u64 until : UNTIL_BITS;		/* seconds, lowest bits */
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

/* Which region of which file; where its mappers disagree on that, the one it begins in. */
static u32 hash_of(const struct vm_area_struct *vma, unsigned long addr)
{
	u64 file = (unsigned long)file_inode(vma->vm_file);
	long first = (long)(ALIGN_DOWN(addr, AN_REGION_SIZE) - vma->vm_start) >>
		     PAGE_SHIFT;
	long region = (long)(vma->vm_pgoff + first) >> ilog2(AN_REGION_PAGES);

	return jhash_3words(file, file >> 32, region, 0);
}

static u32 tag_of(u32 hash)
{
	return hash % (1 << TAG_BITS);
}

static struct an_bucket *bucket_of(u32 hash)
{
	return &buckets[reciprocal_scale(hash, nr_buckets)];
}

static u16 now_s(void)
{
	return jiffies / HZ;
}

static bool stands(union an_claim c)
{
	return c.who && (u16)(c.until - now_s()) <= LASTS_MAX_S &&
	       test_bit(c.who, claimants);
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
	ms = min(ms, LASTS_MAX_S * (u32)MSEC_PER_SEC);
	WRITE_ONCE(c->node, nid);
	WRITE_ONCE(c->lasts_s, clamp_t(u32, LASTS_PASSES * ms / MSEC_PER_SEC,
				       LASTS_MIN_S, LASTS_MAX_S));
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

/**
 * an_claim - a process uses a region
 * @p: the process
 * @vma: a shared mapping of its
 * @addr: in the region
 * @nid: where it runs, or AN_NODES_SEVERAL; AN_NO_NODE: as it said before
 *
 * Context: any; holds mmap_lock, or the VMA's. Not before init or after exit, as what
 * follows.
 * Return: whether it has a claim now, but for who wrote there at the same time.
 */
bool an_claim(const struct an_process *p, const struct vm_area_struct *vma,
	      unsigned long addr, int nid)
{
	u32 hash, who = p->claimant.who;
	union an_claim old, new;
	atomic64_t *at;

	if (!vma->vm_file || !who)
		return false;
	hash = hash_of(vma, addr);
	at = place_of(bucket_of(hash), tag_of(hash), who, nid);
	if (!at)
		return false;
	old.word = atomic64_read(at);
	if (nid == AN_NO_NODE && (old.who != who || old.tag != tag_of(hash)))
		return false;
	new = (union an_claim){
		.node = nid == AN_NO_NODE ? old.node : nid,
		.who = who,
		.until = now_s() + READ_ONCE(p->claimant.lasts_s),
		.tag = tag_of(hash),
	};
	if (new.word != old.word)
		atomic64_cmpxchg_relaxed(at, old.word, new.word);
	return true;
}

/**
 * an_claimed - has another process, on another node, a claim to a region
 * @p: the one that asks
 * @vma: a shared mapping of its
 * @addr: in the region
 * @nid: the node that is to have it, AN_NO_NODE: any
 *
 * Context: as above.
 */
bool an_claimed(const struct an_process *p, const struct vm_area_struct *vma,
		unsigned long addr, int nid)
{
	struct an_bucket *b;
	union an_claim c;
	u32 hash;
	int i;

	if (!vma->vm_file)
		return false;
	hash = hash_of(vma, addr);
	b = bucket_of(hash);
	for (i = 0; i < BUCKET_CLAIMS; i++) {
		c.word = atomic64_read(&b->claims[i]);
		if (c.tag == tag_of(hash) && c.who != p->claimant.who &&
		    c.node != nid && stands(c))
			return true;
	}
	return false;
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

	if (overruled == verdict || !an_claimed(p, vma, addr, *node))
		return verdict;
	*node = nid;
	return overruled;
}
