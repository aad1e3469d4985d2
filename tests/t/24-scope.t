#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Who is balanced: with scope=asked only what was asked for, told by each control group's own counters; control groups
# and all below them, moves into and out of them; children, exec, exclusion; what is left has no planted entry.
source "$(dirname "$0")/../lib.sh"

# Not the shell: what it starts would inherit its planted entries, wherever it is then.
asked="scope=asked min_process_mb=8"

make -s -C "$top/tools/ctl" OUT="$programs" || bail "autonumactl does not build"

guest "${standard_machine[@]}" --balancer autonuma --module-args "$asked" --file "$programs/autonumactl" <<'GUEST'
groups=/sys/fs/cgroup
echo +memory >$groups/cgroup.subtree_control
shape="private --threads 2 --mem 48 --stride 1024 --sweeps 1000000"

# group NAME: a new control group, whose children are counted, too
group() { mkdir -p "$groups/$1" && echo +memory >"$groups/$1/cgroup.subtree_control"; }

planted() { counter numa_pte_updates "$groups/$1/memory.stat"; }
faults() { counter numa_hint_faults "$groups/$1/memory.stat"; }
is_planted() { [ "$(planted "$1")" -gt "${2:-0}" ]; }

# settle: until memory.stat tells all that was before; it may be 2 s late
settle() { usleep 2500000; }

# load_in GROUP: a load that began there; its first process is $load_pid, the one with the threads $worker
load_in() {
	echo $$ >"$groups/$1/cgroup.procs"
	# shellcheck disable=SC2086 # words
	start_load $shape
	echo $$ >$groups/cgroup.procs
	worker=$(child_of "$load_pid")
}

# known PID: is it under balance?
known() { grep -q "process $1 " /sys/kernel/debug/autonuma/processes; }
unknown() { ! known "$1"; }

# end_all PID...: no report is wanted
end_all() {
	for pid; do kill -KILL "$pid"; done
	wait
}

# say NAME GROUP: its counters, in a line "NAME PLANTED FAULTS"
say() { echo "$1 $(planted "$2") $(faults "$2")"; }

# stands_still GROUP: nothing is planted there, and nothing faults, in the time of many passes
stands_still() {
	before="$(planted "$1") $(faults "$1")"
	wait_sweeps "$2" 25
	settle
	if [ "$before" = "$(planted "$1") $(faults "$1")" ]; then echo yes; else echo "no: $before, $(planted "$1") $(faults "$1")"; fi
}

begin 0	# two equal workloads, one asked for
mkdir $groups/one $groups/other
autonumactl enable --cgroup /one
echo "enable $?"
load_in one; one=$load_pid one_worker=$worker
load_in other; other=$load_pid other_worker=$worker
wait_until is_planted one
wait_sweeps $other 100
settle
say one one
say other other
autonumactl status --cgroup /one --json | tr -d '\n'; echo
autonumactl status --pid $other_worker --json | tr -d '\n'; echo
autonumactl explain $other_worker | sed 's/^/explained /'

begin 1	# out of it: nothing is left planted
autonumactl disable --pid $one_worker
echo "disable $?"
wait_until unknown $one_worker
settle
echo "still $(stands_still one $one)"
autonumactl default --pid $one_worker
wait_until is_planted one "$(planted one)"
echo "again yes"
end_all $one $other

begin 2	# a tree: asked for above, excluded in the middle, asked for again below; made later, too
group tree; group tree/a; mkdir $groups/tree/a/b
autonumactl enable --cgroup tree
autonumactl disable --cgroup tree/a
autonumactl enable --cgroup tree/a/b
mkdir $groups/tree/later $groups/tree/a/later
for name in later a/later a/b; do load_in tree/$name; done
wait_until is_planted tree/later
wait_until is_planted tree/a/b
wait_sweeps "$load_pid" 100
settle
say later tree/later
say a-later tree/a/later
say a-b tree/a/b

