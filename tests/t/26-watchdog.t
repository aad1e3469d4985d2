#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What does not pay is put to rest by itself, says so, costs nothing at rest, and is tried again; what pays is not.
source "$(dirname "$0")/../lib.sh"

make -s -C "$top/tools/ctl" OUT="$programs" || bail "autonumactl does not build"

guest "${standard_machine[@]}" --balancer autonuma --module-args "scope=asked scan_period_max_ms=300" --file "$programs/autonumactl" <<'GUEST'
groups=/sys/fs/cgroup
echo +memory >$groups/cgroup.subtree_control
mkdir $groups/vain $groups/good

load_in() {
	echo $$ >"$groups/$1/cgroup.procs"
	shift
	start_load "$@"
	echo $$ >$groups/cgroup.procs
}
state() { autonumactl status --cgroup "$1" --json | tr -d '\n'; echo; }
is_state() { autonumactl status --cgroup "$1" --json | grep -q "\"state\": *\"$2\""; }
planted() { counter numa_pte_updates "$groups/$1/memory.stat"; }

begin 0	# every page is used by threads of all nodes: nothing can be gained
autonumactl enable --cgroup vain
load_in vain subpage --threads 8 --mem 64 --stride 512 --sweeps 1000000
vain=$load_pid
within 400 is_state vain resting
echo "rests $?"
state vain
echo "reason $(status why_rest_no_gain) $(status why_rest_returns) $(status why_rest_stalls)"
echo "log $(dmesg | grep -c 'autonuma: cgroup [0-9]* rests for')"
autonumactl status --cgroup vain | sed 's/^/says /'
usleep 2500000	# memory.stat may be 2 s late
before="$(planted vain) $(counter numa_hint_faults $groups/vain/memory.stat) $(counter numa_pages_migrated $groups/vain/memory.stat)"
usleep 1000000
is_state vain resting && echo "quiet $([ "$before" = "$(planted vain) $(counter numa_hint_faults $groups/vain/memory.stat) $(counter numa_pages_migrated $groups/vain/memory.stat)" ] && echo yes)"

rests() { autonumactl status --cgroup "$1" --json | sed -n 's/.*"rests": *\([0-9]*\).*/\1/p'; }

begin 1	# tried again, and at rest again for longer; unless a few more accesses were local by chance, then it is the next
for again in 1 2 3 4; do
	within 100 is_state vain active
	resumed=$?
	within 400 is_state vain resting
	rests=$?
	[ "$(rests vain)" != 2 ] || break
done
echo "resumed $resumed"
echo "rests $rests"
state vain
kill -KILL $vain; wait

begin 2	# what pays is left alone
autonumactl enable --cgroup good
load_in good private --threads 8 --mem 128 --stride 1024 --sweeps 1000000 --born 0 --spread
wait_sweeps $load_pid 600
state good
kill -KILL $load_pid; wait
GUEST

guest_ended_well
object() { awk -v n="$1" '$1 == "case" { at = $2 } at == n && /^{/' "$work/out" | sed -n "$2p" | jq -r "$3"; }
check "what cannot be gained is put to rest" is "$(said_in 0 rests)" 0
check "status: resting" is "$(object 0 1 .scope.state)" resting
check "status: for how long" at_least "$(object 0 1 .scope.rest_ms)" 1
check "status: why" like "$(object 0 1 '.why | tostring')" 'no_gain|returns|stalls'
check "counted, with its reason" at_least "$(said_in 0 reason | awk '{ print $1 + $2 + $3 }')" 1
check "the log says so" at_least "$(said_in 0 log)" 1
check "at rest nothing is planted, faults or moves" is "$(said_in 0 quiet)" yes
check "it is tried again" is "$(said_in 1 resumed)" 0
check "it is put to rest again" is "$(said_in 1 rests)" 0
check "the second time in a row" is "$(object 1 1 .scope.rests)" 2
check "what pays is not put to rest" is "$(object 2 1 .scope.state)" active
check "what pays: no rest" is "$(object 2 1 .scope.rests)" 0
finish
