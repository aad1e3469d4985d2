// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog, the last resort: a scope where balancing costs and does not pay
 * is put to rest, and tried again later.
 *
 * Before it come the scanner, which looks seldom where passes move nothing (4
 * in a row, VAIN_PASSES of policy_pace.c), and the queues, which stop pages that come
 * back (3/2 of what the process has within two passes or so, cooling() of
 * queue.c). So it looks at 16 passes at a time, or more if they tell little, and thrice.
 *
 * Like the policy it never touches the kernel: no kernel call, no recursion, no
 * floating point.
 *
 * Overflow: every sum is held at SUM_MAX, below 2^53, and multiplied by less than
 * 2^10.
 */
#include "watch.h"

#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

/* 104 days in ns, and more pages than there are. */
#define SUM_MAX		(~0ULL >> 11)

/* A window: so many passes for each process of the scope, in 4 slices. */
#define WINDOW_PASSES	16
#define SLICE_PASSES	4

/*
 * Windows in a row that do not pay. A change in the use of memory spoils one,
 * or two if it comes between them.
 */
#define BAD_WINDOWS	3

/*
 * Fewer faults tell no share. The samples of a region come together, from one
 * thread: 1024 are 128 independent ones, with a noise of 4 %.
 */
#define MIN_FAULTS	1024

/*
 * A window without a share of its own goes on for so many times its length, or who
 * has few faults would be judged by how things were before its memory came. Pages that
 * come back need no share to tell.
 */
#define UNTOLD_MAX	4

/*
 * After so many windows in a row without a share of their own, the one they are judged
 * by is that of another time: the next one goes on until it tells. Who seemed to have
 * risen in the beginning, and has few faults from then on, would never rest.
 */
#define STALE_WINDOWS	16

/* A share of 90 % is high; one that rose by 5 points has risen. */
#define HIGH_PM		900
#define RISE_PM		50

/*
 * More than 1/4 of the pages moved in a window are many: three times that makes
 * 3/4 of the memory, and the share would have risen if they had been moved to
 * where they belong.
 */
#define MANY_DEN	4

/* More than 3/2 of the pages in a window cannot be progress, see queue.c. */
#define RETURNS_NUM	3
#define RETURNS_DEN	2

/*
 * What gears and stalls may cost, in 1/1000 of the scope's CPU time: much is what
 * local memory wins back where the share rises by 5 to 10 points; what costs no
 * more than the little is not worth resting, as it would miss a change of use.
 */
#define MUCH_PM		50
#define LITTLE_PM	5

/* Rests: 10 s, doubled each time up to an hour. */
#define REST_MS		10000U
#define REST_MAX_MS	3600000U

/* Sums */

static void add_to(u64 *sum, u64 more)
{
	*sum = more > SUM_MAX - *sum ? SUM_MAX : *sum + more;
}

static bool tells(const struct an_watch_sum *sum)
{
	return sum->faults >= MIN_FAULTS;
}

/* Local share in 1/1000 of what tells one. */
static u32 share_of(const struct an_watch_sum *sum)
{
	return sum->local < sum->sampled ? sum->local * 1000 / sum->sampled :
					   1000;
}

static void sum_add(struct an_watch_sum *sum, const struct an_watch_pass *pass)
{
	add_to(&sum->passes, 1);
	add_to(&sum->faults, pass->faults);
	add_to(&sum->resident, pass->resident);
	add_to(&sum->sampled, pass->sampled);
	add_to(&sum->local, pass->local);
	add_to(&sum->moved, pass->moved);
	add_to(&sum->spent_ns, pass->gears_ns);
	add_to(&sum->spent_ns, pass->stalled_ns);
	add_to(&sum->cpu_ns, pass->cpu_ns);
}

/*
 * A slice that tells: the first pass over each process says where it began, as
 * memory is moved by later ones.
 */
static void look_at_slice(struct an_watch *w)
{
	u32 pm;

	if (!tells(&w->slice))
		return;
	pm = share_of(&w->slice);
	if (!w->begun && w->slice.passes >= w->processes) {
		w->begun = true;
		w->begun_pm = pm;
	}
	if (w->slice.passes < (u64)SLICE_PASSES * w->processes)
		return;
	if (1000 - pm > w->remote_pm)
		w->remote_pm = 1000 - pm;
	memset(&w->slice, 0, sizeof(w->slice));
}

/**
 * an_watch_add - note what a pass over a process of the scope brought
 * @w: the scope
 * @pass: what it brought
 *
 * At rest nothing is noted: what ends then began before.
 *
 * Context: any; constant time.
 */
void an_watch_add(struct an_watch *w, const struct an_watch_pass *pass)
{
	if (w->rests)
		return;
	w->processes = pass->processes ? pass->processes : 1;
	w->dry = pass->dry;
	sum_add(&w->window, pass);
	sum_add(&w->slice, pass);
	look_at_slice(w);
}

/* Judgement */

/* Whether the window moved more than @num / @den of the pages of the scope. */
static bool moved_more(const struct an_watch *w, u64 num, u64 den)
{
	return w->window.moved * den * WINDOW_PASSES > w->window.resident * num;
}