begin 3	# moves between control groups
mkdir $groups/out
load_in out; moved=$load_pid moved_worker=$worker
wait_sweeps $moved 50
settle
say before out
echo $moved_worker >$groups/tree/later/cgroup.procs
wait_until known $moved_worker
echo $moved_worker >$groups/out/cgroup.procs
wait_until unknown $moved_worker
settle
echo "still $(stands_still out $moved)"
killall -KILL load; wait

begin 4	# a removed control group takes its choice along
mkdir $groups/gone
autonumactl enable --cgroup gone
rmdir $groups/gone; mkdir $groups/gone
autonumactl status --cgroup gone --json | tr -d '\n'; echo

begin 5	# run: exec keeps it, children follow, a child of its own choice does not
mkdir $groups/run $groups/child $groups/apart
in_group() { sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$groups/$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9"; }
cat >/tmp/family <<'END'
#!/bin/sh
groups=/sys/fs/cgroup
sh -c "echo \$\$ >$groups/child/cgroup.procs; exec load $*" >/tmp/load.child 2>&1 &
sh -c "echo \$\$ >$groups/apart/cgroup.procs; autonumactl default --pid \$\$ && exec load $*" >/tmp/load.apart 2>&1 &
echo $$ >$groups/run/cgroup.procs
exec load "$@"
END
chmod 755 /tmp/family
# shellcheck disable=SC2086
autonumactl run -- /tmp/family $shape >/tmp/load.run 2>&1 &
wait_until is_planted run
wait_until is_planted child
settle
say apart apart
killall -KILL load; wait
autonumactl run -- sh -c 'exit 7'
echo "run-status $?"
autonumactl run -- /no/such/program 2>/dev/null
echo "run-missing $?"

begin 6	# all, but for what is excluded; a parameter changed while running
gear scope all
mkdir $groups/free $groups/excluded
autonumactl disable --cgroup excluded
load_in free; free=$load_pid free_worker=$worker
load_in excluded
wait_until is_planted free
wait_sweeps "$load_pid" 100
settle
say free free
say excluded excluded
gear scope asked
wait_until unknown $free_worker
settle
echo "still $(stands_still free $free)"

begin 7	# enabled=0, whatever was asked for, and back; choices outlive it
autonumactl enable --pid $free_worker
wait_until known $free_worker
gear enabled 0
settle
echo "still $(stands_still free $free)"
echo "threads $(ps | grep -c '[k]numa_')"
autonumactl status --pid $free_worker --json | tr -d '\n'; echo
gear enabled 1
wait_until known $free_worker
echo "again yes"

begin 8	# explain, beside numa_maps
wait_placed	# and looked at since: explain tells what the last pass has seen
passes=$(status scan_passes)
passed() { [ "$(status scan_passes)" -ge $((passes + 4)) ]; }
within 120 passed
autonumactl explain $free_worker --json | tr -d '\n'; echo
awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^N[0-9]+=/) { split($i, a, "="); n[substr(a[1], 2)] += a[2] } }
	END { print "maps", n[0] + 0, n[1] + 0, n[2] + 0, n[3] + 0 }' /proc/$free_worker/numa_maps
autonumactl explain $free_worker | sed 's/^/explained /'
killall -KILL load; wait

begin 9	# a budget and a rate of its own hold it back
mkdir $groups/slow
autonumactl enable --cgroup slow --rate 1 --budget 1
echo $$ >$groups/slow/cgroup.procs
read -r begun rest </proc/uptime
start_load private --threads 8 --mem 128 --stride 1024 --sweeps 1000000 --born 0 --spread	# more than fit on node 0
echo $$ >$groups/cgroup.procs
slow=$load_pid
wait_until is_planted slow
wait_sweeps $slow 100
is_held() { [ $(($(status why_scan_held_rate) + $(status why_not_queued_rate))) -gt 0 ]; }
within 60 is_held
read -r now rest </proc/uptime
echo "rate $(counter numa_pages_migrated $groups/slow/memory.stat) pages in $((${now%.*} - ${begun%.*} + 1)) s"
echo "held $(status why_scan_held_rate) $(status why_not_queued_rate)"
autonumactl status --cgroup slow --json | tr -d '\n'; echo
killall -KILL load; wait
echo "lost $(status choices_lost)"

