#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The full bypass on the debug kernel: rmmod and scan=0 in turn, each at an instant at which pages are planted, queued
# and moving, under a storm of fork, exec, exit, mmap, munmap, mremap, mprotect, and of huge pages that are made and
# split. In-tree balancing was on before, or off; in some cycles a program goes on writing to the sysctl as
# systemd-sysctl does, until the stop or beyond it. After each stop an_check walks all page tables and tasks.
#
# In-tree balancing that is back on plants nothing here, by its own delay: what is found planted is of autonuma.
source "$(dirname "$0")/../lib.sh"

cycles=$(long_or_short 100 6)

NUMALAB_NOLOAD=1 guest --config debug --nodes 2 --cpus 4 --mem 512 --balancer autonuma --module "$tests/kmod" \
	--append slab_nomerge <<GUEST
cycles=$cycles
$(cat <<'SCRIPT'
sysctl=/proc/sys/kernel/numa_balancing
thp=/sys/kernel/mm/transparent_hugepage
echo always >$thp/enabled
echo advise >$thp/shmem_enabled
echo 10 >$thp/khugepaged/scan_sleep_millisecs
echo 10 >$thp/khugepaged/alloc_sleep_millisecs
echo 100000000 >/sys/kernel/debug/sched/numa_balancing/scan_delay_ms
# Which a shell forked from here on has; this one began with another, and is scanned once it has run for a second.
(

start() {
	if [ -e $parameters ]; then
		gear migrate $mode
		gear scan 1
	else
		modprobe autonuma migrate=$mode scan_period_min_ms=50 min_process_cpu_ms=0 min_process_mb=1 migrate_batch=16
	fi
}

# Writes 1 and 0 in turn, N times at most or until there is /tmp/enough; what was taken last is in /tmp/written.
write_sysctl() {
	granted=0 refused=0 value=0 left=$1
	while [ $left -gt 0 ] && [ ! -e /tmp/enough ]; do
		value=$((1 - value)) left=$((left - 1))
		if echo $value 2>/dev/null >$sysctl; then
			echo $value >/tmp/written
			granted=$((granted + 1))
		else
			refused=$((refused + 1))
		fi
		usleep 5000
	done
	echo "cycle $n granted $granted"
	echo "cycle $n refused $refused"
}

leftovers() {
	if [ "$1" = rmmod ] && [ -e /sys/module/autonuma ]; then echo "module"; fi
	ps -o comm | grep knuma
}

# The storm is too nice to carry anything. A program that is not, and always has something to bring.
keep_carrying() {
	renice -n 10 -p $(sh -c 'echo $PPID') >/dev/null	# from -10 to 0
	start_load private --mem 16 --threads 2 --stride 1024 --sweeps 100000000
	trap 'end_load $load_pid; exit' TERM
	while :; do
		migratepages $(child_of $load_pid) all 0
		usleep 500000
	done
}

# cycle WAY BEFORE WRITER: WRITER is none, until (the stop) or beyond (it)
cycle() {
	rm -f /tmp/enough
	echo "$2" | tee /tmp/written >$sysctl
	if [ "$3" = beyond ]; then write_sysctl 1000000 & writer=$!; fi
	start || exit 1
	if [ "$3" = until ]; then write_sysctl 20; fi
	echo "cycle $n charge $(cat $sysctl)"
	if [ $mode = thread ]; then keep_carrying & carrier=$!; fi
	if [ "$1" = scan ]; then before=$(status taken_back); fi
	if [ "$1" = scan ]; then stopped=$(unload --scan); else stopped=$(unload); fi
	echo "cycle $n at once $(report)"
	echo "cycle $n $(echo $stopped)"
	if [ $mode = thread ]; then kill $carrier; wait $carrier; fi
	if [ "$3" = beyond ]; then touch /tmp/enough; wait $writer; fi
	echo "cycle $n modes $(cat $sysctl /tmp/written | tr '\n' ' ')"
	if [ "$1" = scan ]; then echo "cycle $n taken_back $(($(status taken_back) - before))"; fi
	echo "cycle $n left none $(leftovers "$1" | tr '\n' ' ')"
	echo "cycle $n regions $(region_objects)"
	echo "cycle $n complaints $(dmesg -c | grep -cE 'left to the fault path|still turn up')"
	echo "cycle $n later $(report)"
}

load_checker
# Or every command, and the gears, would wait for the storm.
sh -c 'renice -n 10 -p $$; exec storm --mem 64 --workers 2 --threads 2' >/tmp/storm 2>&1 &
storm=$!
renice -n -10 -p $(sh -c 'echo $PPID') >/dev/null
n=0
while [ $n -lt $cycles ]; do
	way=rmmod writer=none
	if [ $((n % 2)) = 1 ]; then way=scan; fi
	mode=async
	if [ $((n / 2 % 2)) = 1 ]; then mode=thread; fi	# which have regions in hand at that instant
	case $((n / 2 % 3)) in 1) writer=until ;; 2) writer=beyond ;; esac
	cycle $way $(((n / 2 + n / 6) % 2)) $writer
	n=$((n + 1))
