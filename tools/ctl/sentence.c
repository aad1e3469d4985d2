// SPDX-License-Identifier: GPL-2.0
/* The module's reasons in words; their names are those of module/reason.c. */
#include <json-c/json.h>
#include <string.h>
#include "output.h"
#include "sentence.h"

static const struct {
	const char *act, *why, *sentence;
} sentences[] = {
	{ "process_taken", "in_scope", "it is balanced from now on" },

	{ "process_skipped", "kernel", "it is a kernel thread, or about to end: it has no memory" },
	{ "process_skipped", "young", "it has used less CPU time than min_process_cpu_ms so far" },
	{ "process_skipped", "small", "it has less memory than min_process_mb" },
	{ "process_skipped", "one_node", "its cpuset leaves one node for its memory" },
	{ "process_skipped", "bound", "all its threads have a memory policy: it is bound by hand" },
	{ "process_skipped", "gone", "it was balanced, and has ended or left the scope" },
	{ "process_skipped", "no_memory", "there was no memory to keep a record of it" },
	{ "process_skipped", "not_asked", "nobody asked for it, and scope is asked" },
	{ "process_skipped", "excluded", "it was excluded: somebody asked to leave it alone" },
	{ "process_skipped", "chosen_anew", "what was asked for has changed: it is taken again" },

	{ "vma_skipped", "unmovable", "a mapping of a device, or of pages that cannot move" },
	{ "vma_skipped", "hugetlb", "a mapping of hugetlb pages: these are not moved" },
	{ "vma_skipped", "inaccessible", "a mapping that nobody may access" },
	{ "vma_skipped", "read_only_file", "a read-only mapping of a file, such as program code" },
	{ "vma_skipped", "policy", "a mapping with a memory policy: it is bound by hand" },
	{ "vma_skipped", "not_its_turn", "shared memory that is walked in another process now" },

	{ "scan_start", "earned", "a pass over its memory begins: it has run long enough" },
	{ "scan_start", "roused", "a pass begins early: a thread moved, or its home changed" },
	{ "scan_held", "lock", "the pass waits: the process is changing its mappings" },
	{ "scan_held", "backlog", "the pass waits until the queued pages have been moved" },
	{ "scan_held", "budget", "the pass waits: scanning has had its share of the CPUs" },
	{ "scan_held", "rate", "the pass waits: the migration rate asked for is spent" },
	{ "scan_held", "tasks", "the pass waits: threads may have to change places first" },
	{ "planted", "restless", "pages made to fault: their last use was from another node" },
	{ "planted", "sample", "pages at rest made to fault, a sample, to see if they still are" },
	{ "scan_end", "busy", "the pass ended: much may be moved yet, the next one comes soon" },
	{ "scan_end", "stirred", "the pass ended: pages at rest are used from elsewhere" },
	{ "scan_end", "quiet", "the pass ended: little is left to gain, the next one comes later" },
	{ "scan_end", "vain", "the pass ended: passes move nothing, the next one comes later" },

	{ "fault", "local", "the page is on the node that uses it" },
	{ "fault", "first_fault", "nothing is known of the page yet: it stays for now" },
	{ "fault", "open", "too little is known of the pages around it: it stays for now" },
	{ "fault", "shared", "threads of several nodes use the pages around it: it stays" },
	{ "fault", "contrary", "the page was used from another node before: it stays" },
	{ "fault", "wandering", "the thread came to this node just now: pages do not follow yet" },
	{ "fault", "shared_home", "the page is shared, and on a home node already" },
	{ "fault", "led", "the page is shared, and on the node that uses it most already" },
	{ "fault", "away_from_home", "the thread is away from home: the page does not follow it" },
	{ "fault", "changed", "most memory has just changed its users: threads may move first" },
	{ "fault", "not_allowed", "a memory policy or cpuset keeps the page from this node" },
	{ "fault", "contested", "several nodes use this huge page: it is to be taken apart" },
	{ "fault", "follow", "the page is to follow the thread: used from that node twice" },
	{ "fault", "follow_leader", "the page is shared, and goes to the node that uses it most" },
	{ "fault", "follow_home", "the page is shared, and is to go to the home node" },
	{ "fault", "spread", "the page is shared, and goes to the home node with too little" },
	{ "queued", "follow", "pages queued: they follow the thread that uses them" },
	{ "queued", "follow_leader", "pages queued: shared ones go to who uses them most" },
	{ "queued", "follow_home", "pages queued: shared ones go to the home node" },
	{ "queued", "spread", "pages queued: shared ones go to the home node with too little" },
	{ "queued", "split", "a huge page is to be taken apart: several nodes use it" },
	{ "not_queued", "off", "pages stay: the parameter migrate is off" },
	{ "not_queued", "full", "pages stay for now: the queue of that node is full" },
	{ "not_queued", "no_memory", "pages stay for now: no memory for a queue entry" },
	{ "not_queued", "no_worker", "pages stay for now: that node has no worker yet" },
	{ "not_queued", "returns", "pages stay for now: those of this process keep coming back" },
	{ "not_queued", "rate", "pages stay for now: the migration rate is spent" },
	{ "not_queued", "dry_run", "pages would be queued: a dry run moves nothing" },
	{ "not_queued", "resting", "pages stay: the watchdog has put it to rest" },
	{ "cancelled", "local", "queued pages stay: they are used from where they are" },
	{ "cancelled", "contrary", "queued pages stay: they are used from another node, too" },
	{ "torn", "local", "a queued region is torn: part of it is used from where it is" },
	{ "torn", "contrary", "a queued region is torn: part of it is used from another node" },
	{ "split", "tried", "a huge page was taken apart, to see who uses its parts" },
	{ "split", "pays", "a huge page was taken apart, and its parts have an owner each" },
	{ "split", "vain", "a huge page was taken apart in vain: its parts have no owners" },
	{ "split", "kept", "khugepaged was kept from putting parts with owners together" },

	{ "migrated", "by_worker", "pages moved, by the worker of that node" },
	{ "migrated", "by_thread", "pages moved, by the thread that asked for their region" },
	{ "migrated", "by_fault", "pages moved, by the thread that faulted on them" },
	{ "failed", "gone", "pages did not move: they have been freed" },
	{ "failed", "elsewhere", "pages did not move: they are on another node already" },
	{ "failed", "kind", "pages did not move: KSM pages or device memory" },
	{ "failed", "file", "pages did not move: dirty pages or shared code of a file" },
	{ "failed", "busy", "pages did not move: somebody else works on them" },
	{ "failed", "target_full", "pages did not move: that node is nearly full" },
	{ "failed", "in_use", "pages did not move: locked, or held by a device or the kernel" },
	{ "given_up", "lock", "pages given up: the process kept changing its mappings" },
	{ "given_up", "gone", "pages given up: the process has ended, or left the scope" },
	{ "given_up", "switched", "pages given up: migrate or scan was switched" },
	{ "given_up", "resting", "pages given up: the watchdog has put it to rest" },
	{ "given_up", "node", "pages given up: that node has no memory any more" },
	{ "given_up", "not_allowed", "pages given up: the cpuset excludes that node" },
	{ "rate_limited", "rate", "moving waits: migrate_rate_mbps is spent" },
	{ "rate_limited", "back_off", "moving waits: the last pages could not be moved" },

	{ "move", "idle", "moved to an idle CPU, closer to its memory" },
	{ "move", "even", "moved to a less crowded node, closer to its memory" },
	{ "swap", "swap", "changed places with a thread of the better node" },
	{ "step_failed", "left", "not moved: it was not where it had been seen" },
	{ "step_failed", "no_cpu", "not moved: no CPU was free for it there any more" },
	{ "step_failed", "refused", "not moved: the scheduler refused" },
	{ "step_failed", "elsewhere", "not moved: the scheduler agreed, but it is not there" },
	{ "stay", "no_evidence", "too few hinting faults to tell where it belongs" },
	{ "stay", "at_best", "no other node is better by enough" },
	{ "stay", "no_room", "the better node is loaded, and nobody there would change places" },
	{ "stay", "affinity", "its CPU affinity or cpuset excludes the better node" },
	{ "stay", "dry_run", "it would be free to go: a dry run moves nothing" },
	{ "stay", "cooling", "it was moved lately, or its moves were undone: it stays a while" },
	{ "stay", "memory_comes", "what it uses is on the way to it: it waits for that" },
	{ "undone", "wake_up", "taken away again: it woke up on another node" },
	{ "undone", "pull", "taken away again by the load balancer, or by exec" },
	{ "undone", "affinity", "taken away again: its affinity was changed" },
	{ "undone", "hotplug", "taken away again: its CPU went offline" },
	{ "undone", "other", "taken away again, nobody knows by whom" },
	{ "pull_refused", "preferred", "the load balancer was told to leave it with its memory" },

	{ "rest", "no_gain", "put to rest: it is worked on, and no more of it is local" },
	{ "rest", "returns", "put to rest: its pages keep coming back" },
	{ "rest", "stalls", "put to rest: it costs more CPU time than it can be worth" },
	{ "resume", "over", "the rest is over: it is tried again" },

	{ "taken_back", "bypass", "switched off: its pages are as before" },
	{ "left_planted", "lock", "switched off, but its lock was not had: pages mend in use" },
	{ "none", "none", "nothing was decided" },
};

const char *sentence(const char *act, const char *why)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sentences); i++) {
		if (!strcmp(sentences[i].why, why) &&
		    (!act || !strcmp(sentences[i].act, act)))
			return sentences[i].sentence;
	}
	return NULL;
}

const char *in_words(const char *act, const char *why)
{
	const char *words = sentence(act, why);

	return words ? words : why;
}

const char *likely_words(const char *act, const char *why)
{
	const char *words = sentence(act, why);

	return words ? words : in_words(NULL, why);
}

struct json_object *why_json(const char *act, const char *why)
{
	struct json_object *o;

	if (!why)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "reason", json_text(why));
	json_object_object_add(o, "sentence", json_text(likely_words(act, why)));
	return o;
}
