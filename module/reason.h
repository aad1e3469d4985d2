/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module decides, and why: every step of every gear ends in one of
 * these reasons. Counters, tracepoints and the ring of decisions all speak in
 * them. Plain C, like the policy.
 */
#ifndef _AUTONUMA_REASON_H
#define _AUTONUMA_REASON_H

/* What was decided: a tracepoint each. */
enum an_act {
	AN_A_NONE,
	/* gear 1 */
	AN_A_PROCESS_TAKEN,
	AN_A_PROCESS_SKIPPED,
	AN_A_VMA_SKIPPED,
	AN_A_SCAN_START,
	AN_A_SCAN_HELD,
	AN_A_PLANTED,
	AN_A_SCAN_END,
	/* gear 2 */
	AN_A_FAULT,
	AN_A_QUEUED,
	AN_A_NOT_QUEUED,
	AN_A_CANCELLED,
	AN_A_TORN,
	AN_A_SPLIT,
	/* gear 3 */
	AN_A_MIGRATED,
	AN_A_FAILED,
	AN_A_GIVEN_UP,
	AN_A_RATE_LIMITED,
	/* gear 4 */
	AN_A_MOVE,
	AN_A_SWAP,
	AN_A_STEP_FAILED,
	AN_A_STAY,
	AN_A_UNDONE,
	AN_A_PULL_REFUSED,
	/* the watchdog */
	AN_A_REST,
	AN_A_RESUME,
	/* the bypass */
	AN_A_TAKEN_BACK,
	AN_A_LEFT_PLANTED,
	AN_A_NR
};

/* Why. Each belongs to one act; the order is nobody's ABI, the names are. */
enum an_reason {
	AN_R_NONE,

	/* process_taken */
	AN_R_IN_SCOPE,
	/* process_skipped */
	AN_R_SKIP_KERNEL,	/* kernel thread, or dying: no memory */
	AN_R_SKIP_YOUNG,	/* has used too little CPU time yet */
	AN_R_SKIP_SMALL,	/* too little memory */
	AN_R_SKIP_ONE_NODE,	/* its cpuset leaves one node for memory */
	AN_R_SKIP_BOUND,	/* every thread has a memory policy of its own */
	AN_R_SKIP_GONE,		/* was balanced, and has ended */
	AN_R_SKIP_NO_MEMORY,	/* for our own record of it */
	AN_R_SKIP_NOT_ASKED,	/* scope=asked, and nobody asked */
	AN_R_SKIP_EXCLUDED,	/* asked to be left alone */
	AN_R_SKIP_CHANGED,	/* chosen for anew: taken again, if wanted */
	/* vma_skipped */
	AN_R_VMA_UNMOVABLE,	/* device, special, or pages that cannot move */
	AN_R_VMA_HUGETLB,
	AN_R_VMA_INACCESSIBLE,	/* PROT_NONE already */
	AN_R_VMA_READ_ONLY_FILE, /* mostly shared libraries, in caches */
	AN_R_VMA_POLICY,	/* has a memory policy of its own */
	AN_R_VMA_NOT_ITS_TURN,	/* shared: another mapper walks it */
	/* scan_start */
	AN_R_SCAN_EARNED,	/* by CPU time, at the pace of the process */
	AN_R_SCAN_ROUSED,	/* a steady thread moved, or its home changed */
	/* scan_held */
	AN_R_HELD_LOCK,		/* mmap_lock contended */
	AN_R_HELD_BACKLOG,	/* the queues are to drain first */
	AN_R_HELD_BUDGET,	/* the scanner has had its share of the CPUs */
	AN_R_HELD_RATE,		/* its choice's migration rate is spent */
	AN_R_HELD_TASKS,	/* its threads may have to change places first */
	/* planted */
	AN_R_PLANT_RESTLESS,	/* last fault not from the page's own node */
	AN_R_PLANT_SAMPLE,	/* at rest: one of so many */
	/* scan_end: what the pass found */
	AN_R_PASS_BUSY,		/* much may be moved yet */
	AN_R_PASS_STIRRED,	/* pages at rest are used from elsewhere */
	AN_R_PASS_QUIET,	/* little is left to gain */
	AN_R_PASS_VAIN,		/* passes move nothing */

