/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM autonuma

#if !defined(_AUTONUMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _AUTONUMA_TRACE_H

#include <linux/tracepoint.h>
#include "policy.h"
#include "scope.h"

/* A process was looked at for the first time in this pass of discovery. */
TRACE_EVENT(autonuma_scope,
	TP_PROTO(pid_t tgid, enum an_scope why),
	TP_ARGS(tgid, why),
	TP_STRUCT__entry(
		__field(pid_t, tgid)
		__field(int, why)
	),
	TP_fast_assign(
		__entry->tgid = tgid;
		__entry->why = why;
	),
	TP_printk("tgid=%d scope=%s", __entry->tgid,
		  an_scope_name(__entry->why))
);

/* A pass begins: of the pages at rest and of the others, one in so many. */
TRACE_EVENT(autonuma_scan,
	TP_PROTO(pid_t tgid, u32 pass, u32 one_in, u32 rest_one_in),
	TP_ARGS(tgid, pass, one_in, rest_one_in),
	TP_STRUCT__entry(
		__field(pid_t, tgid)
		__field(u32, pass)
		__field(u32, one_in)
		__field(u32, rest_one_in)
	),
	TP_fast_assign(
		__entry->tgid = tgid;
		__entry->pass = pass;
		__entry->one_in = one_in;
		__entry->rest_one_in = rest_one_in;
	),
	TP_printk("tgid=%d pass=%u one_in=%u rest_one_in=%u", __entry->tgid,
		  __entry->pass, __entry->one_in, __entry->rest_one_in)
);

/* What a pass found: pages, those not at rest, and faults on those at rest. */
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

/* The decision on one hinting fault. */
TRACE_EVENT(autonuma_fault,
	TP_PROTO(unsigned long addr, int page_node, int cpu_node, int last_node,
		 unsigned long pages, enum an_reason why),
	TP_ARGS(addr, page_node, cpu_node, last_node, pages, why),
	TP_STRUCT__entry(
		__field(unsigned long, addr)
		__field(int, page_node)
		__field(int, cpu_node)
		__field(int, last_node)
		__field(unsigned long, pages)
		__field(int, why)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->page_node = page_node;
		__entry->cpu_node = cpu_node;
		__entry->last_node = last_node;
		__entry->pages = pages;
		__entry->why = why;
	),
	TP_printk("addr=%lx page=%d cpu=%d last=%d pages=%lu why=%s",
		  __entry->addr, __entry->page_node, __entry->cpu_node,
		  __entry->last_node, __entry->pages,
		  an_reason_name(__entry->why))
);

/* A queued region was carried out by a worker: pages wanted, pages moved. */
TRACE_EVENT(autonuma_migrate,
	TP_PROTO(unsigned long addr, int from, int to, unsigned long wanted,
		 unsigned long moved),
	TP_ARGS(addr, from, to, wanted, moved),
	TP_STRUCT__entry(
		__field(unsigned long, addr)
		__field(int, from)
		__field(int, to)
		__field(unsigned long, wanted)
		__field(unsigned long, moved)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->from = from;
		__entry->to = to;
		__entry->wanted = wanted;
		__entry->moved = moved;
	),
	TP_printk("addr=%lx from=%d to=%d wanted=%lu moved=%lu", __entry->addr,
		  __entry->from, __entry->to, __entry->wanted, __entry->moved)
);

/* A move or swap of the balancer, after it was verified. */
TRACE_EVENT(autonuma_step,
	TP_PROTO(pid_t pid, pid_t other, int from, int to, u64 gain,
		 enum an_reason why, bool done),
	TP_ARGS(pid, other, from, to, gain, why, done),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(pid_t, other)
		__field(int, from)
		__field(int, to)
		__field(u64, gain)
		__field(int, why)
		__field(bool, done)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->other = other;
		__entry->from = from;
		__entry->to = to;
		__entry->gain = gain;
		__entry->why = why;
		__entry->done = done;
	),
	TP_printk("pid=%d other=%d from=%d to=%d gain=%llu why=%s done=%d",
		  __entry->pid, __entry->other, __entry->from, __entry->to,
		  __entry->gain, an_reason_name(__entry->why), __entry->done)
);

#endif /* _AUTONUMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
