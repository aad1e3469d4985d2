#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The meter counts what programs do that know it themselves, and its model says what it has to: no gain where nothing is
# remote, twice the gap for twice the penalty. docs/measuring.md has the figures.
source "$(dirname "$0")/../lib.sh"

machine=(--nodes 2 --cpus 4 --mem 256)
sweeps=(private --threads 1 --mem 16 --sweeps 60 --marks 1)

# at MARK FILTER [N]: jq on the meter's N-th line with this mark (0 by default).
at() { jq -rs --argjson mark "$1" --argjson n "${3:-0}" "[.[] | select(.mark == \$mark)][\$n] | $2" "$work/meter"; }

# near A B PERCENT
near() { awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { exit !(b && a / b > 1 - p / 100 && a / b < 1 + p / 100) }' ||
	{ echo "'$1' is not within $3 % of $2"; return 1; }; }

# --- what programs know of themselves ---

guest "${machine[@]}" --meter "$work/meter" --meter-kernel --meter-pages "$work/pages" --file "$programs/stall" <<-'GUEST'
	for what in "faults 10000" "calls 10000" "spin 50000000" "shootdown 2000" "wait 1000"; do
		for again in 1 2 3 4 5; do
			stall $what || exit 1
		done
	done
	load private --threads 1 --mem 16 --sweeps 100000 --marks 1 --bind hard >/tmp/load &
	load=$!
	wait_until grep -qs sweeps /tmp/load
	mark 20
	sleep 1
	mark 21
	pages 500 load >/tmp/looks &
	sleep 2
	mark 22
	migratepages "$(child_of $load)" 0 1
	mark 23
	sleep 5
	mark 24
	migratepages "$(child_of $load)" 1 0
	sleep 5
	kill "$(pidof pages)"
	wait $!
	kill $load
	cat /tmp/looks
GUEST
guest_ended_well

# quiet PROGRAM FILTER: jq on that one of its five runs in which the kernel did least. Threads of the kernel have work on
# these CPUs at times, and a host that has other work stretches a run until they do.
faults=0 calls=1 spin=2 shootdown=3 wait=4
quiet() {
	jq -rs --argjson n "$1" "[.[] | select(.mark == 11)][5 * \$n:5 * \$n + 5] | min_by(.kernel_insns | add) | $2" "$work/meter"
}

check "faults: 10000 first touches are as many stalls" near "$(quiet $faults .stall.n)" 10000 0.2
check "faults: nobody slept" at_most "$(quiet $faults .stall_wait.n)" 5
check "faults: the sum is what the kernel ran" near "$(quiet $faults .stall.sum)" "$(quiet $faults '.kernel_insns[0]')" 3
check "faults: a fault clears a page: 64 lines, at least" at_least "$(quiet $faults '.kernel_miss[0][0]')" 640000
check "faults: p50, p99, p99.9 and max in order" is \
	"$(quiet $faults '.stall | [.p50, .p99, .p999, .max] | . == sort and .[0] > 500')" true
check "calls: no stall" at_most "$(quiet $calls .stall.n)" 5
check "calls: 10000 of the other kind" near "$(quiet $calls .stall_kernel.n)" 10000 1
check "spin: no stall" at_most "$(quiet $spin .stall.n)" 5
check "spin: ticks alone, hardly any kernel" at_most "$(quiet $spin '.kernel_insns[0] / .user_insns[0]')" 0.01
check "shootdown: the CPU that is shot at pays" at_least "$(quiet $shootdown '.kernel_insns[3]')" 400000
check "shootdown: the handler there flushed, so it walks again" at_least "$(quiet $shootdown '.user_walks[3]')" 1000
check "wait: 1000 faults, asleep or not" near "$(quiet $wait '.stall.n + .stall_wait.n')" 1000 2
check "wait: most slept" at_least "$(quiet $wait .stall_wait.n)" 500

check "bound by hand: local" at_least "$(at 21 .local)" 0.99
check "bound by hand: its own node alone" at_least "$(at 21 '.miss[0] | .[0] / (.[0] + .[1])')" 0.999
pages=4096
check "migration is not free: the copies are counted" at_least \
	"$(at 23 '.kernel_miss | .[0][1] + .[1][0]')" $((64 * pages))
check "but not twice" at_most "$(at 23 '.kernel_miss | .[0][1] + .[1][0]')" $((2 * 64 * pages))

moves=$(python3 "$tests/bench/pages.py" "$work/pages" "$work/out")
note "$moves"
check "every page away, and back" near "$(jq .moves <<<"$moves")" $((2 * pages)) 5
check "away is wrong" near "$(jq .wrong <<<"$moves")" $pages 3
check "back is right" near "$(jq .right <<<"$moves")" $pages 3
check "wrong moves, on records made by hand" python3 "$tests/bench/test_pages.py"
check "whole runs from intervals" python3 "$tests/bench/test_stalls.py"
note "stalls: faults $(quiet $faults '.stall | del(.hist)' | jq -c .)"
note "stalls: wait $(quiet $wait '.stall_wait | del(.hist)' | jq -c .)"
note "kernel instructions of the CPU that is shot at: $(quiet $shootdown '.kernel_insns[3]') for 2000 shootdowns"

# --- the model ---

# run_model OPTION...: sets hard and inverse, their modelled time, and hard_s and inverse_s, in the guest's hundredths of
# a second.
run_model() {
	guest "${machine[@]}" --meter "$work/meter" "$@" <<-GUEST
		now() { tr -d . </proc/uptime | cut -d' ' -f1; }
		for bind in hard inverse; do
			start=\$(now)
			load ${sweeps[*]} --bind \$bind >/tmp/load || exit 1
			echo "took \$(((\$(now) - start)))"
		done
	GUEST
	check "the guest ended well: $*" is "$guest_status" 0
	hard=$(at 2 '.user_time | add' 0) inverse=$(at 2 '.user_time | add' 1)
	{ read -r hard_s; read -r inverse_s; } < <(said took)
	note "$*: hard $hard, inverse $inverse instructions; took $hard_s and $inverse_s hundredths of a second"
}

run_model --meter-distance 10
check "nothing is remote: no gain" near "$inverse" "$hard" 1
run_model
once=$((inverse - hard)) once_hard=$hard
check "distance 21: remote costs more" at_least "$once" $((hard / 2))
run_model --meter-distance 32 --meter-delay 2000
check "twice the penalty: the gap doubles" near $((inverse - hard)) $((2 * once)) 5
check "and local stays as it was" near "$hard" "$once_hard" 1
check "the guest feels the delay" at_least "$inverse_s" $((hard_s * 3 / 2))
finish