	/* fault: the policy's word on one hinting fault */
	AN_R_LOCAL,		/* page is where it is used: cancel a queued move */
	AN_R_FIRST_FAULT,	/* nothing known yet of the page */
	AN_R_OPEN,		/* too little known yet of its region */
	AN_R_SHARED,		/* several nodes use the region: it stays */
	AN_R_CONTRARY,		/* last fault came from another node: cancel */
	AN_R_WANDERING,		/* the thread came to this node just now */
	AN_R_SHARED_HOME,	/* shared page already on a home node */
	AN_R_LED,		/* shared page already on the node that uses it most */
	AN_R_AWAY_FROM_HOME,	/* shared page, and this CPU is not at home */
	AN_R_CHANGED,		/* others used it until just now: threads first */
	AN_R_NOT_ALLOWED,	/* memory policy or cpuset excludes the node */
	AN_R_CONTESTED,		/* huge page of several nodes: take it apart */
	AN_R_FOLLOW,		/* move: that node uses it */
	AN_R_FOLLOW_LEADER,	/* move: shared page goes to the node that uses it most */
	AN_R_FOLLOW_HOME,	/* move: shared page goes to the home node */
	AN_R_SPREAD,		/* move: to the home node that has too little */
	/* queued */
	AN_R_QUEUE_FOLLOW,
	AN_R_QUEUE_LEADER,
	AN_R_QUEUE_HOME,
	AN_R_QUEUE_SPREAD,
	AN_R_QUEUE_SPLIT,	/* to be taken apart, not to be moved */
	/* not_queued */
	AN_R_QUEUE_OFF,		/* migrate=off */
	AN_R_QUEUE_FULL,
	AN_R_QUEUE_NO_MEMORY,
	AN_R_QUEUE_NO_WORKER,	/* the node got its memory later */
	AN_R_QUEUE_RETURNS,	/* the process's pages keep coming back */
	AN_R_QUEUE_RATE,	/* migrate=fault, or of its choice: the rate is spent */
	AN_R_QUEUE_DRY,		/* dry run: would be */
	AN_R_QUEUE_REST,	/* put to rest by the watchdog */
	/* cancelled, and torn: the first page cancelled in a region */
	AN_R_CANCEL_LOCAL,
	AN_R_CANCEL_CONTRARY,
	AN_R_TORN_LOCAL,
	AN_R_TORN_CONTRARY,
	/* split: a huge page that several nodes use */
	AN_R_SPLIT_TRIED,	/* it was taken apart */
	AN_R_SPLIT_PAYS,	/* and its parts have an owner each */
	AN_R_SPLIT_VAIN,	/* they have not, or all the same */
	AN_R_SPLIT_KEPT,	/* khugepaged was kept from putting it together */

	/* migrated */
	AN_R_BY_WORKER,
	AN_R_BY_FAULT,
	AN_R_BY_THREAD,		/* who asked for the region, after its fault */
	/* failed: pages that were asked for and did not move */
	AN_R_PAGE_GONE,		/* freed, or not mapped there any more */
	AN_R_PAGE_ELSEWHERE,	/* on another node already */
	AN_R_PAGE_KIND,		/* KSM or device memory */
	AN_R_PAGE_FILE,		/* dirty, or shared code */
	AN_R_PAGE_BUSY,		/* somebody else has it off the LRU */
	AN_R_TARGET_FULL,	/* the target node is at its watermark */
	AN_R_PAGE_IN_USE,	/* isolated; locked, or referenced from elsewhere */
	/* given_up: regions, counted in pages */
	AN_R_DROP_LOCK,		/* mmap_lock not had, again and again */
	AN_R_DROP_GONE,		/* the process has ended, or left the scope */
	AN_R_DROP_SWITCHED,	/* migrate or scan was switched meanwhile */
	AN_R_DROP_REST,		/* the watchdog has put the process to rest */
	AN_R_DROP_NODE,		/* the target has no memory any more */
	AN_R_DROP_NOT_ALLOWED,	/* the cpuset excludes the target */
	/* rate_limited */
	AN_R_RATE,		/* migrate_rate_mbps */
	AN_R_BACK_OFF,		/* batches that moved nothing */

	/* move, swap */
	AN_R_MOVE_IDLE,		/* move to an idle CPU */
	AN_R_MOVE_EVEN,		/* move to a less crowded node, no idle CPU */
	AN_R_SWAP,		/* exchange with a task of the better node */
	/* step_failed */
	AN_R_STEP_LEFT,		/* the task is not where it was seen */
	AN_R_STEP_NO_CPU,	/* no CPU for it there any more */
	AN_R_STEP_REFUSED,	/* the scheduler said no */
	AN_R_STEP_ELSEWHERE,	/* it said yes; the task is not there */
	/* stay: one per thread and round */
	AN_R_NO_EVIDENCE,	/* too few faults to judge */
	AN_R_AT_BEST,		/* no node lowers J enough */
	AN_R_NO_ROOM,		/* the better node is loaded, nothing to swap */
	AN_R_AFFINITY,		/* affinity or cpuset excludes the better node */
	AN_R_DRY_RUN,		/* would be free to go */
	AN_R_MEMORY_COMES,	/* what it uses is on its way to it */
	AN_R_COOLING,		/* moved lately, or its moves come undone */
	/* undone: who took a moved thread away again */
	AN_R_BY_WAKE_UP,
	AN_R_BY_PULL,		/* the load balancer, or exec */
	AN_R_BY_AFFINITY,
	AN_R_BY_HOTPLUG,
	AN_R_BY_OTHER,
	/* pull_refused */
	AN_R_PREFERRED,		/* it would leave its preferred node */

	/* rest: balancing does not pay there */
	AN_R_REST_NO_GAIN,	/* it is worked on, and no more of it is local */
	AN_R_REST_RETURNS,	/* pages keep coming back */
	AN_R_REST_STALLS,	/* it costs more CPU time than it can be worth */
	/* resume */
	AN_R_REST_OVER,		/* the rest has ended: another try */

	/* taken_back, left_planted */
	AN_R_BYPASS,
	AN_R_BYPASS_LOCK,	/* mmap_lock not had in time */
	AN_R_NR
};

const char *an_reason_name(enum an_reason why);
const char *an_act_name(enum an_act act);
enum an_act an_reason_act(enum an_reason why);

#endif /* _AUTONUMA_REASON_H */
