// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that touches page tables: count and plant, take back, isolate.
 * It changes entries, and never decides which process or page deserves it.
 *
 * All walks hold mmap_lock for reading, so a page table does not go away; each
 * entry is read and changed under its page table lock. Huge pages are handled
 * at the PMD: a walk with a pte_entry callback would split them.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/huge_mm.h>
#include <linux/migrate.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include "autonuma.h"
#include "compat.h"
#include "walk.h"

/*
 * What a walk does with the entries of one page table, or with one huge one:
 * called under the page table lock that covers them.
 */
struct visitor {
	void (*huge)(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr,
		     unsigned long end, void *arg);
	void (*ptes)(struct vm_area_struct *vma, pte_t *pte, unsigned long addr,
		     unsigned long end, void *arg);
};

struct visit {
	const struct visitor *visitor;
	void *arg;
};

/* Huge, or a migration entry of one: only the former is visited. */
static void visit_huge(pmd_t *pmd, unsigned long addr, unsigned long end,
		       struct mm_walk *walk)
{
	struct visit *visit = walk->private;
	spinlock_t *ptl = pmd_lock(walk->mm, pmd);

	if (pmd_present(*pmd) && pmd_trans_huge(*pmd))
		visit->visitor->huge(walk->vma, pmd, addr, end, visit->arg);
	spin_unlock(ptl);
}

static void visit_table(pmd_t *pmd, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct visit *visit = walk->private;
	spinlock_t *ptl;
	pte_t *pte;

	pte = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!pte)
		return;
	__acquire(RCU);	/* by the line above, unseen by sparse */
	visit->visitor->ptes(walk->vma, pte, addr, end, visit->arg);
	pte_unmap_unlock(pte, ptl);
}

static int visit_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	pmd_t entry = pmdp_get_lockless(pmd);

	if (pmd_none(entry))
		return 0;
	if (!pmd_present(entry) || pmd_trans_huge(entry))
		visit_huge(pmd, addr, end, walk);
	else
		visit_table(pmd, addr, end, walk);
	return 0;
}

/* No pte_entry: with one, the walk itself would split huge pages. */
static const struct mm_walk_ops visit_ops = {
	.pmd_entry = visit_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

static void visit_range(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, const struct visitor *visitor,
			void *arg)
{
	struct visit visit = { visitor, arg };

	walk_page_range(vma->vm_mm, start, end, &visit_ops, &visit);
}

static int stop_at_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		       struct mm_walk *walk)
{
	unsigned long *found = walk->private;

	if (pmd_none(pmdp_get_lockless(pmd)))
		return 0;
	*found = addr;
	return 1;
}

