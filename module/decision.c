// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of decisions: the last RING_SIZE of each CPU, oldest lost first.
 *
 * Each CPU writes its own ring only, from any context but NMI; an interrupt
 * in the middle takes the next slot. Readers look from outside: a slot that
 * changes meanwhile is seen by its number, and left out.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>
#include "autonuma.h"
#include "decision.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

/* Of 88 bytes each: 5.5 KiB per CPU. */
#define RING_SIZE	64

/* What a person is shown at most, of all CPUs together. */
#define MAX_SHOWN	1024

struct slot {
	u32 number;		/* 0: empty or being written */
	struct an_past past;
};

struct ring {
	u32 last;		/* number of the last slot taken */
	struct slot slots[RING_SIZE];
};

static struct ring __percpu *rings;

DEFINE_STATIC_KEY_FALSE(an_recording_all);

/**
 * an_record - keep a decision in the ring of this CPU
 * @d: what was decided
 *
 * Context: any but NMI; no lock, no allocation.
 */
void an_record(const struct an_decision *d)
{
	struct slot *slot;
	struct ring *ring;
	u32 number;

	preempt_disable();
	ring = this_cpu_ptr(rings);
	number = this_cpu_inc_return(rings->last) ?:
		 this_cpu_inc_return(rings->last);
	slot = &ring->slots[number % RING_SIZE];
	WRITE_ONCE(slot->number, 0);
	/* For readers: no half new slot under its old number. */
	smp_wmb();
	slot->past.time_ns = local_clock();
	slot->past.mono_ns = ktime_get_mono_fast_ns();
	slot->past.d = *d;
	/* Pairs with the acquire in read_slot(): the slot is whole. */
	smp_store_release(&slot->number, number);
	preempt_enable();
}

/* Copies a slot; false if it is empty or changed meanwhile. */
static bool read_slot(const struct slot *from, struct slot *to)
{
	u32 number;

	/* Pairs with the release in an_record(). */
	number = smp_load_acquire(&from->number);
	if (!number)
		return false;
	/* A slot that is written meanwhile is left out below. */
	*to = data_race(*from);
	/* Pairs with the barrier in an_record(). */
	smp_rmb();
	return READ_ONCE(from->number) == number;
}

static u32 collect(struct slot *found, u32 max)
{
	const struct ring *ring;
	u32 nr = 0, i;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(rings, cpu);
		for (i = 0; i < RING_SIZE && nr < max; i++)
			nr += read_slot(&ring->slots[i], &found[nr]);
	}
	return nr;
}

static int by_time(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->past.time_ns < y->past.time_ns ? -1 :
	       x->past.time_ns > y->past.time_ns;
}

static void show_slot(struct seq_file *m, const struct slot *slot)
{
	const struct an_decision *d = &slot->past.d;
	u64 s = slot->past.time_ns;
	u32 ns = do_div(s, NSEC_PER_SEC);

	seq_printf(m, "%llu.%06u %s %s", s, ns / (u32)NSEC_PER_USEC,
		   an_act_name(an_reason_act(d->why)), an_reason_name(d->why));
	if (d->tgid)
		seq_printf(m, " tgid %d", d->tgid);
	if (d->pid)
		seq_printf(m, " pid %d", d->pid);
	if (d->other)
		seq_printf(m, " other %d", d->other);
	if (d->from != NUMA_NO_NODE)
		seq_printf(m, " from %d", d->from);
	if (d->to != NUMA_NO_NODE)
		seq_printf(m, " to %d", d->to);
	if (d->last != NUMA_NO_NODE)
		seq_printf(m, " last %d", d->last);
	if (d->addr)
		seq_printf(m, " addr %lx", d->addr);
	if (d->pages)
		seq_printf(m, " pages %lu", d->pages);
	if (d->gain)
		seq_printf(m, " gain %llu", d->gain);
	seq_putc(m, '\n');
}

/* All of them, oldest first; the caller frees. NULL without memory. */
static struct slot *collect_sorted(u32 *nr)
{
	u32 max = num_possible_cpus() * RING_SIZE;
	struct slot *found = kvmalloc_array(max, sizeof(*found), GFP_KERNEL);

	if (!found) {
		an_count(AN_C_NO_MEMORY, 1);
		return NULL;
	}
	*nr = collect(found, max);
	sort(found, *nr, sizeof(*found), by_time, NULL);
	return found;
}

static bool is_about(const struct an_past *past, pid_t tgid, pid_t tid,
		     u64 since)
{
	return past->d.tgid == tgid && (!tid || past->d.pid == tid) &&
	       past->mono_ns >= since;
}

/* Keeps the last @max by time, oldest first. Return: how many there are now. */
static u32 keep_last(struct an_past *past, u32 nr, u32 max,
		     const struct an_past *found)
{
	u32 at = nr;

	if (nr == max && found->time_ns <= past[0].time_ns)
		return nr;
	if (nr == max)
		memmove(past, past + 1, --at * sizeof(*past));
	else
		nr++;
	for (; at && past[at - 1].time_ns > found->time_ns; at--)
		past[at] = past[at - 1];
	past[at] = *found;
	return nr;
}

/**
 * an_decisions_of - the last decisions about a process
 * @tgid: of the process
 * @tid: a thread of it, or 0 for all
 * @since: when it started: others have had its number before
 * @past: filled in, oldest first
 * @max: room in @past
 *
 * Context: may sleep. Return: how many.
 */
u32 an_decisions_of(pid_t tgid, pid_t tid, u64 since, struct an_past *past,
		    u32 max)
{
	const struct ring *ring;
	struct slot found;
	u32 nr = 0, i;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(rings, cpu);
		for (i = 0; i < RING_SIZE; i++)
			if (READ_ONCE(ring->slots[i].past.d.tgid) == tgid &&
			    read_slot(&ring->slots[i], &found) &&
			    is_about(&found.past, tgid, tid, since))
				nr = keep_last(past, nr, max, &found.past);
		cond_resched();
	}
	return nr;
}

/**
 * an_decisions_show - the last decisions, oldest first
 * @m: where to
 *
 * Context: may sleep.
 */
void an_decisions_show(struct seq_file *m)
{
	u32 nr, i;
	struct slot *found = collect_sorted(&nr);

	if (!found) {
		seq_puts(m, "no memory to show them\n");
		return;
	}
	for (i = nr > MAX_SHOWN ? nr - MAX_SHOWN : 0; i < nr; i++)
		show_slot(m, &found[i]);
	kvfree(found);
}

int an_decision_init(void)
{
	rings = alloc_percpu(struct ring);
	return rings ? 0 : -ENOMEM;
}

void an_decision_exit(void)
{
	free_percpu(rings);
}
