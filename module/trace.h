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

TRACE_EVENT(autonuma_scan,
	TP_PROTO(pid_t tgid, u32 pass, bool settled),
	TP_ARGS(tgid, pass, settled),
	TP_STRUCT__entry(
		__field(pid_t, tgid)
		__field(u32, pass)
		__field(bool, settled)
	),
	TP_fast_assign(
		__entry->tgid = tgid;
		__entry->pass = pass;
		__entry->settled = settled;
	),
	TP_printk("tgid=%d pass=%u settled=%d", __entry->tgid, __entry->pass,
		  __entry->settled)
);

/* What a pass found: pages, and faults since the pass before. */
TRACE_EVENT(autonuma_pass,
	TP_PROTO(pid_t tgid, u32 pass, unsigned long resident, u64 faults,
		 u64 local, u32 period_ms),
	TP_ARGS(tgid, pass, resident, faults, local, period_ms),
	TP_STRUCT__entry(
		__field(pid_t, tgid)
		__field(u32, pass)
		__field(unsigned long, resident)
		__field(u64, faults)
		__field(u64, local)
		__field(u32, period_ms)
	),
	TP_fast_assign(
		__entry->tgid = tgid;
		__entry->pass = pass;
		__entry->resident = resident;
		__entry->faults = faults;
		__entry->local = local;
		__entry->period_ms = period_ms;
	),
	TP_printk("tgid=%d pass=%u resident=%lu faults=%llu local=%llu period_ms=%u",
		  __entry->tgid, __entry->pass, __entry->resident,
		  __entry->faults, __entry->local, __entry->period_ms)
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
