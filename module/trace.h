/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM autonuma

#if !defined(_AUTONUMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _AUTONUMA_TRACE_H

#include <linux/tracepoint.h>
#include "decision.h"

/* A decision, see decision.h; what does not apply is 0, or node -1. */
DECLARE_EVENT_CLASS(autonuma_decision,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d),
	TP_STRUCT__entry(
		__field(int, why)
		__field(pid_t, tgid)
		__field(pid_t, pid)
		__field(pid_t, other)
		__field(int, from)
		__field(int, to)
		__field(int, last)
		__field(unsigned long, addr)
		__field(unsigned long, pages)
		__field(u64, gain)
	),
	TP_fast_assign(
		__entry->why = d->why;
		__entry->tgid = d->tgid;
		__entry->pid = d->pid;
		__entry->other = d->other;
		__entry->from = d->from;
		__entry->to = d->to;
		__entry->last = d->last;
		__entry->addr = d->addr;
		__entry->pages = d->pages;
		__entry->gain = d->gain;
	),
	TP_printk("why=%s tgid=%d pid=%d other=%d from=%d to=%d last=%d addr=%lx pages=%lu gain=%llu",
		  an_reason_name(__entry->why), __entry->tgid, __entry->pid,
		  __entry->other, __entry->from, __entry->to, __entry->last,
		  __entry->addr, __entry->pages, __entry->gain)
);

/* A process is balanced from now on. */
DEFINE_EVENT(autonuma_decision, autonuma_process_taken,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A process is left alone, or not balanced any more. */
DEFINE_EVENT(autonuma_decision, autonuma_process_skipped,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A mapping is left alone in this pass. */
DEFINE_EVENT(autonuma_decision, autonuma_vma_skipped,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A pass over a process begins. */
DEFINE_EVENT(autonuma_decision, autonuma_scan_start,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A pass, or the rest of it, is put off. */
DEFINE_EVENT(autonuma_decision, autonuma_scan_held,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A batch of a pass: so many pages will fault. */
DEFINE_EVENT(autonuma_decision, autonuma_planted,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A pass ended: what it found decides when the next one comes. */
DEFINE_EVENT(autonuma_decision, autonuma_scan_end,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* The policy's word on one hinting fault. */
DEFINE_EVENT(autonuma_decision, autonuma_fault,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A fault asked for pages to be moved. */
DEFINE_EVENT(autonuma_decision, autonuma_queued,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* The policy wanted pages to be moved, and they are not queued. */
DEFINE_EVENT(autonuma_decision, autonuma_not_queued,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* Queued pages stay: a fault from elsewhere. */
DEFINE_EVENT(autonuma_decision, autonuma_cancelled,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* The first page cancelled in a queued region: its users differ. */
DEFINE_EVENT(autonuma_decision, autonuma_torn,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A huge page was taken apart, or what came of it. */
DEFINE_EVENT(autonuma_decision, autonuma_split,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A worker, or a fault, moved pages. */
DEFINE_EVENT(autonuma_decision, autonuma_migrated,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* Pages that were asked for and did not move. */
DEFINE_EVENT(autonuma_decision, autonuma_failed,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A queued region is dropped. */
DEFINE_EVENT(autonuma_decision, autonuma_given_up,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A worker waits. */
DEFINE_EVENT(autonuma_decision, autonuma_rate_limited,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A thread moved, verified. */
DEFINE_EVENT(autonuma_decision, autonuma_move,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* Two threads changed places, verified. */
DEFINE_EVENT(autonuma_decision, autonuma_swap,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A move or swap that did not come about. */
DEFINE_EVENT(autonuma_decision, autonuma_step_failed,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A thread stays where it is. */
DEFINE_EVENT(autonuma_decision, autonuma_stay,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* Somebody took a moved thread away from its new node. */
DEFINE_EVENT(autonuma_decision, autonuma_undone,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* The load balancer is told that a pull would lose locality. */
DEFINE_EVENT(autonuma_decision, autonuma_pull_refused,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A scope, or a process, is put to rest: balancing it does not pay. */
DEFINE_EVENT(autonuma_decision, autonuma_rest,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* Its rest is over: another try. */
DEFINE_EVENT(autonuma_decision, autonuma_resume,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A bypass restored planted entries of a process. */
DEFINE_EVENT(autonuma_decision, autonuma_taken_back,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* A bypass could not look at a process. */
DEFINE_EVENT(autonuma_decision, autonuma_left_planted,
	TP_PROTO(const struct an_decision *d),
	TP_ARGS(d)
);

/* The figures behind scan_end: pages, those not at rest, faults on those at rest. */
TRACE_EVENT(autonuma_pass,
	TP_PROTO(pid_t tgid, u32 pass, unsigned long resident,
		 unsigned long restless, u64 rested, u64 roused, u32 period_ms),
	TP_ARGS(tgid, pass, resident, restless, rested, roused, period_ms),
	TP_STRUCT__entry(
		__field(pid_t, tgid)
		__field(u32, pass)
		__field(unsigned long, resident)
		__field(unsigned long, restless)
		__field(u64, rested)
		__field(u64, roused)
		__field(u32, period_ms)
	),
	TP_fast_assign(
		__entry->tgid = tgid;
		__entry->pass = pass;
		__entry->resident = resident;
		__entry->restless = restless;
		__entry->rested = rested;
		__entry->roused = roused;
		__entry->period_ms = period_ms;
	),
	TP_printk("tgid=%d pass=%u resident=%lu restless=%lu rested=%llu roused=%llu period_ms=%u",
		  __entry->tgid, __entry->pass, __entry->resident,
		  __entry->restless, __entry->rested, __entry->roused,
		  __entry->period_ms)
);

#endif /* _AUTONUMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
