// SPDX-License-Identifier: GPL-2.0
/*
 * The names of what is decided, and of the reasons. Plain C, like the policy.
 */
#include "reason.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

static const char * const act_names[AN_A_NR] = {
	[AN_A_NONE]		= "none",
	[AN_A_PROCESS_TAKEN]	= "process_taken",
	[AN_A_PROCESS_SKIPPED]	= "process_skipped",
	[AN_A_VMA_SKIPPED]	= "vma_skipped",
	[AN_A_SCAN_START]	= "scan_start",
	[AN_A_SCAN_HELD]	= "scan_held",
	[AN_A_PLANTED]		= "planted",
	[AN_A_SCAN_END]		= "scan_end",
	[AN_A_FAULT]		= "fault",
	[AN_A_QUEUED]		= "queued",
	[AN_A_NOT_QUEUED]	= "not_queued",
	[AN_A_CANCELLED]	= "cancelled",
	[AN_A_TORN]		= "torn",
	[AN_A_SPLIT]		= "split",
	[AN_A_MIGRATED]		= "migrated",
	[AN_A_FAILED]		= "failed",
	[AN_A_GIVEN_UP]		= "given_up",
	[AN_A_RATE_LIMITED]	= "rate_limited",
	[AN_A_MOVE]		= "move",
	[AN_A_SWAP]		= "swap",
	[AN_A_STEP_FAILED]	= "step_failed",
	[AN_A_STAY]		= "stay",
	[AN_A_UNDONE]		= "undone",
	[AN_A_PULL_REFUSED]	= "pull_refused",
	[AN_A_REST]		= "rest",
	[AN_A_RESUME]		= "resume",
	[AN_A_TAKEN_BACK]	= "taken_back",
	[AN_A_LEFT_PLANTED]	= "left_planted",
};

