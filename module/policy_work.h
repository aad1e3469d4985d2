/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rooms of the policy share, policy.c, berth.c, homes.c, nearby.c,
 * partners.c and forecast.c, and nobody else: the layout of the scratch memory,
 * bitmaps of nodes, a heap, and sums over the snapshot. Like policy.h it knows
 * nothing of the kernel.
 */
#ifndef _AUTONUMA_POLICY_WORK_H
#define _AUTONUMA_POLICY_WORK_H

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif
#include "policy.h"

#define BITS_PER_WORD	(8 * sizeof(unsigned long))

/* Nodes remembered for a task, the cheapest first: exact up to 16 nodes. */
#define CHOICES		16
/* Choices of a task by which partners find it: better than where it is. */
#define WISHES 8

/*
 * Nodes weighed for a task or a process: all of them up to so many, else those
 * around the nodes that count most for it.
 */
#define CANDIDATES	32
/* Nodes known as the nearest of a node, itself included. */
#define NEAR		16
/* Nodes of a task or a process around which candidates are looked for. */
#define CENTRES		8

/* What is known of a task for the length of one call. */
struct task_sum {
	u64 faults;		/* private and shared, all nodes */
	u64 shared;
	u64 real;		/* an_shared_part() of that */
	u64 leave;		/* best gain of leaving, see leave_key() */
	u32 mean;		/* mean distance from where it is, in 1/1024 */
	u32 next, prev;		/* list of the tasks on a node */
	u32 nr_wishes;		/* of its slice of wishes, in use */
	u32 looked;		/* work.clock when it found no step */
	bool queued;		/* in the heap */
	bool listed;		/* may leave: in the lists of its node */
};

/* One choice of a task: a node and the mean distance from there, in 1/1024. */
struct choice {
	u32 node;
	u32 mean;
};

/* A task on @from that would be better off on @to, see partners.c. */
struct wish {
	u32 from, to;
	u32 next, prev;		/* list of the pair */
};

/* List of wishes, of all pairs of nodes with this hash. */
struct pair {
	u32 head, tail;
};

/* home_distance() of a process, remembered. */
struct memo {
	u32 proc;		/* AN_NO_TASK: nothing remembered */
	u32 node;
	u32 mean;
};

/* What is known of a process for the length of one call. */
struct proc_sum {
	u64 faults;
	u64 shared;
	u64 pages;
	u64 demand;		/* CPU that its threads want, AN_LOAD_ONE each */
	u64 steady;		/* the same, an_home_steady_demand() of each */
	u32 first, nr;		/* slice of by_proc: its tasks */
	u32 nr_home;		/* nodes in its home */
	u32 home;		/* lowest of them */
	u32 next, prev;		/* list of the single-node homes on a node */
	bool gathers;		/* has evidence of sharing */
	bool fresh;		/* had no home before: no hysteresis */
	bool placed;
	bool content;		/* no candidate costs less than its home */
};

/* What a home costs a process. */
struct home_cost {
	u64 all;		/* its threads and its memory */
	u64 memory;
};

/* What is known of a node for the length of one call. */
struct node_sum {
	u64 load;		/* other_load and the tasks on it */
	u64 busy;		/* the same, before tasks were weighed */
	u64 bound;		/* load a step may bring it to */
	u64 fair;		/* its capacity, times the overcommit */
	u64 claim;		/* demand of homes and others, of fair */
	u64 lone;		/* and of tasks without home that could go elsewhere */
	u64 lone_pages;		/* their memory */
	u64 bound_here;		/* demand in hand of threads bound to it, too */
	struct home_cost cost;	/* of a home here, if a candidate */
	u64 near;		/* summed distance to the set in hand */
	u64 own;		/* what the last home of several nodes claims of it */
	u64 carries;		/* of the steady demand of that home */
	u32 head, tail;		/* list of tasks, or of homes */
	u32 pages;		/* of the process in hand */
	u32 homes;		/* of several nodes that have claimed it */
	u32 weight;		/* of a centre, for what is in hand */
	u32 nearest;		/* distance to the set in hand */
	u32 candidate;		/* the search it was a candidate of last */
	u32 changed;		/* work.clock when a task came or left last */
	u32 nr_near;		/* nodes known to be near; 0: not looked for */
	bool in_set;
};

/* The nodes to be weighed for what is in hand. */
struct candidates {
	u32 node[CANDIDATES];
	u32 nr;
	u32 search;		/* number of this search, from 1 */
	u32 centre[CENTRES];
	u32 nr_centres;
};

/* Binary heap of indices, the largest key on top, then the lowest index. */
struct heap {
	u32 *item;
	u64 *key;
	u32 len;
};

/* The scratch memory: an_sum_up() lays it out and fills it. */
struct work {
	struct node_sum *node;
	struct task_sum *task;
	struct choice *choice;	/* CHOICES per task */
	struct proc_sum *proc;
	u32 *by_proc;		/* tasks, ordered by process */
	u32 *order;		/* processes, as they are given homes */
	unsigned long *set;	/* home being built */
	unsigned long *best;	/* best home so far */
	struct heap heap;
	u64 overcommit;		/* demand of all over capacity, 1/1024, 1+ */
	u64 steady_overcommit;	/* the same, of the steady demand */
	u64 anywhere;		/* demand in hand of threads bound to no node */
	u64 most_fair;		/* the fair share of the largest node */
	bool bound;		/* a thread in hand is bound to nodes */
	bool nowhere;		/* and one to such as have no CPU for it, or no memory */
	bool fresh;		/* the process in hand had no home before */
	u32 paged;		/* process of node_sum.pages, or AN_NO_TASK */
	u32 *near;		/* NEAR per node */
	struct candidates cand;
	const u32 *pool;	/* nodes for a home of several */
	u32 nr_pool;
	u32 *every;		/* all nodes */
	struct wish *wish;	/* WISHES per task */
	struct pair *pair;	/* hash of pairs of nodes */
	u32 nr_pairs;		/* a power of two */
	struct memo *memo;	/* as many, hash of process and node */
	u64 looks;		/* for a step, that are left */
	u32 clock;		/* steps so far, and one */
	u64 weighed;		/* nodes and partners, so far: what a call costs */
};

