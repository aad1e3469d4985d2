#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The benchmark from end to end, on a machine as small as can be: every contender has its turn in one boot, the known
# ones read what they have to, and an interrupted run is taken up.
source "$(dirname "$0")/../lib.sh"

case=numa02@2x1
contenders=none,in-tree,thread,async,fault,hard,inverse

# An own place for the results; kernels and caches stay where they are.
bench() { AUTONUMA_BENCH_RESULTS=$work/results "$tests/bench/bench" "$@"; }
of() { jq -r ".contenders[\"$1\"].$2" "$work/results/$case.0.json"; }

check "all contenders in one boot" bench --set check --contenders $contenders --out "$work/page"
check "they are in the results" is "$(jq -r '.contenders | keys | sort | join(",")' "$work/results/$case.0.json")" \
	async,fault,hard,in-tree,inverse,none,thread
check "every figure is there for each" is \
	"$(jq -c '[.contenders[] | [.local, .time, .kernel_time, .seconds, .progress_fairness] | all(. != null)] | all' \
		"$work/results/$case.0.json")" true
check "30 intervals" is "$(of hard 'curve | length')" 30
check "hard bind: local" at_least "$(of hard local)" 0.97
check "inverse bind: remote" at_most "$(of inverse local)" 0.05
check "inverse bind: 2.1 times the memory time, and the walks" at_least "$(of inverse memory_time)" 2
check "bound: no hinting faults" is "$(of hard faults) $(of inverse faults) $(of none faults)" "0 0 0"
check "in-tree: hinting faults" at_least "$(of in-tree faults)" 1000
check "thread: hinting faults" at_least "$(of thread faults)" 100
check "thread: moved, and seen by the looks" at_least "$(of thread moved)" 1000
check "async: hinting faults" at_least "$(of async faults)" 100
check "async: moved, and seen by the looks" at_least "$(of async moved)" 1000
check "async: what its task structure takes" at_least "$(of async bytes_per_thread)" 100
check "async: nothing for a page" is "$(of async bytes_per_page)" 0
check "async: what scanning takes" at_least "$(of async scan_ms)" 0.1
check "idle time is a share" at_most "$(of none idle_share)" 1
check "fault: moved" at_least "$(of fault moved)" 1000
check "the commit is named" isnt "$(jq -r .provenance.commit "$work/results/$case.0.json")" ""
check "the page has the case" like "$(<"$work/page/performance.md")" "^## $case"
check "and says that one repetition is too few" like "$(<"$work/page/performance.md")" "1 of 1 repetitions \(too few\)"
check "plots" test -s "$work/page/plots/$case.svg" -a -s "$work/page/plots/time.svg" -a -s "$work/page/plots/cost.svg"

check "--resume measures nothing again" is "$(bench --set check --contenders $contenders --resume 2>&1 >"$work/again")" ""
check "--resume: the same page" like "$(<"$work/again")" "^$case"
rm "$work/results/$case.0.json"
status=0
said=$(bench --set check --contenders none --minutes 0 2>&1) || status=$?
check "no time: nothing is started" like "$said" "minutes are nearly over: 1 left"
check "no time: its own status" is $status 3
status=0
said=$(bench --contenders nobody 2>&1) || status=$?
check "a contender that does not exist" like "$status $said" "^1 bench: no such contender: nobody"
status=0
said=$(bench numa99 2>&1) || status=$?
check "a workload that does not exist" like "$status $said" "^1 bench: no such case: numa99"
check "the list has every case" at_least "$(bench --list | grep -c '@')" 90
check "and their sizes and sweeps" like "$(bench --list)" "^numa02@4x2: 1 x 8 threads, 256 MiB in all, .* 140 sweeps"
finish