static const struct mm_walk_ops find_ops = {
	.pmd_entry = stop_at_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

/**
 * an_walk_next - the first page table with anything in it
 * @vma: a mapping
 * @start: where to begin, within @vma
 *
 * Address space that was never touched has no upper tables either, so it is
 * passed over by the GiB. Context: mmap_lock held for reading.
 * Return: an address within [@start, end of @vma), or that end.
 */
unsigned long an_walk_next(struct vm_area_struct *vma, unsigned long start)
{
	unsigned long found = vma->vm_end;

	walk_page_range(vma->vm_mm, start, vma->vm_end, &find_ops, &found);
	return found;
}

/* xorshift32: a draw per page must cost less than looking at the page. */
static u32 draw(u32 *random)
{
	u32 x = *random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*random = x;
	return x;
}

/* Of so many one: as good as none. */
#define NEVER	U32_MAX

static bool drawn(u32 *random, u32 one_in)
{
	return one_in <= 1 || draw(random) % one_in == 0;
}

/* Where the thread of the last fault runs now; AN_NO_NODE: that is not certain. */
static int runs_on(const struct an_plant *plant, int last)
{
	int nid = plant->where[cpupid_to_pid(last)];

	return nid == AN_WHERE_NOBODY ? AN_NO_NODE : nid;
}

/* The last fault on it came from its own node, where that thread still runs. */
static bool at_rest(const struct an_plant *plant, struct folio *folio)
{
	int last = folio_last_cpupid(folio), nid = folio_nid(folio), now;

	if (an_last_node(last) != nid)
		return false;
	now = runs_on(plant, last);
	return now == nid || now == AN_NO_NODE;
}

/*
 * Pages that are not at rest are made to fault until they are, or turn out to be
 * hopeless; of the others, some are to see whether they still rest.
 */
static bool choose(struct an_plant *plant, struct folio *folio,
		   unsigned long pages, u32 rest_one_in)
{
	bool unknown = an_last_node(folio_last_cpupid(folio)) == AN_NO_NODE, chosen;

	if (unknown && plant->guide.again) {
		chosen = drawn(&plant->random, AN_AGAIN_ONE_IN);
		plant->samples += chosen ? pages : 0;
	} else if (at_rest(plant, folio)) {
		chosen = drawn(&plant->random, rest_one_in);
		plant->samples += chosen ? pages : 0;
	} else {
		plant->restless += pages;
		chosen = drawn(&plant->random, plant->one_in);
	}
	return chosen;
}

/*
 * The kernel's own rules for what may be made to fault, change_pte_range(),
 * less those that look at the scanning task.
 */
static bool may_plant(struct vm_area_struct *vma, struct folio *folio)
{
	if (folio_is_zone_device(folio) || folio_test_ksm(folio))
		return false;
	if (is_cow_mapping(vma->vm_flags) &&
	    (folio_maybe_dma_pinned(folio) || folio_likely_mapped_shared(folio)))
		return false;
	return !(folio_is_file_lru(folio) && folio_test_dirty(folio));
}

/* The small page of an entry, NULL if there is none that counts. */
static struct folio *folio_of(struct vm_area_struct *vma, unsigned long addr,
			      pte_t *pte)
{
	pte_t entry = ptep_get(pte);

	return pte_present(entry) ? vm_normal_folio(vma, addr, entry) : NULL;
}

static void plant_pte(struct vm_area_struct *vma, unsigned long addr,
		      pte_t *pte, struct an_plant *plant)
{
	pte_t old;

	plant->planted++;
	if (plant->look)
		return;
	old = ptep_modify_prot_start(vma, addr, pte);
	ptep_modify_prot_commit(vma, addr, pte, old,
				pte_modify(old, PAGE_NONE));
}

/* Does all of the region belong to one node? */
static bool one_nodes(const struct an_guide *g)
{
	return g->verdict == AN_V_GATHER || g->verdict == AN_V_LED;
}

static void count_pages(struct an_plant *plant, int nid, unsigned long pages)
{
	if (!plant->counting)
		return;
	plant->counted += pages;
	plant->counting[nid] += pages;
	if (one_nodes(&plant->guide) && plant->guide.node == nid)
		plant->settled[nid] += pages;
}

static void plant_huge(struct vm_area_struct *vma, pmd_t *pmd,
		       unsigned long addr, unsigned long end, void *arg)
{
	struct folio *folio = vm_normal_folio_pmd(vma, addr, *pmd);
	struct an_plant *plant = arg;
	pmd_t old;

	if (!folio || end - addr != HPAGE_PMD_SIZE)
		return;
	count_pages(plant, folio_nid(folio), HPAGE_PMD_NR);
	if (pmd_protnone(*pmd) || !may_plant(vma, folio) ||
	    !choose(plant, folio, HPAGE_PMD_NR, plant->rest_one_in))
		return;
	plant->planted += HPAGE_PMD_NR;
	plant->guide.huge = true;
	plant->huge++;
	if (plant->look)
		return;
	/* Never cleared in between: MADV_DONTNEED runs beside us. */
	old = pmdp_invalidate_ad(vma, addr, pmd);
	set_pmd_at(vma->vm_mm, addr, pmd, pmd_modify(old, PAGE_NONE));
}

/* Page by page: each that is not at rest, and of the others one in so many. */
static void plant_each(struct vm_area_struct *vma, pte_t *pte,
		       unsigned long addr, unsigned long end, u32 rest_one_in,
		       struct an_plant *plant)
{
	struct folio *folio;

	for (; addr < end; addr += PAGE_SIZE, pte++) {
		folio = folio_of(vma, addr, pte);
		if (!folio)
			continue;
		count_pages(plant, folio_nid(folio), 1);
		if (!pte_protnone(ptep_get(pte)) && may_plant(vma, folio) &&
		    choose(plant, folio, 1, rest_one_in))
			plant_pte(vma, addr, pte, plant);
	}
}

/*
 * A look at PEEKS pages of a region, one drawn from each of as many equal
 * parts, so that all of it is seen and no regular pattern of its use is met.
 */
#define PEEKS	16

/* Fewer of these found, and the pages of the region are looked at one by one. */
#define SPARSE	(PEEKS / 2)

/* So are those of a mapping that has fewer of the region. */
#define MIN_SAMPLED	64

struct peek {
	int nid[PEEKS];		/* of the pages found */
	unsigned int nr;
	bool elsewhere;		/* one of them is not where the region belongs */
};

/* A page of the @part-th of @parts parts of @nr pages. */
static unsigned int draw_of(u32 *random, unsigned int part, unsigned int parts,
			    unsigned int nr)
{
	unsigned int first = part * nr / parts;

	return first + draw(random) % ((part + 1) * nr / parts - first);
}

static bool belongs(const struct an_plant *plant, const struct an_guide *g,
		    int nid)
{
	switch (g->verdict) {
	case AN_V_GATHER:
	case AN_V_LED:
		return nid == g->node;
	case AN_V_FOREIGN:
		return true;
	case AN_V_SHARED:
		return bitmap_empty(plant->home, nr_node_ids) ||
		       test_bit(nid, plant->home);
	default:
		return false;
	}
}

static void peek(struct vm_area_struct *vma, pte_t *pte, unsigned long addr,
		 unsigned int nr, struct an_plant *plant, struct peek *found)
{
	unsigned int part, at;
	struct folio *folio;

	for (part = 0; part < PEEKS; part++) {
		at = draw_of(&plant->random, part, PEEKS, nr);
		folio = folio_of(vma, addr + at * PAGE_SIZE, pte + at);
		if (!folio)
			continue;
		if (!belongs(plant, &plant->guide, folio_nid(folio)))
			found->elsewhere = true;
		found->nid[found->nr++] = folio_nid(folio);
	}
}

/*
 * What is drawn depends on the region and the number of the draw alone: of a shared
 * mapping on its place in the file, so that processes that were forked from one another
 * are told of each other.
 */
static u32 seed(const struct vm_area_struct *vma, unsigned long addr, u32 number)
{
	unsigned long region = vma->vm_flags & VM_SHARED ?
			       vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT) :
			       addr >> PMD_SHIFT;

	return hash_64(region + ((u64)number << 40), 32) | 1;
}

