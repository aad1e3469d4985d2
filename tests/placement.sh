# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests/t/2*.t: the five placements that have to come about, and what holds then. Everything is born on
# node 0, 256 MiB in all; threads start on the nodes in turn, so no process begins where it will end. Each case starts
# with a freshly loaded module.
#
# a  one process per node, two threads each share all of its memory
# b  one process, each thread has its own slice
# c  as b; half way each thread goes on with the slice of the next, which began on another node
# d  a process larger than a node: four threads on nodes of two CPUs share everything; two of them fill the machine
# e  one process, a table that all threads read
#
# The best that d can reach: every page is used by all threads alike, wherever it is, so its accesses are local for
# the threads of one node, and that is at most as many as the node has CPUs: cpus / threads = 2 / 4.

best_of_d() { echo 0.5; }

# How often threads sweep in each: what they share is larger than their own part.
declare -rA placement=(
	[a]="procs --threads 2 --sweeps 90"
	[b]="private --sweeps 180"
	[c]="phase --shift 1 --sweeps 400"
	[d]="big --procs 2 --threads 4 --sweeps 45"
	[e]="table --sweeps 60"
)

# sweeping PLACEMENT GEAR-ARGUMENTS: load's words; where no page can move, a quarter of the sweeps shows as much, and with
# another gear off half of them.
sweeping() {
	local words=${placement[$1]}
	case $2 in
	scan=0 | migrate=off) echo "${words% *} $((${words##* } / 4))" ;;
	balance=0 | migrate=fault) echo "${words% *} $((${words##* } / 2))" ;;
	*) echo "$words" ;;
	esac
}

# placement_script CASE=PLACEMENT[:GEAR-ARGUMENTS]... [-- LOAD-OPTIONS]: for guest.
placement_script() {
	local item number which gears
	local cases=() options=()
	while (($#)) && [[ $1 != -- ]]; do cases+=("$1"); shift; done
	options=("${@:2}")
	cat <<-'GUEST'
	place() {
		begin "$1"
		modprobe autonuma $2 || exit 1
		shift 2
		load "$@" --born 0 --spread --stride 1024
		echo "load $?"
		print_status
		rmmod autonuma
	}
	GUEST
	for item in "${cases[@]}"; do
		number=${item%%=*} which=${item#*=} gears=
		if [[ $which = *:* ]]; then gears=${which#*:} which=${which%%:*}; fi
		echo "place $number '$gears' $(sweeping "$which" "$gears") ${options[*]}"
	done
}

# run_placements CASE=...: boots the machine.
run_placements() {
	NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma --meter "$work/meter" < <(placement_script "$@")
}

# How many pages went in the fourth fifth of the sweeps: all should be in place, and no thread has ended, which would
# leave a node with less use, and so with too much memory.
migrated_late() { json "$1" '.numa_pages_migrated | .[(length - 1) * 4 / 5 | floor] - .[(length - 1) * 3 / 5 | floor]'; }
migrated() { json "$1" '.numa_pages_migrated | .[-1] - .[0]'; }
slept() { intervals "$1" 'sum(.stall_wait.n)'; }
task_steps() { echo $(($(said_in "$1" status task_moves) + $(said_in "$1" status task_swaps))); }

# holds CASE PLACEMENT: what that placement promises.
holds() {
	case $2 in
	a)	at_least "$(local_settled "$1" 3)" 0.90 && at_least "$(task_steps "$1")" 1 && at_least "$(migrated "$1")" 1 ;;
	b | c)	at_least "$(local_settled "$1" 3)" 0.90 ;;
	d)	at_least "$(local_last_tenth "$1")" "$(awk -v best="$(best_of_d)" 'BEGIN { print 0.9 * best }')" ;;
	e)	at_most "$(migrated_late "$1")" 4096 ;; # of 65536: eight regions, as use wanders
	esac
}

describe() {
	note "case $1: local $(local_whole "$1"), by tenth $(local_by_tenth "$1"); kernel share $(kernel_share "$1")"
	note "case $1: hinting faults $(json "$1" '.numa_hint_faults | .[-1] - .[0]'), pages migrated $(migrated "$1")," \
		"in the fourth fifth $(migrated_late "$1"), sleeps in faults $(slept "$1"); $(said_in "$1" status | tr '\n' ' ')"
}

# check_placements WORDS [LOAD-OPTION...]: all five in one boot.
check_placements() {
	local words=$1 number=0 which
	local -a cases=(0=a 1=b 2=c 3=d 4=e)
	shift
	run_placements "${cases[@]}" -- "$@"
	guest_ended_well
	for which in a b c d e; do
		describe "$number"
		check "$which, $words: memory as expected" is "$(said_in "$number" load)" 0
		check "$which: has $words" is "$(json "$number" '.huge_mib > 200')" "$([[ $words = huge* ]] && echo true || echo false)"
		check "$which, $words: begins remote" at_most "$(intervals "$number" '.[:1] | share')" 0.75
		check "$which, $words: comes about" holds "$number" "$which"
		number=$((number + 1))
	done
	# Each 2 MiB has one user, which waits when it comes by while they move; not for page after page of it.
	check "b, $words: threads sleep for a region once" at_most "$(slept 1)" $(($(migrated 1) * 2 / 512))
	# 49152 pages had to move; had memory moved half way, not threads, 65536 more would have.
	check "c, $words: threads change places" at_most "$(migrated 2)" 90112
}
