/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Asking autonuma to balance a process or a cgroup, to leave it alone, and
 * what it does there: the generic netlink family "autonuma", version 1.
 *
 * Requests only, no dumps, no events, no device: nothing that a program holds
 * open keeps the module loaded. The family is there while the module is, in
 * every network namespace.
 *
 * A process is named by a pidfd of its thread group leader, a cgroup by a file
 * descriptor of its directory in the cgroup v2 file system; both are looked up
 * in the file table of the sender, so the sender sends by itself.
 *
 * Who may: SET of a process: its owner, as in setpriority(2), or who has
 * CAP_SYS_NICE in its user namespace. GET and EXPLAIN of a process: who may
 * read its /proc/PID/numa_maps. SET and GET of a cgroup: who may write its
 * directory. The opener of the socket has to be allowed the same.
 *
 * How it grows: attributes are added at the end, and unknown ones are refused
 * with EINVAL. Structs grow at the end: of a request, one that is shorter than
 * its first version is refused with EINVAL, one that is longer than the module
 * knows with E2BIG unless the rest is zero; what is missing counts as zero. Of
 * an answer, read what both sides know. Unknown flags and choices: EINVAL.
 *
 * Errors, all requests:
 *	EBADF	not a pidfd, not a directory of cgroup v2, not open
 *	EINVAL	no target or two, unknown or malformed attribute, pidfd of a
 *		thread that leads no group or of the kernel, value out of bounds
 *	E2BIG	a struct has set what this module does not know
 *	ESRCH	the process or the thread has ended
 *	ENODEV	the cgroup has been removed
 *	EPERM	SET: neither owner nor CAP_SYS_NICE, or a cgroup that was
 *		excluded with CAP_SYS_NICE, and none now; any: who opened the
 *		socket is another user or group, or may less
 *	EACCES	GET, EXPLAIN: its numa_maps could not be read; of a cgroup:
 *		its directory could not be written
 *	ENOMEM	no memory, or none left in the sender's cgroup; nothing has changed
 */
#ifndef _UAPI_LINUX_AUTONUMA_H
#define _UAPI_LINUX_AUTONUMA_H

#include <linux/types.h>

#define AUTONUMA_GENL_NAME	"autonuma"
#define AUTONUMA_GENL_VERSION	1

/**
 * enum autonuma_cmd - requests
 * @AUTONUMA_CMD_UNSPEC: none
 * @AUTONUMA_CMD_SET: choose for a process and its future children, or for a
 *	cgroup and all below it. %AUTONUMA_A_PIDFD or %AUTONUMA_A_CGROUP_FD,
 *	%AUTONUMA_A_SETTINGS, and %AUTONUMA_A_HOME_NODES if there is one to
 *	suggest. Replaces what was chosen for that target before. Answer: ACK
 * @AUTONUMA_CMD_GET: what holds for a process or a cgroup. Target as above.
 *	Answer: %AUTONUMA_A_SETTINGS, %AUTONUMA_A_HOME_NODES (if suggested),
 *	%AUTONUMA_A_SCOPE, %AUTONUMA_A_WHY (why it rests, if it does)
 * @AUTONUMA_CMD_EXPLAIN: a process, or one thread of it. %AUTONUMA_A_PIDFD
 *	and, for a thread, %AUTONUMA_A_TID. Answer for a process: as for GET,
 *	with %AUTONUMA_A_PROCESS, %AUTONUMA_A_WHY (what keeps it from being
 *	balanced, if anything), and if it is balanced %AUTONUMA_A_PAGES and
 *	%AUTONUMA_A_HOME. For a thread: %AUTONUMA_A_THREAD, %AUTONUMA_A_WHY
 *	(why it stays where it is), %AUTONUMA_A_PRIVATE, %AUTONUMA_A_SHARED;
 *	without these if nothing is known of it. Both: %AUTONUMA_A_DECISION,
 *	one for each of the last decisions, oldest first
 */
enum autonuma_cmd {
	AUTONUMA_CMD_UNSPEC,
	AUTONUMA_CMD_SET,
	AUTONUMA_CMD_GET,
	AUTONUMA_CMD_EXPLAIN,
	__AUTONUMA_CMD_MAX,
};

#define AUTONUMA_CMD_MAX	(__AUTONUMA_CMD_MAX - 1)

