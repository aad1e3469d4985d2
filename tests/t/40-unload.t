#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# rmmod while pages are planted, queued and moving, at an instant at which all three are seen to be, 20 times over (6 in
# the short form): with in-tree balancing off before, and with it on before. Programs go on, and nothing of ours is left.
# Every third time threads carry their regions themselves (migrate=thread): then some of them do at that instant.
source "$(dirname "$0")/../lib.sh"

cycles=$(long_or_short 20 6)
mode_of='if [ $((n % 3)) = 2 ]; then mode=thread; else mode=async; fi'

NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma <<GUEST
cycles=$cycles
mode_of() { $mode_of; }
$(cat <<'SCRIPT'
start_load private --mem 64 --stride 1024 --sweeps 1000000 --fork --thp
private=$load_pid
start_load procs --mem 32 --stride 1024 --sweeps 1000000
procs=$load_pid

# How many threads of the loads have a preferred node.
preferred() {
	for pid in $private $procs; do
		for child in $(children_of "$pid"); do
			cat /proc/$child/task/*/sched 2>/dev/null
		done
	done | awk '/^numa_preferred_nid/ && $NF != -1 { n++ } END { print n + 0 }'
}

leftovers() {
	[ ! -e /sys/module/autonuma ] || echo "module"
	[ ! -e /sys/kernel/debug/autonuma ] || echo "debugfs"
	ps -o comm | grep knuma
}

n=0
while [ $n -lt $cycles ]; do
	echo $((n % 2)) >/proc/sys/kernel/numa_balancing
	mode_of
	modprobe autonuma migrate=$mode scan_period_min_ms=50 min_process_cpu_ms=0 migrate_batch=16 || exit 1
	echo "cycle $n loaded $(cat /proc/sys/kernel/numa_balancing)"
	echo "cycle $n $(in_action $(child_of $private) unload | tr '\n' ' ')"
	faults=$(counter numa_hint_faults)
	wait_sweeps $private 2
	wait_sweeps $procs 2
	echo "cycle $n faults $(($(counter numa_hint_faults) - faults))"
	echo "cycle $n after $(cat /proc/sys/kernel/numa_balancing)"
	echo "cycle $n left none $(leftovers | tr "\n" " ")"
	if [ $((n % 2)) = 0 ]; then echo "cycle $n preferred $(preferred)"; fi
	n=$((n + 1))
done

# In-tree balancing works as if nothing had been: it plants in a new process.
echo 1 >/proc/sys/kernel/numa_balancing
planted=$(counter numa_pte_updates)
start_load private --mem 32 --threads 2 --stride 1024 --sweeps 1000000 --born 0
new=$load_pid
more_planted() { [ "$(counter numa_pte_updates)" -gt "$((planted + 1000))" ]; }
wait_until more_planted
echo "in-tree resumed"
for pid in $private $procs $new; do
	end_load $pid
done
SCRIPT
)
GUEST

guest_ended_well
for ((n = 0; n < cycles; n++)); do
	before=$((n % 2))
	eval "$mode_of"
	check "cycle $n, $mode: planted, queued and moving when unloaded" like "$(said "cycle $n instant")" \
		'^[1-9][0-9]* [1-9][0-9]* [1-9][0-9]* unloaded'
	check "cycle $n: in charge while loaded" is "$(said "cycle $n loaded")" 0
	check "cycle $n: the sysctl as it was" is "$(said "cycle $n after")" $before
	check "cycle $n: no module, file or thread left" is "$(said "cycle $n left")" "none "
	if ((before == 0)); then
		check "cycle $n: the programs go on without a hinting fault" is "$(said "cycle $n faults")" 0
		check "cycle $n: no preferred node left" is "$(said "cycle $n preferred")" 0
	else
		check "cycle $n: the programs go on" like "$(said "cycle $n faults")" '^[0-9]+$'
	fi
done
check "in-tree balancing resumes" is "$(said in-tree)" resumed
check "memory as expected in all programs" is "$(said load | tr '\n' ' ')" "0 0 0 "
finish