done
kill $storm
wait $storm
echo "storm $?"
cat /tmp/storm
for name in thp_split_pmd thp_split_page thp_collapse_alloc; do echo "vmstat $name $(counter $name)"; done
) || exit 1
SCRIPT
)
GUEST

guest_ended_well

# found CYCLE WHEN NAME: what an_check said
found() { said "cycle $1 $2" | tr ' ' '\n' | awk -v name="$3" 'want { print; exit } $0 == name { want = 1 }'; }

for ((n = 0; n < cycles; n++)); do
	what="cycle $n: $( ((n % 2)) && echo scan=0 || echo rmmod)"
	check "$what: planted, queued and moving pages" like "$(said "cycle $n instant")" '^[1-9][0-9]* [1-9][0-9]* [1-9][0-9]* (unloaded|stopped) took'
	check "$what: the sysctl reads 0 before" is "$(said "cycle $n charge")" 0
	for when in "at once" later; do
		check "$what: page tables were looked at, $when" at_least "$(found "$n" "$when" pages)" 1000
		check "$what: no planted entry, $when" is "$(found "$n" "$when" planted)" 0
		check "$what: no preferred node, $when" is "$(found "$n" "$when" preferred)" 0
		check "$what: no probe, $when" is "$(found "$n" "$when" probes)" 0
		check "$what: no hook, $when" is "$(found "$n" "$when" hooks_key)" 0
	done
	read -r mode written < <(said "cycle $n modes")
	check "$what: the mode as it was last written" is "$mode" "$written"
	check "$what: and it acts" is "$(found "$n" later numa_key)" "$mode"
	check "$what: no module, no thread" is "$(said "cycle $n left")" "none "
	if ((n % 2)); then
		check "$what: planted entries were taken back" at_least "$(said "cycle $n taken_back")" 1
		check "$what: no queued region" is "$(said "cycle $n regions")" 0
	else
		check "$what: no cache of queued regions" is "$(said "cycle $n regions")" none
	fi
	check "$what: no process was left, no end to the passes" is "$(said "cycle $n complaints")" 0
	if ((n / 2 % 3)); then
		check "$what: writes of 1 were refused" at_least "$(said "cycle $n refused")" 1
		check "$what: writes of 0 were taken" at_least "$(said "cycle $n granted")" 1
	fi
done
check "memory as expected in the storm" is "$(said storm)" 0
for name in map unmap trim hole resize move protect advise split fork thread; do
	check "there was: $name" at_least "$(json '' ".$name")" 10
done
check "there was: exec" at_least "$(json '' .execs)" 5
for name in thp_split_pmd thp_split_page thp_collapse_alloc; do
	check "there was: $name" at_least "$(said "vmstat $name")" 1
done
finish