/**
 * enum autonuma_attr - attributes of requests and answers
 * @AUTONUMA_A_UNSPEC: none
 * @AUTONUMA_A_PIDFD: u32, a pidfd
 * @AUTONUMA_A_CGROUP_FD: u32, file descriptor of a cgroup v2 directory
 * @AUTONUMA_A_TID: u32, a thread, in the sender's pid namespace
 * @AUTONUMA_A_SETTINGS: struct autonuma_settings
 * @AUTONUMA_A_HOME_NODES: the home nodes suggested: u64 words, bit n % 64 of
 *	word n / 64 for node n. Nodes without memory: EINVAL
 * @AUTONUMA_A_SCOPE: struct autonuma_scope
 * @AUTONUMA_A_PROCESS: struct autonuma_process
 * @AUTONUMA_A_THREAD: struct autonuma_thread
 * @AUTONUMA_A_WHY: string, a reason, as the tracepoints name them
 * @AUTONUMA_A_PAGES: u64 for each node, resident pages counted by the last pass
 * @AUTONUMA_A_HOME: the home nodes found, as %AUTONUMA_A_HOME_NODES; none if
 *	the process has no home
 * @AUTONUMA_A_PRIVATE: u64 for each node, hinting faults in pages, decayed, on
 *	memory there that the thread alone uses
 * @AUTONUMA_A_SHARED: likewise, on memory that others use, too
 * @AUTONUMA_A_DECISION: nest of enum autonuma_decision_attr
 * @AUTONUMA_A_PAD: for alignment
 */
enum autonuma_attr {
	AUTONUMA_A_UNSPEC,
	AUTONUMA_A_PIDFD,
	AUTONUMA_A_CGROUP_FD,
	AUTONUMA_A_TID,
	AUTONUMA_A_SETTINGS,
	AUTONUMA_A_HOME_NODES,
	AUTONUMA_A_SCOPE,
	AUTONUMA_A_PROCESS,
	AUTONUMA_A_THREAD,
	AUTONUMA_A_WHY,
	AUTONUMA_A_PAGES,
	AUTONUMA_A_HOME,
	AUTONUMA_A_PRIVATE,
	AUTONUMA_A_SHARED,
	AUTONUMA_A_DECISION,
	AUTONUMA_A_PAD,
	__AUTONUMA_A_MAX,
};

#define AUTONUMA_A_MAX		(__AUTONUMA_A_MAX - 1)

/**
 * enum autonuma_decision_attr - one decision; what does not apply is left out
 * @AUTONUMA_D_UNSPEC: none
 * @AUTONUMA_D_TIME: u64, ns, on the clock of the kernel's log
 * @AUTONUMA_D_ACT: string, what was decided: the name of a tracepoint
 * @AUTONUMA_D_WHY: string, the reason
 * @AUTONUMA_D_TID: u32, the thread
 * @AUTONUMA_D_FROM: u32, node
 * @AUTONUMA_D_TO: u32, node
 * @AUTONUMA_D_ADDR: u64, first address
 * @AUTONUMA_D_PAGES: u64, pages
 * @AUTONUMA_D_GAIN: u32, of a step: by how much the distance of the threads it
 *	moved from their memory falls, in 1/1000 of what it was
 * @AUTONUMA_D_PAD: for alignment
 */
enum autonuma_decision_attr {
	AUTONUMA_D_UNSPEC,
	AUTONUMA_D_TIME,
	AUTONUMA_D_ACT,
	AUTONUMA_D_WHY,
	AUTONUMA_D_TID,
	AUTONUMA_D_FROM,
	AUTONUMA_D_TO,
	AUTONUMA_D_ADDR,
	AUTONUMA_D_PAGES,
	AUTONUMA_D_GAIN,
	AUTONUMA_D_PAD,
	__AUTONUMA_D_MAX,
};

#define AUTONUMA_D_MAX		(__AUTONUMA_D_MAX - 1)

/**
 * enum autonuma_choice - what may be chosen
 * @AUTONUMA_CHOICE_DEFAULT: forget what was chosen here: the nearest cgroup
 *	above that has a choice decides, and without one the module's scope
 *	parameter. Takes no settings
 * @AUTONUMA_CHOICE_ASKED: balance it
 * @AUTONUMA_CHOICE_EXCLUDED: leave it alone. Takes no settings
 */
enum autonuma_choice {
	AUTONUMA_CHOICE_DEFAULT,
	AUTONUMA_CHOICE_ASKED,
	AUTONUMA_CHOICE_EXCLUDED,
};

/* Flags of struct autonuma_settings. */
#define AUTONUMA_F_DRY_RUN	0x1	/* plant and learn, move nothing */
#define AUTONUMA_F_ALL		AUTONUMA_F_DRY_RUN

/**
 * struct autonuma_settings - what was asked for
 * @choice: enum autonuma_choice
 * @flags: AUTONUMA_F_*
 * @migrate_rate_mbps: most memory of this scope moved per second, MiB/s; 0: no
 *	limit but the module's. At most 1048576
 * @scan_budget_pct: most CPU time that scanning this scope takes, percent of
 *	all CPUs; 0: no limit but the module's. At most 100
 *
 * First version: 16 bytes.
 */
struct autonuma_settings {
	__u32 choice;
	__u32 flags;
	__u32 migrate_rate_mbps;
	__u32 scan_budget_pct;
};

