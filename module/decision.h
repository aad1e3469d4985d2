/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every decision can be seen: it is counted (autonuma.h), has a tracepoint of
 * its own (trace.h), and is kept in a bounded ring per CPU.
 */
#ifndef _AUTONUMA_DECISION_H
#define _AUTONUMA_DECISION_H

#include <linux/jump_label.h>
#include <linux/types.h>
#include "reason.h"

struct seq_file;

/*
 * struct an_decision - one decision, as tracepoints and ring show it
 *
 * What does not apply is 0; a node that does not apply is NUMA_NO_NODE.
 */
struct an_decision {
	enum an_reason why;	/* tells the act, too */
	pid_t tgid, pid;
	pid_t other;		/* of a swap */
	int from, to;		/* nodes; of a fault: of the page, of the CPU */
	int last;		/* of a fault: node of the one before */
	unsigned long addr;
	unsigned long pages;
	u64 gain;		/* of a step: by how much J falls */
	u32 part;		/* likewise, in 1/1000 of its tasks' part of J */
};

/* A decision that was recorded. */
struct an_past {
	u64 time_ns;		/* local_clock(), as in the kernel's log */
	u64 mono_ns;		/* ktime, as tasks have it for their start */
	struct an_decision d;
};

/* record_all=1: faults and the like are kept in the ring, too. */
DECLARE_STATIC_KEY_FALSE(an_recording_all);

/*
 * Faults, queued pages, pulls and what else is frequent ask an_watched() first
 * and describe the decision only if somebody looks: two no-ops if not. What
 * is rare goes straight to an_decided().
 */
#define an_watched(act)							\
	(trace_autonuma_##act##_enabled() ||				\
	 static_branch_unlikely(&an_recording_all))

#define an_decided(act, decision)					\
do {									\
	const struct an_decision *_d = (decision);			\
									\
	trace_autonuma_##act(_d);					\
	an_record(_d);							\
} while (0)

/* A decision about a process as a whole, no nodes involved. */
static inline struct an_decision an_about(pid_t tgid, enum an_reason why)
{
	return (struct an_decision) {
		.why = why,
		.tgid = tgid,
		.from = NUMA_NO_NODE,
		.to = NUMA_NO_NODE,
		.last = NUMA_NO_NODE,
	};
}

void an_record(const struct an_decision *d);
void an_decisions_show(struct seq_file *m);
u32 an_decisions_of(pid_t tgid, pid_t tid, u64 since, struct an_past *past,
		    u32 max);
int an_decision_init(void);
void an_decision_exit(void);

#endif /* _AUTONUMA_DECISION_H */