static bool window_full(const struct an_watch *w)
{
	u64 passes = w->window.passes, enough = (u64)WINDOW_PASSES * w->processes;

	if (!passes || passes < enough)
		return false;
	return tells(&w->window) || moved_more(w, RETURNS_NUM, RETURNS_DEN) ||
	       (w->untold < STALE_WINDOWS && passes >= UNTOLD_MAX * enough);
}

static bool costs_more(const struct an_watch *w, u64 pm)
{
	return w->window.spent_ns * 1000 > w->window.cpu_ns * pm;
}

/*
 * Has the share risen since it began, or lately? The latter where the use of
 * memory changes now and then and the memory follows.
 */
static bool has_risen(const struct an_watch *w)
{
	u32 low = 1000 - an_larger(w->remote_pm, w->last_remote_pm);

	if (!w->begun)
		return false;
	return w->share_pm >= an_smaller(low, w->begun_pm) + RISE_PM;
}

/* At rest by itself: all is well and stays so. */
static bool has_converged(const struct an_watch *w)
{
	return w->share_pm >= HIGH_PM && !moved_more(w, 1, MANY_DEN);
}

/* What speaks against the window, AN_R_NONE if nothing does. */
static enum an_reason window_fault(const struct an_watch *w)
{
	if (has_risen(w) || has_converged(w))
		return AN_R_NONE;
	if (moved_more(w, RETURNS_NUM, RETURNS_DEN))
		return AN_R_REST_RETURNS;
	if (costs_more(w, MUCH_PM))
		return AN_R_REST_STALLS;
	/* Of a dry run no gain is asked, but that it costs little. */
	if (!w->dry && w->begun && w->share_pm < HIGH_PM &&
	    (moved_more(w, 1, MANY_DEN) || costs_more(w, LITTLE_PM)))
		return AN_R_REST_NO_GAIN;
	return AN_R_NONE;
}

static void start_window(struct an_watch *w)
{
	w->last_remote_pm = w->remote_pm;
	w->remote_pm = 0;
	memset(&w->window, 0, sizeof(w->window));
}

/* What was learnt of the scope is of no use later; the back-off is. */
static void forget(struct an_watch *w)
{
	u32 rest_nr = w->rest_nr;

	memset(w, 0, sizeof(*w));
	w->rest_nr = rest_nr;
}

static u32 rest_time(u32 rest_nr)
{
	u32 ms = REST_MS;

	while (rest_nr-- && ms < REST_MAX_MS)
		ms *= 2;
	return ms < REST_MAX_MS ? ms : REST_MAX_MS;
}

static void go_to_rest(struct an_watch *w, u64 now_ms)
{
	u32 ms = rest_time(w->rest_nr);

	forget(w);
	w->rests = true;
	w->rest_until_ms = now_ms + ms > now_ms ? now_ms + ms : ~0ULL;
	if (w->rest_nr != ~0U)
		w->rest_nr++;
}

static enum an_reason judge_window(struct an_watch *w, u64 now_ms)
{
	enum an_reason fault;

	w->untold = tells(&w->window) ? 0 : w->untold + 1;
	if (!w->untold)
		w->share_pm = share_of(&w->window);
	fault = window_fault(w);
	w->bad = fault ? w->bad + 1 : 0;
	if (has_risen(w) || has_converged(w))
		w->rest_nr = 0;
	start_window(w);
	if (w->bad < BAD_WINDOWS)
		return AN_R_NONE;
	go_to_rest(w, now_ms);
	return fault;
}

/**
 * an_watch_judge - shall the scope be put to rest, or be resumed?
 * @w: the scope
 * @now_ms: any clock in ms that does not go back
 *
 * Nothing happens before a window is full. A scope is put to rest after
 * BAD_WINDOWS in a row without its share having risen, while pages come back,
 * many are moved, or it costs more than a little; but never while its share is high and few
 * pages are moved.
 *
 * Context: any; constant time. To be called after each pass, and now and then
 * at rest, for that is how it ends.
 * Return: a reason of rest, to be put to rest now; AN_R_REST_OVER, to be
 * resumed now; else AN_R_NONE.
 */
enum an_reason an_watch_judge(struct an_watch *w, u64 now_ms)
{
	if (w->rests) {
		if (now_ms < w->rest_until_ms)
			return AN_R_NONE;
		forget(w);
		return AN_R_REST_OVER;
	}
	return window_full(w) ? judge_window(w, now_ms) : AN_R_NONE;
}

/**
 * an_watch_resting - is the scope at rest?
 * @w: the scope
 * @now_ms: as for an_watch_judge()
 *
 * Context: any.
 * Return: true until the time is over; an_watch_judge() then resumes it.
 */
bool an_watch_resting(const struct an_watch *w, u64 now_ms)
{
	return w->rests && now_ms < w->rest_until_ms;
}

/**
 * an_watch_rest_ms - how long the scope will rest yet
 * @w: the scope
 * @now_ms: as for an_watch_judge()
 *
 * Context: any.
 * Return: ms, 0 if it is not at rest.
 */
u32 an_watch_rest_ms(const struct an_watch *w, u64 now_ms)
{
	u64 ms = an_watch_resting(w, now_ms) ? w->rest_until_ms - now_ms : 0;

	return ms < REST_MAX_MS ? ms : REST_MAX_MS;
}
