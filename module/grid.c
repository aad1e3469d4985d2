// SPDX-License-Identifier: GPL-2.0
/*
 * Processes map a file wherever they like, and a region of a process is what one of its
 * page tables maps. So that they can tell each other of what they use there are regions
 * of the file, of the same size. They begin where those of the first process do that
 * claims any, for as long as claims of one whose own begin there are to last: where
 * processes were forked from one another, theirs are the file's. Who maps it otherwise
 * has parts of two in each of its own.
 *
 * A word for each file, in sets that are a cache line; exchanged without a lock. A file
 * for which there is none left, or that nobody claims anything of, has regions that begin
 * with its first page.
 */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include "autonuma.h"
#include "grid.h"
#include "queue.h"

#define SETS_BITS	7	/* with eight files each: 8 KiB */
#define SET_FILES	8
#define PHASE_BITS	9
#define FILE_BITS	32	/* what hash_64() gives */

union an_grid {
	u64 word;
	struct {
		u64 phase : PHASE_BITS;	/* the first page, modulo the region's size */
		u64 until : AN_UNTIL_BITS;
		u64 file : FILE_BITS;	/* see file_of(); 0: none */
	};
};

static_assert(sizeof(union an_grid) == sizeof(u64) && AN_UNTIL_BITS + PHASE_BITS <= 32);
static_assert(AN_REGION_PAGES == 1 << PHASE_BITS);

struct an_grid_set {
	atomic64_t files[SET_FILES];
} ____cacheline_aligned;

static struct an_grid_set sets[1 << SETS_BITS];

/* With its number: a file that has gone may have been where this one is. */
static u32 file_of(const struct vm_area_struct *vma)
{
	const struct inode *inode = file_inode(vma->vm_file);

	return hash_64((unsigned long)inode + inode->i_ino * GOLDEN_RATIO_64, FILE_BITS);
}

/* With which of the file's pages page tables of this mapping begin, modulo their size. */
static u32 phase_of(const struct vm_area_struct *vma)
{
	return (vma->vm_pgoff - (vma->vm_start >> PAGE_SHIFT)) % AN_REGION_PAGES;
}

static bool stands(union an_grid g)
{
	return g.file && an_lasts(g.until);
}

static struct an_grid_set *set_of(u32 file)
{
	return &sets[hash_32(file, SETS_BITS)];
}

/* The file's word, else one that is free, else NULL. */
static atomic64_t *place_of(u32 file)
{
	struct an_grid_set *set = set_of(file);
	atomic64_t *free = NULL;
	union an_grid g;
	int i;

	for (i = 0; i < SET_FILES; i++) {
		g.word = atomic64_read(&set->files[i]);
		if (g.file == file)
			return &set->files[i];
		if (!stands(g))
			free = &set->files[i];
	}
	return free;
}

/* The first page of its regions, modulo their size: the same for all who map it. */
static u32 begin_of(u32 file)
{
	atomic64_t *at = place_of(file);
	union an_grid g;

	if (!at)
		return 0;
	g.word = atomic64_read(at);
	return g.file == file && stands(g) ? g.phase : 0;
}

/**
 * an_grid_keep - somebody claims what this maps
 * @vma: a shared mapping of a file
 * @lasts_s: for so long, s
 *
 * Context: any; holds mmap_lock, or the VMA's, as what follows.
 */
void an_grid_keep(const struct vm_area_struct *vma, u16 lasts_s)
{
	u32 file = file_of(vma);
	atomic64_t *at = place_of(file);
	u16 now = an_now_s();
	union an_grid old, new;

	if (!at)
		return;
	old.word = atomic64_read(at);
	new = (union an_grid){
		.phase = phase_of(vma),
		.until = now + lasts_s,
		.file = file,
	};
	if (stands(old) && (old.file != file || old.phase != new.phase ||
			    (u16)(old.until - now) >= lasts_s))
		return;
	atomic64_cmpxchg_relaxed(at, old.word, new.word);
}

/* Of the file. */
static unsigned long page_of(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

static unsigned long region_of(const struct vm_area_struct *vma, unsigned long addr,
			       u32 begin)
{
	return (page_of(vma, addr) + AN_REGION_PAGES - begin) >> ilog2(AN_REGION_PAGES);
}

/**
 * an_grid_part - the regions of a file that something belongs to
 * @vma: a shared mapping
 * @addr: in it
 * @whole: what of the process's region of @addr belongs to @vma; else the page alone
 * @part: out
 *
 * Return: whether there is a file.
 */
bool an_grid_part(const struct vm_area_struct *vma, unsigned long addr, bool whole,
		  struct an_part *part)
{
	unsigned long start = ALIGN_DOWN(addr, whole ? AN_REGION_SIZE : PAGE_SIZE);
	unsigned long end = start + (whole ? AN_REGION_SIZE : PAGE_SIZE);
	u32 begin;

	if (!vma->vm_file)
		return false;
	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	part->file = file_of(vma);
	begin = begin_of(part->file);
	part->first = region_of(vma, start, begin);
	part->last = region_of(vma, end - 1, begin);
	part->pages = (end - start) >> PAGE_SHIFT;
	part->head = part->pages;
	if (part->first != part->last)
		part->head = AN_REGION_PAGES - (page_of(vma, start) - begin) % AN_REGION_PAGES;
	return true;
}
