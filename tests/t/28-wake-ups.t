#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A thread that was taken away from its preferred node comes back by a wake-up of one that is there, and a wake-up by one
# elsewhere does not take it away.
source "$(dirname "$0")/../lib.sh"

# CPUs 2 and 3 are those of node 1. Who is woken by a futex is left near the CPU it ran on last, if nobody else asks.
NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma <<'GUEST'
modprobe autonuma min_process_cpu_ms=0 scan_period_min_ms=100 || exit 1
start_load sleep --threads 2 --mem 32 --born 1 --stride 1024 --wake futex --sweeps 1000000
child=$(child_of $load_pid)
set -- $(ls /proc/$child/task | sort -n | tail -n 2)
waker=$1 sleeper=$2
taskset -pc 2 $waker >/dev/null
taskset -pc 2,3 $sleeper >/dev/null
# seen: how often of 20 times the sleeper is seen on node 1
seen() {
	there=0 n=0
	while [ $n -lt 20 ]; do
		n=$((n + 1))
		case $(cpu_of /proc/$child/task/$sleeper/stat) in 2 | 3) there=$((there + 1)) ;; esac
		usleep 50000
	done
	echo $there
}
prefers() { grep -q "^numa_preferred_nid *: *$1\$" /proc/$child/task/$sleeper/sched; }
wait_until prefers 1
gear balance_period_ms 60000
sleep 1
taskset -pc 0 $sleeper >/dev/null
usleep 300000
echo "away $(cpu_of /proc/$child/task/$sleeper/stat)"
home=$(status pulls_home)
taskset -pc 0-7 $sleeper >/dev/null
usleep 500000
echo "back $(seen)"
echo "told $(($(status pulls_home) - home))"
taskset -pc 0 $waker >/dev/null
usleep 300000
echo "stays $(seen)"
prefers 1 && echo "still 1"
end_load $load_pid
rmmod autonuma
GUEST
guest_ended_well
check "the load's status" is "$(said load)" 0
# The load balancer may have taken it elsewhere for a moment, the more so on a busy host; without the wake-ups it is 0 of 20.
check "taken away" is "$(said away)" 0
check "and back, of 20 times seen ($(said back))" at_least "$(said back)" 10
check "the wake-up is counted" at_least "$(said told)" 1
check "woken from another node it stays ($(said stays))" at_least "$(said stays)" 10
check "it still prefers that node" is "$(said still)" 1
finish