/* Makes the pages of one draw fault. */
static void plant_drawn(struct vm_area_struct *vma, pte_t *pte,
			unsigned long addr, unsigned int nr, u32 number,
			struct an_plant *plant)
{
	u32 random = seed(vma, addr, number);
	struct folio *folio;
	unsigned int part, at;

	for (part = 0; part < AN_BALLOT_DRAWN; part++) {
		at = draw_of(&random, part, AN_BALLOT_DRAWN, nr);
		folio = folio_of(vma, addr + at * PAGE_SIZE, pte + at);
		if (!folio || !may_plant(vma, folio))
			continue;
		plant->guide.found = true;
		if (!pte_protnone(ptep_get(pte + at)))
			plant_pte(vma, addr + at * PAGE_SIZE, pte + at, plant);
	}
}

/**
 * an_walk_faults_again - was a page of a region drawn, and not only made to fault
 *	with the draw after it
 * @vma: its mapping
 * @addr: its address
 * @draw: number of the draw
 *
 * Context: who keeps @vma; looks at nothing else.
 * Return: whether it was. True as well where the mapping has too little of the
 * region for draws: there all pages are made to fault.
 */
bool an_walk_faults_again(const struct vm_area_struct *vma, unsigned long addr,
			  u32 draw)
{
	unsigned long table = ALIGN_DOWN(addr, PMD_SIZE);
	unsigned long first = max(table, vma->vm_start);
	unsigned long end = min(table + PMD_SIZE, vma->vm_end);
	unsigned int nr = (end - first) / PAGE_SIZE, part;
	u32 random = seed(vma, first, draw);

	if (nr < MIN_SAMPLED)
		return true;
	for (part = 0; part < AN_BALLOT_DRAWN; part++)
		if (draw_of(&random, part, AN_BALLOT_DRAWN, nr) ==
		    (addr - first) / PAGE_SIZE)
			return true;
	return false;
}