#define AUTONUMA_SETTINGS_SIZE_VER0	16

/**
 * enum autonuma_source - who decides for a process or cgroup
 * @AUTONUMA_BY_DEFAULT: the scope parameter of the module
 * @AUTONUMA_BY_PROCESS: a choice for the process, or inherited from its parent
 * @AUTONUMA_BY_CGROUP: a choice for its cgroup, or for one above
 */
enum autonuma_source {
	AUTONUMA_BY_DEFAULT,
	AUTONUMA_BY_PROCESS,
	AUTONUMA_BY_CGROUP,
};

/**
 * enum autonuma_state - what is being done
 * @AUTONUMA_STATE_OUT: nothing: not asked for, or excluded
 * @AUTONUMA_STATE_ACTIVE: balanced
 * @AUTONUMA_STATE_DRY_RUN: looked at, nothing moved
 * @AUTONUMA_STATE_RESTING: the watchdog has put it to rest
 * @AUTONUMA_STATE_STOPPED: the module is loaded and switched off
 */
enum autonuma_state {
	AUTONUMA_STATE_OUT,
	AUTONUMA_STATE_ACTIVE,
	AUTONUMA_STATE_DRY_RUN,
	AUTONUMA_STATE_RESTING,
	AUTONUMA_STATE_STOPPED,
};

/* Of a share that is not known yet. */
#define AUTONUMA_UNKNOWN	0xffffffffU

/**
 * struct autonuma_scope - what is done for a process, or in a cgroup
 * @cgroup: id of the cgroup that decides (the inode number of its directory),
 *	0 unless %AUTONUMA_BY_CGROUP
 * @source: enum autonuma_source
 * @state: enum autonuma_state
 * @processes: under balance now
 * @rests: times in a row that the watchdog put it to rest
 * @rest_ms: until it is tried again, ms
 * @local_pm: local share of its accesses lately, as hinting faults see it, in
 *	1/1000, or %AUTONUMA_UNKNOWN
 * @forecast_pm: local share that is expected once all is where it should be,
 *	in 1/1000, or %AUTONUMA_UNKNOWN; for a dry run only
 * @reserved: 0
 * @planted: pages made to fault
 * @faults: hinting faults seen, in pages
 * @moved: pages moved
 * @would_move: dry run: pages that are to be moved now
 * @scand_ns: CPU time of knuma_scand for it, ns
 * @migrated_ns: CPU time of moving its pages, of workers and its own threads, ns
 * @balanced_ns: CPU time of knuma_balanced for it, ns
 *
 * The counts and shares of a process are its own, since it is balanced. Those
 * of a cgroup are sums: with a choice of its own over all that this covers, from
 * the choice on; else over what is balanced in and below the cgroup now, by the
 * choice that decides for it or by default.
 */
struct autonuma_scope {
	__aligned_u64 cgroup;
	__u32 source;
	__u32 state;
	__u32 processes;
	__u32 rests;
	__u32 rest_ms;
	__u32 local_pm;
	__u32 forecast_pm;
	__u32 reserved;
	__aligned_u64 planted;
	__aligned_u64 faults;
	__aligned_u64 moved;
	__aligned_u64 would_move;
	__aligned_u64 scand_ns;
	__aligned_u64 migrated_ns;
	__aligned_u64 balanced_ns;
};

/**
 * struct autonuma_process - one process
 * @balanced: 1 if it is under balance now
 * @pass: number of its last pass
 * @period_ms: CPU time per running thread from one pass to the next, ms
 * @local_pm: as in struct autonuma_scope, of this process
 * @forecast_pm: likewise
 * @reserved: 0
 */
struct autonuma_process {
	__u32 balanced;
	__u32 pass;
	__u32 period_ms;
	__u32 local_pm;
	__u32 forecast_pm;
	__u32 reserved;
};

/* Of a node that does not apply. */
#define AUTONUMA_NO_NODE	0xffffffffU

/**
 * struct autonuma_thread - one thread
 * @node: where it runs, or ran last
 * @preferred: node that the load balancer is asked to keep it on, or
 *	%AUTONUMA_NO_NODE
 * @best: node that suits it best, or %AUTONUMA_NO_NODE if nothing is known
 * @load: CPU time it wants, in 1/1000 of a CPU
 * @moved_to: node it was moved to last and still is on, or %AUTONUMA_NO_NODE
 * @undone: times in a row that somebody moved it away again
 * @on_preferred_ms: CPU time on its preferred node
 * @off_preferred_ms: CPU time elsewhere while it had one
 */
struct autonuma_thread {
	__u32 node;
	__u32 preferred;
	__u32 best;
	__u32 load;
	__u32 moved_to;
	__u32 undone;
	__aligned_u64 on_preferred_ms;
	__aligned_u64 off_preferred_ms;
};

#endif /* _UAPI_LINUX_AUTONUMA_H */