begin 10	# in-tree balancing was on before: nothing of it is left in what nobody asked for
rmmod autonuma
echo 1 >/proc/sys/kernel/numa_balancing
mkdir $groups/old
load_in old; old=$load_pid old_worker=$worker
# how many of its threads have a preferred node
preferred() { cat /proc/$old_worker/task/*/sched | awk '/^numa_preferred_nid/ && $NF != -1 { n++ } END { print n + 0 }'; }
is_preferred() { [ "$(preferred)" -gt 0 ]; }
wait_until is_planted old
wait_until is_preferred
modprobe autonuma scope=asked
echo "loaded $?"
echo "preferred $(preferred)"
echo "taken $(status taken_back)"
settle
echo "still $(stands_still old $old)"
killall -KILL load; wait

begin 11	# a process whose main thread has ended is in the cgroup of the others
mkdir $groups/headless
autonumactl enable --cgroup headless
# shellcheck disable=SC2086 # words
start_load $shape --headless
worker=$(child_of "$load_pid")
echo $worker >$groups/headless/cgroup.procs
echo "leader $(awk '$1 == "State:" { print $2 }' /proc/$worker/status)"
within 30 known $worker
echo "asked $?"
autonumactl disable --cgroup headless
within 30 unknown $worker
echo "excluded $?"
killall -KILL load; wait
GUEST

guest_ended_well
# planted CASE NAME, faulted CASE NAME
planted() { said_in "$1" "$2" | cut -d' ' -f1; }
faulted() { said_in "$1" "$2" | cut -d' ' -f2; }
untouched() { check "$3: no planted entry" is "$(planted "$1" "$2")" 0; check "$3: no hinting fault" is "$(faulted "$1" "$2")" 0; }
touched() { check "$3: planted entries" at_least "$(planted "$1" "$2")" 1; }
# object CASE N FILTER: jq on the Nth JSON object of the case
object() { awk -v n="$1" '$1 == "case" { at = $2 } at == n && /^{/' "$work/out" | sed -n "$2p" | jq -r "$3"; }

check "asked for: accepted" is "$(said_in 0 enable)" 0
touched 0 one "asked for"
untouched 0 other "its equal, not asked for"
check "status: by the control group" is "$(object 0 1 .scope.source)" cgroup
check "status: one process" is "$(object 0 1 .scope.processes)" 1
check "status of the other: out" is "$(object 0 2 .scope.state)" out
check "explain of the other: nobody asked" like "$(said_in 0 explained)" '[Aa]sked'
check "disabled: accepted" is "$(said_in 1 disable)" 0
check "disabled: nothing planted any more, no fault left" is "$(said_in 1 still)" yes
check "default: its control group's choice holds again" is "$(said_in 1 again)" yes
touched 2 later "below what was asked for, made later"
untouched 2 a-later "below what was excluded, made later"
touched 2 a-b "asked for below that"
untouched 3 before "before the move"
check "moved in and out again: nothing planted any more, no fault left" is "$(said_in 3 still)" yes
check "a control group of the same name has no choice" is "$(object 4 1 .scope.source)" default
untouched 5 apart "a child with a choice of its own"
check "run: the program's status" is "$(said_in 5 run-status)" 7
check "run: no such program" is "$(said_in 5 run-missing)" 127
touched 6 free "all: not excluded"
untouched 6 excluded "all: excluded"
check "scope=asked while running: nothing planted any more" is "$(said_in 6 still)" yes
check "enabled=0: nothing planted any more" is "$(said_in 7 still)" yes
check "enabled=0: no thread of the module" is "$(said_in 7 threads)" 0
check "enabled=0: status says so" is "$(object 7 1 .scope.state)" stopped
check "enabled=1: the choice holds again" is "$(said_in 7 again)" yes
maps=$(said_in 8 maps)
for node in 0 1 2 3; do
	want=$(cut -d' ' -f$((node + 1)) <<<"$maps")
	got=$(object 8 1 ".pages[$node]")
	check "explain: pages on node $node ($got) as in numa_maps ($want), but for 1,024" at_most $((got > want ? got - want : want - got)) 1024
done
check "explain: threads with weights" at_least "$(object 8 1 '[.threads[] | select(.private != null)] | length')" 2
check "explain: decisions" at_least "$(object 8 1 '.decisions | length')" 1
read -r pages _ _ seconds _ <<<"$(said_in 9 rate)"
check "a rate of 1 MiB/s: $pages pages in $seconds s" at_most "$pages" $((256 * seconds + 256))
check "a rate: pages moved" at_least "$pages" 1
check "a rate: it held passes and pages back" at_least "$(awk '{ print $1 + $2 }' <<<"$(said_in 9 held)")" 1
check "in-tree on before: loaded" is "$(said_in 10 loaded)" 0
check "in-tree on before: no preferred node is left" is "$(said_in 10 preferred)" 0
check "in-tree on before: planted entries were taken back" at_least "$(said_in 10 taken)" 1
check "in-tree on before: nobody asked, no fault left" is "$(said_in 10 still)" yes
check "without a main thread: it has ended" is "$(said_in 11 leader)" Z
check "without a main thread: asked for by its cgroup" is "$(said_in 11 asked)" 0
check "without a main thread: excluded by it" is "$(said_in 11 excluded)" 0
check "no choice was lost" is "$(said_in 9 lost)" 0

# --- what explain and status say of the local share, beside the meter: all on node 0 in a dry run, then placed ---

guest "${standard_machine[@]}" --balancer autonuma --module-args "$asked" --file "$programs/autonumactl" \
	--meter "$work/meter" <<'GUEST'
start_load private --threads 8 --mem 128 --stride 1024 --sweeps 1000000 --born 0 --spread
worker=$(child_of "$load_pid")

# shares CASE OPTION...: asked for so, what is said when that has lasted for a while, ten times within the meter's
# interval, which ends with mark 2
shares() {
	begin "$1"
	shift
	autonumactl enable --pid $worker "$@"
	wait_sweeps $load_pid 150
	# What is told is of the last passes, of older ones less and less: it has to come where the meter is in the end.
	[ "$#" != 0 ] || within 180 says_local
	mark 3
	for time in 1 2 3 4 5 6 7 8 9 10; do
		wait_sweeps $load_pid 20
		autonumactl explain $worker --json | tr -d '\n'; echo
		autonumactl status --pid $worker --json | tr -d '\n'; echo
	done
	mark 2
}

says_local() { autonumactl status --pid $worker --json | grep -qE '"local_pm": *(9[0-9][0-9]|1000)'; }
shares 0 --dry-run
shares 1
kill -KILL $load_pid; wait
GUEST

guest_ended_well
# differ CASE FILTER: by how much the mean of what was said differs from the meter's share.
differ() {
	awk -v n="$1" '$1 == "case" { at = $2 } at == n && /^{/' "$work/out" | jq -s "[.[] | $2 // empty] | add / length / 1000" |
		awk -v b="$(local_whole "$1")" '{ d = $1 - b; print d < 0 ? -d : d }'
}
for case in 0 1; do
	name="$([[ $case = 0 ]] && echo "dry run" || echo placed), $(local_whole $case) by the meter"
	# Samples of 64 regions, which come together: 0.05 is their noise.
	check "explain: local share: $name" at_most "$(differ $case .process.local_pm)" 0.15
	check "status: local share: $name" at_most "$(differ $case .scope.local_pm)" 0.15
done
check "there were two shares to compare" at_least "$(awk -v a="$(local_whole 0)" -v b="$(local_whole 1)" 'BEGIN { print b - a }')" 0.2
finish
