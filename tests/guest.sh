# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the scripts of tests/t/*.t have in the guest (busybox sh).

parameters=/sys/module/autonuma/parameters

# begin N: what follows is case N, for the output and for the meter.
begin() {
	echo "case $1"
	mark $((100 + $1))
}

# gear NAME VALUE
gear() { echo "$2" >"$parameters/$1"; }

# status NAME: a value of autonuma's status
status() { awk -v name="$1" '$1 == name { print $2 }' /sys/kernel/debug/autonuma/status; }

# print_status: all of it, a line "status NAME VALUE" each
print_status() { sed -n 's/^[a-z_]* [0-9]*$/status &/p' /sys/kernel/debug/autonuma/status; }

# worker NODE: its migration worker's process, if it has one
worker() { ps -o pid,comm | awk -v name="knuma_migrated$1" '$2 == name { print $1 }'; }
# allowed PID: the CPUs on which it may run
allowed() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$1/status"; }

# cpu_of STAT...: the CPUs on which the threads of these files (/proc/PID/task/TID/stat) ran last
cpu_of() { awk '{ print $39 }' "$@" 2>/dev/null; }

# address SYMBOL: of the kernel
address() { awk -v name="$1" '$3 == name { print "0x" $1 }' /proc/kallsyms; }

# load_checker: an_check, with all it can tell
load_checker() { modprobe an_check numa_key="$(address sched_numa_balancing)" hooks_key="$(address autonuma_hooks_key)"; }

# report: what an_check finds now, in one line
report() { tr '\n' ' ' </sys/module/an_check/parameters/report; }

# region_objects: how many of the module's queued regions are allocated; "none" without their cache
region_objects() {
	[ ! -e /sys/kernel/slab/an_region ] || echo 1 >/sys/kernel/slab/an_region/shrink
	awk '$1 == "an_region" { n = $2 } END { print n == "" ? "none" : n }' /proc/slabinfo
}

# each_event PATTERN PROGRAM [END]: awk over the trace. Of each line that matches, `event` is autonuma's event, and
# value["NAME"] what it has as NAME=VALUE.
each_event() {
	awk "$1"' {
		split("", value)
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^autonuma_.*:$/) event = substr($i, 10, length($i) - 10)
			if (split($i, field, "=") == 2) value[field[1]] = field[2]
		}
		'"$2"'
	} END { '"${3:-}"' }' /sys/kernel/tracing/trace
}

# counter NAME [FILE]: a value of /proc/vmstat, or of a memory.stat, which may be 2 s late, but for who reads the
# group's cpu.stat before: that sums all of its statistics up.
counter() {
	case ${2:-} in */memory.stat) cat "${2%memory.stat}cpu.stat" >/dev/null ;; esac
	awk -v name="$1" '$1 == name { print $2 }' "${2:-/proc/vmstat}"
}

# MMU-notifier invalidations that reached KVM, counted by its tracepoint, in a buffer of its own: one for each process
# with a VM and each range. A full buffer loses old events, but counts them.
kvm_trace=/sys/kernel/tracing/instances/kvm
count_invalidations() { mkdir $kvm_trace && echo 1 >$kvm_trace/events/kvm/kvm_unmap_hva_range/enable; }
invalidations() { awk '/^(entries|overrun):/ { n += $2 } END { print n + 0 }' $kvm_trace/per_cpu/cpu*/stats; }

# interrupts NAME: TLB, RES, CAL ..., on all CPUs
interrupts() { awk -v name="$1:" '$1 == name { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }

children_of() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '$4 == parent { print $1 }'; }
# child_of PID: the first one
child_of() { children_of "$1" | head -n 1; }

# swept PID: how often every thread of that load has swept, by its own account (its output goes to /tmp/load.PID)
swept() {
	lines=$(grep -c '"sweeps"' "/tmp/load.$1")
	while [ "$(grep -c '"sweeps"' "/tmp/load.$1")" = "$lines" ]; do
		kill -USR1 "$1" || return 1
		usleep 20000
	done
	sed -n 's/.*"min":\([0-9]*\).*/\1/p' "/tmp/load.$1" | tail -n 1
}

# start_load OPTIONS: in the background, until it sweeps; its process is $load_pid
start_load() {
	sh -c 'exec load "$@" >/tmp/load.$$ 2>&1' sh "$@" &
	load_pid=$!
	wait_until grep -qs sweeps "/tmp/load.$load_pid"
}

# in_action PID COMMAND...: while that runs, memory of the process is taken back to node 0 again and again, so that there
# is something to move.
in_action() {
	moved_pid=$1
	shift
	"$@" &
	acting=$!
	while kill -0 $acting 2>/dev/null; do
		migratepages "$moved_pid" all 0 2>/dev/null
		usleep 500000
	done
	wait $acting
}

# wait_sweeps PID N: until every thread has done N more
wait_sweeps() {
	now=$(swept "$1") || { echo "load $1 has ended"; exit 1; }
	target=$((now + $2))
	while [ "$now" -lt "$target" ]; do
		usleep 100000
		now=$(swept "$1") || { echo "load $1 has ended"; exit 1; }
	done
}

# wait_until COMMAND...: until it succeeds; numalab's time limit ends what never comes.
wait_until() {
	until "$@"; do usleep 20000; done
}

# within SECONDS COMMAND...: whether it succeeds in that time
within() {
	read -r now rest </proc/uptime
	end=$((${now%.*} + $1))
	shift
	until "$@"; do
		read -r now rest </proc/uptime
		[ "${now%.*}" -lt $end ] || return 1
		usleep 50000
	done
}

# wait_placed: until nothing moves for four seconds
wait_placed() {
	moved=-1
	until [ "$(status migrated)" = "$moved" ]; do
		moved=$(status migrated)
		sleep 4
	done
}

# end_load PID: prints "load STATUS" and its last report
end_load() {
	kill -TERM "$1"
	wait "$1"
	echo "load $?"
	tail -n 1 "/tmp/load.$1"
}