/*
 * Have the threads left that it was gathered for? The pages of the last draw keep
 * who used them; those that another node used are a matter of votes.
 */
static bool users_left(struct vm_area_struct *vma, pte_t *pte,
		       unsigned long addr, unsigned int nr,
		       struct an_plant *plant)
{
	unsigned int part, at, left = 0, here = 0;
	const struct an_guide *g = &plant->guide;
	struct folio *folio;
	int last, now;
	u32 random;

	if (!one_nodes(g))
		return false;
	random = seed(vma, addr, an_ballot_draw_before(g->draw));
	for (part = 0; part < AN_BALLOT_DRAWN; part++) {
		at = draw_of(&random, part, AN_BALLOT_DRAWN, nr);
		folio = folio_of(vma, addr + at * PAGE_SIZE, pte + at);
		last = folio ? folio_last_cpupid(folio) : -1;
		if (an_last_node(last) != g->node)
			continue;
		now = runs_on(plant, last);
		here += now == g->node;
		left += now != g->node && now != AN_NO_NODE;
	}
	return left > here;
}

/* A choice of regions holds for two passes, or no page would fault twice. */
static bool region_drawn(struct an_plant *plant, const struct vm_area_struct *vma,
			 unsigned long addr, u32 one_in)
{
	u32 random = seed(vma, addr, ~(plant->pass / 2));

	return drawn(&random, one_in);
}

static void plant_samples(struct vm_area_struct *vma, pte_t *pte,
			  unsigned long addr, unsigned int nr, bool rests,
			  struct an_plant *plant)
{
	u32 one_in = rests ? plant->rest_one_in : plant->one_in;
	unsigned long planted = plant->planted;
	struct an_guide *g = &plant->guide;

	if (!g->unused && !region_drawn(plant, vma, addr, one_in))
		return;
	if (g->redraw)
		plant_drawn(vma, pte, addr, nr,
			    an_ballot_draw_before(g->draw), plant);
	plant_drawn(vma, pte, addr, nr, g->draw, plant);
	g->drawn = true;
	g->rests = rests;
	if (rests)
		plant->samples += plant->planted - planted;
}

static void plant_region(struct vm_area_struct *vma, pte_t *pte,
			 unsigned long addr, unsigned long end,
			 struct an_plant *plant)
{
	unsigned int nr = (end - addr) / PAGE_SIZE, i;
	struct an_guide *g = &plant->guide;
	struct peek found = {};
	bool left, rests;