static const struct {
	enum an_act act;
	const char *name;	/* unique within its act */
} reasons[AN_R_NR] = {
	[AN_R_NONE]		= { AN_A_NONE, "none" },
	[AN_R_IN_SCOPE]		= { AN_A_PROCESS_TAKEN, "in_scope" },
	[AN_R_SKIP_KERNEL]	= { AN_A_PROCESS_SKIPPED, "kernel" },
	[AN_R_SKIP_YOUNG]	= { AN_A_PROCESS_SKIPPED, "young" },
	[AN_R_SKIP_SMALL]	= { AN_A_PROCESS_SKIPPED, "small" },
	[AN_R_SKIP_ONE_NODE]	= { AN_A_PROCESS_SKIPPED, "one_node" },
	[AN_R_SKIP_BOUND]	= { AN_A_PROCESS_SKIPPED, "bound" },
	[AN_R_SKIP_GONE]	= { AN_A_PROCESS_SKIPPED, "gone" },
	[AN_R_SKIP_NO_MEMORY]	= { AN_A_PROCESS_SKIPPED, "no_memory" },
	[AN_R_SKIP_NOT_ASKED]	= { AN_A_PROCESS_SKIPPED, "not_asked" },
	[AN_R_SKIP_EXCLUDED]	= { AN_A_PROCESS_SKIPPED, "excluded" },
	[AN_R_SKIP_CHANGED]	= { AN_A_PROCESS_SKIPPED, "chosen_anew" },
	[AN_R_VMA_UNMOVABLE]	= { AN_A_VMA_SKIPPED, "unmovable" },
	[AN_R_VMA_HUGETLB]	= { AN_A_VMA_SKIPPED, "hugetlb" },
	[AN_R_VMA_INACCESSIBLE]	= { AN_A_VMA_SKIPPED, "inaccessible" },
	[AN_R_VMA_READ_ONLY_FILE] = { AN_A_VMA_SKIPPED, "read_only_file" },
	[AN_R_VMA_POLICY]	= { AN_A_VMA_SKIPPED, "policy" },
	[AN_R_VMA_NOT_ITS_TURN]	= { AN_A_VMA_SKIPPED, "not_its_turn" },
	[AN_R_SCAN_EARNED]	= { AN_A_SCAN_START, "earned" },
	[AN_R_SCAN_ROUSED]	= { AN_A_SCAN_START, "roused" },
	[AN_R_HELD_LOCK]	= { AN_A_SCAN_HELD, "lock" },
	[AN_R_HELD_BACKLOG]	= { AN_A_SCAN_HELD, "backlog" },
	[AN_R_HELD_BUDGET]	= { AN_A_SCAN_HELD, "budget" },
	[AN_R_HELD_RATE]	= { AN_A_SCAN_HELD, "rate" },
	[AN_R_HELD_TASKS]	= { AN_A_SCAN_HELD, "tasks" },
	[AN_R_PLANT_RESTLESS]	= { AN_A_PLANTED, "restless" },
	[AN_R_PLANT_SAMPLE]	= { AN_A_PLANTED, "sample" },
	[AN_R_PASS_BUSY]	= { AN_A_SCAN_END, "busy" },
	[AN_R_PASS_STIRRED]	= { AN_A_SCAN_END, "stirred" },
	[AN_R_PASS_QUIET]	= { AN_A_SCAN_END, "quiet" },
	[AN_R_PASS_VAIN]	= { AN_A_SCAN_END, "vain" },
	[AN_R_LOCAL]		= { AN_A_FAULT, "local" },
	[AN_R_FIRST_FAULT]	= { AN_A_FAULT, "first_fault" },
	[AN_R_OPEN]		= { AN_A_FAULT, "open" },
	[AN_R_SHARED]		= { AN_A_FAULT, "shared" },
	[AN_R_CONTRARY]		= { AN_A_FAULT, "contrary" },
	[AN_R_WANDERING]	= { AN_A_FAULT, "wandering" },
	[AN_R_SHARED_HOME]	= { AN_A_FAULT, "shared_home" },
	[AN_R_LED]		= { AN_A_FAULT, "led" },
	[AN_R_AWAY_FROM_HOME]	= { AN_A_FAULT, "away_from_home" },
	[AN_R_CHANGED]		= { AN_A_FAULT, "changed" },
	[AN_R_NOT_ALLOWED]	= { AN_A_FAULT, "not_allowed" },
	[AN_R_CONTESTED]	= { AN_A_FAULT, "contested" },
	[AN_R_FOLLOW]		= { AN_A_FAULT, "follow" },
	[AN_R_FOLLOW_LEADER]	= { AN_A_FAULT, "follow_leader" },
	[AN_R_FOLLOW_HOME]	= { AN_A_FAULT, "follow_home" },
	[AN_R_SPREAD]		= { AN_A_FAULT, "spread" },
	[AN_R_QUEUE_FOLLOW]	= { AN_A_QUEUED, "follow" },
	[AN_R_QUEUE_LEADER]	= { AN_A_QUEUED, "follow_leader" },
	[AN_R_QUEUE_HOME]	= { AN_A_QUEUED, "follow_home" },
	[AN_R_QUEUE_SPREAD]	= { AN_A_QUEUED, "spread" },
	[AN_R_QUEUE_SPLIT]	= { AN_A_QUEUED, "split" },
	[AN_R_QUEUE_OFF]	= { AN_A_NOT_QUEUED, "off" },
	[AN_R_QUEUE_FULL]	= { AN_A_NOT_QUEUED, "full" },
	[AN_R_QUEUE_NO_MEMORY]	= { AN_A_NOT_QUEUED, "no_memory" },
	[AN_R_QUEUE_NO_WORKER]	= { AN_A_NOT_QUEUED, "no_worker" },
	[AN_R_QUEUE_RETURNS]	= { AN_A_NOT_QUEUED, "returns" },
	[AN_R_QUEUE_RATE]	= { AN_A_NOT_QUEUED, "rate" },
	[AN_R_QUEUE_DRY]	= { AN_A_NOT_QUEUED, "dry_run" },
	[AN_R_QUEUE_REST]	= { AN_A_NOT_QUEUED, "resting" },
	[AN_R_CANCEL_LOCAL]	= { AN_A_CANCELLED, "local" },
	[AN_R_CANCEL_CONTRARY]	= { AN_A_CANCELLED, "contrary" },
	[AN_R_TORN_LOCAL]	= { AN_A_TORN, "local" },
	[AN_R_TORN_CONTRARY]	= { AN_A_TORN, "contrary" },
	[AN_R_SPLIT_TRIED]	= { AN_A_SPLIT, "tried" },
	[AN_R_SPLIT_PAYS]	= { AN_A_SPLIT, "pays" },
	[AN_R_SPLIT_VAIN]	= { AN_A_SPLIT, "vain" },
	[AN_R_SPLIT_KEPT]	= { AN_A_SPLIT, "kept" },
	[AN_R_BY_WORKER]	= { AN_A_MIGRATED, "by_worker" },
	[AN_R_BY_FAULT]		= { AN_A_MIGRATED, "by_fault" },
	[AN_R_BY_THREAD]	= { AN_A_MIGRATED, "by_thread" },
	[AN_R_PAGE_GONE]	= { AN_A_FAILED, "gone" },
	[AN_R_PAGE_ELSEWHERE]	= { AN_A_FAILED, "elsewhere" },
	[AN_R_PAGE_KIND]	= { AN_A_FAILED, "kind" },
	[AN_R_PAGE_FILE]	= { AN_A_FAILED, "file" },
	[AN_R_PAGE_BUSY]	= { AN_A_FAILED, "busy" },
	[AN_R_TARGET_FULL]	= { AN_A_FAILED, "target_full" },
	[AN_R_PAGE_IN_USE]	= { AN_A_FAILED, "in_use" },
	[AN_R_DROP_LOCK]	= { AN_A_GIVEN_UP, "lock" },
	[AN_R_DROP_GONE]	= { AN_A_GIVEN_UP, "gone" },
	[AN_R_DROP_SWITCHED]	= { AN_A_GIVEN_UP, "switched" },
	[AN_R_DROP_REST]	= { AN_A_GIVEN_UP, "resting" },
	[AN_R_DROP_NODE]	= { AN_A_GIVEN_UP, "node" },
	[AN_R_DROP_NOT_ALLOWED]	= { AN_A_GIVEN_UP, "not_allowed" },
	[AN_R_RATE]		= { AN_A_RATE_LIMITED, "rate" },
	[AN_R_BACK_OFF]		= { AN_A_RATE_LIMITED, "back_off" },
	[AN_R_MOVE_IDLE]	= { AN_A_MOVE, "idle" },
	[AN_R_MOVE_EVEN]	= { AN_A_MOVE, "even" },
	[AN_R_SWAP]		= { AN_A_SWAP, "swap" },
	[AN_R_STEP_LEFT]	= { AN_A_STEP_FAILED, "left" },
	[AN_R_STEP_NO_CPU]	= { AN_A_STEP_FAILED, "no_cpu" },
	[AN_R_STEP_REFUSED]	= { AN_A_STEP_FAILED, "refused" },
	[AN_R_STEP_ELSEWHERE]	= { AN_A_STEP_FAILED, "elsewhere" },
	[AN_R_NO_EVIDENCE]	= { AN_A_STAY, "no_evidence" },
	[AN_R_AT_BEST]		= { AN_A_STAY, "at_best" },
	[AN_R_NO_ROOM]		= { AN_A_STAY, "no_room" },
	[AN_R_AFFINITY]		= { AN_A_STAY, "affinity" },
	[AN_R_DRY_RUN]		= { AN_A_STAY, "dry_run" },
	[AN_R_MEMORY_COMES]	= { AN_A_STAY, "memory_comes" },
	[AN_R_COOLING]		= { AN_A_STAY, "cooling" },
	[AN_R_BY_WAKE_UP]	= { AN_A_UNDONE, "wake_up" },
	[AN_R_BY_PULL]		= { AN_A_UNDONE, "pull" },
	[AN_R_BY_AFFINITY]	= { AN_A_UNDONE, "affinity" },
	[AN_R_BY_HOTPLUG]	= { AN_A_UNDONE, "hotplug" },
	[AN_R_BY_OTHER]		= { AN_A_UNDONE, "other" },
	[AN_R_PREFERRED]	= { AN_A_PULL_REFUSED, "preferred" },
	[AN_R_REST_NO_GAIN]	= { AN_A_REST, "no_gain" },
	[AN_R_REST_RETURNS]	= { AN_A_REST, "returns" },
	[AN_R_REST_STALLS]	= { AN_A_REST, "stalls" },
	[AN_R_REST_OVER]	= { AN_A_RESUME, "over" },
	[AN_R_BYPASS]		= { AN_A_TAKEN_BACK, "bypass" },
	[AN_R_BYPASS_LOCK]	= { AN_A_LEFT_PLANTED, "lock" },
};

/**
 * an_reason_name - name of a reason, unique within its act
 * @why: any value, also one out of range
 *
 * Context: any.
 * Return: a constant lower-case string, "unknown" when out of range.
 */
const char *an_reason_name(enum an_reason why)
{
	return (unsigned int)why < ARRAY_SIZE(reasons) ? reasons[why].name :
							 "unknown";
}

/**
 * an_act_name - name of what was decided
 * @act: any value, also one out of range
 *
 * Context: any.
 * Return: a constant lower-case string, "unknown" when out of range.
 */
const char *an_act_name(enum an_act act)
{
	return (unsigned int)act < ARRAY_SIZE(act_names) ? act_names[act] :
							   "unknown";
}

/**
 * an_reason_act - what a reason is a reason for
 * @why: any value, also one out of range
 *
 * Context: any.
 * Return: AN_A_NONE when out of range.
 */
enum an_act an_reason_act(enum an_reason why)
{
	return (unsigned int)why < ARRAY_SIZE(reasons) ? reasons[why].act :
							 AN_A_NONE;
}