/* Takes memory for @nr items from what @base has, behind what is @used. */
static inline void *carve(const void *base, size_t *used, size_t nr,
			  size_t size)
{
	/* An integer sum: the layout is also measured with no memory at all. */
	unsigned long at = (unsigned long)base + *used;

	*used += (nr * size + sizeof(u64) - 1) / sizeof(u64) * sizeof(u64);
	return (void *)at;
}

/* By far most quotients need no 64 bits, which take several times as long. */
static inline u64 divide(u64 a, u64 b)
{
	return (a | b) >> 32 ? a / b : (u32)a / (u32)b;
}

/* Bitmaps of nodes */

static inline size_t map_words(u32 nr_nodes)
{
	return (nr_nodes + BITS_PER_WORD - 1) / BITS_PER_WORD;
}

static inline bool map_any(const unsigned long *map, u32 nr_nodes)
{
	size_t word;

	for (word = 0; word < map_words(nr_nodes); word++)
		if (map[word])
			return true;
	return false;
}

static inline bool map_has(const unsigned long *map, u32 n)
{
	return map[n / BITS_PER_WORD] >> (n % BITS_PER_WORD) & 1;
}

static inline void map_add(unsigned long *map, u32 n)
{
	map[n / BITS_PER_WORD] |= 1UL << (n % BITS_PER_WORD);
}

static inline void map_remove(unsigned long *map, u32 n)
{
	map[n / BITS_PER_WORD] &= ~(1UL << (n % BITS_PER_WORD));
}

static inline void map_clear(unsigned long *map, u32 nr_nodes)
{
	memset(map, 0, map_words(nr_nodes) * sizeof(*map));
}

static inline void map_copy(unsigned long *to, const unsigned long *from,
			    u32 nr_nodes)
{
	memcpy(to, from, map_words(nr_nodes) * sizeof(*to));
}

/* The first node of the map that is @n or above, nr_nodes if there is none. */
static inline u32 map_next(const unsigned long *map, u32 nr_nodes, u32 n)
{
	while (n < nr_nodes) {
		unsigned long word = map[n / BITS_PER_WORD] >>
				     (n % BITS_PER_WORD);

		if (word) {
			n += __builtin_ctzl(word);
			return n < nr_nodes ? n : nr_nodes;
		}
		n = (n / BITS_PER_WORD + 1) * BITS_PER_WORD;
	}
	return nr_nodes;
}

/* The snapshot */

static inline u8 distance(const struct an_snapshot *s, u32 from, u32 to)
{
	return s->distance[(size_t)from * s->nr_nodes + to];
}

static inline bool allowed_on(const struct an_task *t, u32 n)
{
	return !t->allowed || map_has(t->allowed, n);
}

/* Whether task @t has faults enough to be judged by them. */
static inline bool has_evidence(const struct an_snapshot *s,
				const struct work *w, u32 t)
{
	return w->task[t].faults && w->task[t].faults >= s->min_faults;
}

/* What a task takes of a CPU, whatever it weighs. */
static inline u32 busy_of(const struct an_task *t)
{
	return t->busy ? t->busy : t->load;
}

static inline u32 hash_pair(const struct work *w, u32 a, u32 b)
{
	u64 key = ((u64)a << 32 | b) * 0x9e3779b97f4a7c15ULL;

	return key >> 40 & (w->nr_pairs - 1);
}

#define BREATH		256	/* tasks: a fraction of a millisecond */

/*
 * Called for each of many tasks or processes, which @nr counts, up or down; 0 for
 * what may take long by itself.
 */
static inline void an_breathe(const struct an_snapshot *s, u64 nr)
{
	if (s->breathe && nr % BREATH == 0)
		s->breathe();
}

void an_heap_push(struct heap *h, u32 item, u64 key);
u32 an_heap_pop(struct heap *h);
struct work *an_sum_up(const struct an_snapshot *s);
void an_sum_home(const struct an_snapshot *s, struct work *w, u32 p);
void an_list_start(struct work *w, u32 nr_nodes);
u32 an_set_distance(const struct an_snapshot *s, const unsigned long *set,
		    u32 n);
u64 an_shared_part(u64 shared, u64 faults, u32 nr);

/* nearby.c */
void an_task_candidates(const struct an_snapshot *s, struct work *w, u32 t,
			bool bound);
void an_proc_candidates(const struct an_snapshot *s, struct work *w, u32 p);

/* partners.c */
void an_partners_start(const struct an_snapshot *s, struct work *w);
void an_partner_add(const struct an_snapshot *s, struct work *w, u32 t);
void an_partner_del(const struct an_snapshot *s, struct work *w, u32 t);

#endif /* _AUTONUMA_POLICY_WORK_H */