	plant->random = seed(vma, addr, AN_BALLOT_DRAWS + plant->pass);
	if (nr >= MIN_SAMPLED)
		peek(vma, pte, addr, nr, plant, &found);
	g->sparse = found.nr < SPARSE;
	if (g->sparse) {
		plant_each(vma, pte, addr, end,
			   plant->rest_one_in * AN_EACH_REST_ONE_IN, plant);
		return;
	}
	for (i = 0; i < found.nr; i++)
		count_pages(plant, found.nid[i], nr / PEEKS);
	left = users_left(vma, pte, addr, nr, plant);
	g->left = left && g->verdict == AN_V_LED;
	rests = g->verdict != AN_V_OPEN && !g->open && !found.elsewhere && !left;
	if (!rests)
		plant->restless += found.nr * (nr / PEEKS);
	plant_samples(vma, pte, addr, nr, rests, plant);
}

/*
 * Of pages at rest as many as elsewhere, but those of a region in the same two passes: so
 * that there are votes enough to tell whether it is one node's now.
 */
static void plant_singly(struct vm_area_struct *vma, pte_t *pte,
			 unsigned long addr, unsigned long end,
			 struct an_plant *plant)
{
	bool rests = region_drawn(plant, vma, addr, plant->rest_one_in);

	plant_each(vma, pte, addr, end, rests ? AN_EACH_REST_ONE_IN : NEVER, plant);
}

static void plant_ptes(struct vm_area_struct *vma, pte_t *pte,
		       unsigned long addr, unsigned long end, void *arg)
{
	struct an_plant *plant = arg;

	if (plant->guide.each)
		plant_singly(vma, pte, addr, end, plant);
	else
		plant_region(vma, pte, addr, end, plant);
}

static const struct visitor planter = {
	.huge = plant_huge,
	.ptes = plant_ptes,
};

/**
 * an_walk_begin - open a batch of chunks of one mm, to be flushed at once
 * @mm: the caller holds mm_count at least, until an_walk_end()
 * @plant: the batch
 *
 * From here on, whoever clears an entry of @mm that was made PROT_NONE still
 * flushes it (pte_accessible() looks at tlb_flush_pending), so mmap_lock may
 * be dropped between the chunks of a batch. Nothing may sleep for long.
 */
void an_walk_begin(struct mm_struct *mm, struct an_plant *plant)
{
	plant->first = ULONG_MAX;
	plant->last = 0;
	inc_tlb_flush_pending(mm);
}

/**
 * an_walk_end - flush what the chunks since an_walk_begin() planted
 * @mm: as above
 * @plant: the batch
 *
 * A CPU that held an old translation went on using the page until now: it lost
 * nothing, only its fault comes later.
 *
 * Return: was there anything to flush.
 */
bool an_walk_end(struct mm_struct *mm, struct an_plant *plant)
{
	bool flush = plant->first < plant->last;

	if (flush)
		flush_tlb_mm_range(mm, plant->first, plant->last, PAGE_SHIFT,
				   false);
	dec_tlb_flush_pending(mm);
	return flush;
}

/* Plants, and tells other MMUs, such as those of virtual machines, of all of the chunk. */
static void plant_range(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, struct an_plant *plant)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_VMA, 0,
				vma->vm_mm, start, end);
	an_notifier_start(&range);
	visit_range(vma, start, end, &planter, plant);
	mmu_notifier_invalidate_range_end(&range);
}

/*
 * Other MMUs drop what they have of a chunk, and may sleep over it: so look first whether
 * anything will be planted. Mostly nothing is, of memory at rest. What was drawn is drawn again.
 */
static void look_and_plant(struct vm_area_struct *vma, unsigned long start,
			   unsigned long end, struct an_plant *plant)
{
	unsigned long before = plant->planted;
	struct an_plant act = *plant;

	plant->look = true;
	visit_range(vma, start, end, &planter, plant);
	plant->look = false;
	if (plant->planted == before)
		return;
	act.counting = NULL;
	plant_range(vma, start, end, &act);
	plant->planted = act.planted;
	plant->huge = act.huge;
	plant->samples = act.samples;
	plant->guide = act.guide;
}

