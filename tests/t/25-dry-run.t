#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A dry run plants and learns, moves nothing, and its forecast comes true: the local share that it expects is compared
# with the one that the meter reads later, when the same program is balanced for real. The gain is what it rises by.
source "$(dirname "$0")/../lib.sh"

make -s -C "$top/tools/ctl" OUT="$programs" || bail "autonumactl does not build"

# Programs whose gain is at least 20 points, and two where there is none: placed well already, and shared by all. Two of
# the five are in the long form only.
declare -rA workload=(
	[1]="private --threads 8 --born 0 --spread --sweeps 300"
	[2]="procs --procs 4 --threads 2 --born 0 --spread --sweeps 200"
	[3]="procs --procs 2 --threads 4 --born 0 --spread --sweeps 100"
	[4]="private --threads 8 --spread --sweeps 200"
	[5]="big --procs 1 --threads 8 --spread --sweeps 30"
)
numbers=$(long_or_short "1 2 3 4 5" "1 2 5")

{
	cat <<'GUEST'
groups=/sys/fs/cgroup
echo +memory >$groups/cgroup.subtree_control

# asked CASE OPTIONS LOAD...: the workload in a control group that is asked for with these options
asked() {
	number=$1 options=$2
	shift 2
	mkdir $groups/case$number
	begin "$number"
	modprobe autonuma scope=asked
	# shellcheck disable=SC2086 # words
	autonumactl enable --cgroup case$number $options || exit 1
	rm -f /tmp/ended
	{
		sh -c 'echo $$ >"$0/cgroup.procs"; exec load "$@"' $groups/case$number "$@" --stride 1024 >/tmp/out
		echo "load $?" >/tmp/ended
	} &
	# What it says last while all of its threads are there: those that have ended are missing on their nodes; and
	# the most that would move, as that is an estimate from few faults.
	most=0 would=0
	until [ -s /tmp/ended ]; do
		autonumactl status --cgroup case$number --json >/tmp/now
		threads=$(wc -l <$groups/case$number/cgroup.threads)
		now=$(sed -n 's/.*"would_move": *\([0-9]*\).*/\1/p' /tmp/now)
		if [ "${now:-0}" -gt $would ]; then would=$now; fi
		if [ "$threads" -ge $most ]; then
			most=$threads
			cp /tmp/now /tmp/last
		fi
		usleep 200000
	done
	wait
	cat /tmp/ended
	cat /tmp/out
	echo "status $(tr -d '\n' </tmp/last)"
	echo "moved $(counter numa_pages_migrated $groups/case$number/memory.stat)"
	echo "faults $(counter numa_hint_faults $groups/case$number/memory.stat)"
	echo "steps $(($(status task_moves) + $(status task_swaps)))"
	echo "would-move $would"
	echo "declined $(status why_not_queued_dry_run)"
	rmmod autonuma
}
GUEST
	for n in $numbers; do
		echo "asked $n --dry-run ${workload[$n]}"
		echo "asked 1$n '' ${workload[$n]}"
	done
} >"$work/cases"
NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma --file "$programs/autonumactl" \
	--meter "$work/meter" <"$work/cases"

guest_ended_well

# forecast CASE: the local share expected, 0 to 1
forecast() { said_in "$1" status | jq -r '(.scope.forecast_pm // 0) / 1000'; }

# gains CASE: what it is forecast to rise by, and by how much it does
gains() {
	local before after
	before=$(local_whole "$1") after=$(local_settled "1$1" 5)
	awk -v b="$before" -v a="$after" -v f="$(forecast "$1")" 'BEGIN { print f - b, a - b }'
}

# comes_true FORECAST REAL: within 10 % where the real gain is 20 points, else no more than 10 points promised
comes_true() {
	awk -v f="$1" -v r="$2" 'BEGIN { d = f - r; if (d < 0) d = -d; exit !(r >= 0.2 ? d <= 0.1 * r : f <= 0.1) }' ||
		{ echo "forecast $1, real $2"; return 1; }
}

for n in $numbers; do
	name=${workload[$n]%% --born*}
	check "$name: ran well dry" is "$(said_in "$n" load)" 0
	check "$name: ran well" is "$(said_in "1$n" load)" 0
	check "$name: the dry run saw faults" at_least "$(said_in "$n" faults)" 200
	check "$name: the dry run moved no page" is "$(said_in "$n" moved)" 0
	check "$name: the dry run moved no thread" is "$(said_in "$n" steps)" 0
	read -r promised real <<<"$(gains "$n")"
	note "$name: local by tenth of the run: $(local_by_tenth "1$n")"
	check "$name: the forecast comes true: $promised, and it was $real" comes_true "$promised" "$real"
done
check "what should have been moved is counted" at_least "$(said_in 1 declined)" 1000
check "what should be moved is stated: half of 65,536 pages at least" at_least "$(said_in 1 would-move)" 32768
check "without a dry run it is moved" at_least "$(said_in 11 moved)" 32768
finish