/**
 * an_walk_plant - count the pages of a chunk per node, make some fault
 * @vma: a VMA that scand found suitable
 * @start: first byte, page aligned
 * @end: behind the last byte, within @vma
 * @plant: what to do, and what was done
 *
 * One notifier range for the chunk, none if nothing is planted. Context: between
 * an_walk_begin() and an_walk_end(), mmap_lock held for reading.
 */
void an_walk_plant(struct vm_area_struct *vma, unsigned long start,
		   unsigned long end, struct an_plant *plant)
{
	unsigned long before = plant->planted;

	if (mm_has_notifiers(vma->vm_mm))
		look_and_plant(vma, start, end, plant);
	else
		visit_range(vma, start, end, &planter, plant);
	if (plant->planted == before)
		return;
	plant->first = min(plant->first, start);
	plant->last = max(plant->last, end);
}

static void take_back_pte(struct vm_area_struct *vma, unsigned long addr,
			  pte_t *pte)
{
	pte_t old = ptep_modify_prot_start(vma, addr, pte);
	pte_t new = pte_modify(old, vma->vm_page_prot);

	/* Private memory only; a shared mapping costs one more write fault. */
	if (!pte_write(new) &&
	    (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE &&
	    can_change_pte_writable(vma, addr, new))
		new = pte_mkwrite(new, vma);
	ptep_modify_prot_commit(vma, addr, pte, old, new);
}

/*
 * As can_change_pmd_writable(), which is not to be had: for private anonymous
 * memory only. Elsewhere a write costs one more fault.
 */
static bool huge_writable(struct vm_area_struct *vma, pmd_t pmd)
{
	struct page *page = pmd_page(pmd);

	if (!(vma->vm_flags & VM_WRITE) || (vma->vm_flags & VM_SHARED))
		return false;
	if (IS_ENABLED(CONFIG_MEM_SOFT_DIRTY) &&
	    !(vma->vm_flags & VM_SOFTDIRTY) && !pmd_soft_dirty(pmd))
		return false;
	return !pmd_uffd_wp(pmd) && PageAnon(page) && PageAnonExclusive(page);
}

static void take_back_huge(struct vm_area_struct *vma, pmd_t *pmd,
			   unsigned long addr, unsigned long end, void *arg)
{
	unsigned long start = addr & HPAGE_PMD_MASK, *taken = arg;
	pmd_t new;

	if (!pmd_protnone(*pmd) || !vm_normal_folio_pmd(vma, start, *pmd))
		return;
	new = pmd_modify(pmdp_invalidate_ad(vma, start, pmd), vma->vm_page_prot);
	if (!pmd_write(new) && huge_writable(vma, new))
		new = pmd_mkwrite(new, vma);
	set_pmd_at(vma->vm_mm, start, pmd, new);
	*taken += HPAGE_PMD_NR;
}

static void take_back_ptes(struct vm_area_struct *vma, pte_t *pte,
			   unsigned long addr, unsigned long end, void *arg)
{
	unsigned long *taken = arg;

	for (; addr < end; addr += PAGE_SIZE, pte++) {
		if (!pte_present(ptep_get(pte)) || !pte_protnone(ptep_get(pte)))
			continue;
		take_back_pte(vma, addr, pte);
		++*taken;
	}
}

static const struct visitor restorer = {
	.huge = take_back_huge,
	.ptes = take_back_ptes,
};

/**
 * an_walk_take_back - restore planted entries, and only those
 * @vma: an accessible VMA
 * @start: first byte, page aligned
 * @end: behind the last byte, within @vma
 *
 * No flush: an entry becomes more permissive, at worst a CPU faults once more
 * on an entry that is found whole. Context: mmap_lock held for reading.
 * Return: pages restored.
 */
unsigned long an_walk_take_back(struct vm_area_struct *vma, unsigned long start,
				unsigned long end)
{
	unsigned long taken = 0;

	visit_range(vma, start, end, &restorer, &taken);
	return taken;
}

/* What migrate_misplaced_folio_prepare() said no for. */
static enum an_reason why_not_isolated(struct folio *folio, int err)
{
	if (err == -EACCES ||
	    (folio_is_file_lru(folio) && folio_test_dirty(folio)))
		return AN_R_PAGE_FILE;
	return folio_test_lru(folio) ? AN_R_TARGET_FULL : AN_R_PAGE_BUSY;
}

/* AN_R_NONE: isolated. */
static enum an_reason try_isolate(struct an_isolate *iso, struct folio *folio)
{
	int err;

	if (!may_plant(iso->vma, folio))
		return folio_is_file_lru(folio) ? AN_R_PAGE_FILE : AN_R_PAGE_KIND;
	err = migrate_misplaced_folio_prepare(folio, iso->vma, iso->to);
	return err ? why_not_isolated(folio, err) : AN_R_NONE;
}

static void book_failed(struct an_isolate *iso, enum an_reason why,
			unsigned long nr)
{
	an_isolate_note(iso, why, nr);
	if (why != AN_R_PAGE_GONE && why != AN_R_PAGE_ELSEWHERE)
		iso->refused += nr;
}

static void isolate_folio(struct an_isolate *iso, struct folio *folio,
			  unsigned long nr)
{
	enum an_reason why;

	if (!folio || (iso->huge_only &&
		       (nr != HPAGE_PMD_NR || !folio_test_anon(folio))))
		why = AN_R_PAGE_GONE;
	else if (folio_nid(folio) == iso->to)
		why = AN_R_PAGE_ELSEWHERE;
	else
		why = try_isolate(iso, folio);
	if (why != AN_R_NONE) {
		book_failed(iso, why, nr);
		return;
	}
	/*
	 * The last one moves first: who goes through them upwards, and faster than
	 * they move, waits for the first one only, not for one after the other.
	 */
	list_add(&folio->lru, iso->folios);
	iso->isolated += folio_nr_pages(folio);
}

static void isolate_huge(struct vm_area_struct *vma, pmd_t *pmd,
			 unsigned long addr, unsigned long end, void *arg)
{
	struct an_isolate *iso = arg;

	isolate_folio(iso, vm_normal_folio_pmd(vma, addr, *pmd), HPAGE_PMD_NR);
	bitmap_clear(iso->wanted, (addr - iso->base) >> PAGE_SHIFT,
		     (end - addr) >> PAGE_SHIFT);
}

static void isolate_ptes(struct vm_area_struct *vma, pte_t *pte,
			 unsigned long addr, unsigned long end, void *arg)
{
	struct folio *folio, *last = NULL;
	struct an_isolate *iso = arg;

	for (; addr < end && iso->isolated < iso->limit;
	     addr += PAGE_SIZE, pte++) {
		if (!__test_and_clear_bit((addr - iso->base) >> PAGE_SHIFT,
					  iso->wanted))
			continue;
		folio = NULL;
		if (pte_present(ptep_get(pte)))
			folio = vm_normal_folio(vma, addr, ptep_get(pte));
		if (folio && folio == last)	/* large, already taken */
			continue;
		last = folio;
		isolate_folio(iso, folio, 1);
	}
}

static const struct visitor isolator = {
	.huge = isolate_huge,
	.ptes = isolate_ptes,
};

/**
 * an_walk_isolate - take the wanted pages of a region off the LRU
 * @iso: which pages, and the list they go to
 * @start: first byte, page aligned, within one region
 * @end: behind the last byte, within the same VMA and region
 *
 * The list then holds a reference to each folio and counts as isolated, as
 * migrate_pages() and putback_movable_pages() expect it.
 * Context: mmap_lock held for reading.
 */
void an_walk_isolate(struct an_isolate *iso, unsigned long start,
		     unsigned long end)
{
	visit_range(iso->vma, start, end, &isolator, iso);
}
