#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A thread that was taken away from its preferred node comes back by a wake-up of one that is there.
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
prefers() { grep -q "^numa_preferred_nid *: *$1\$" /proc/$child/task/$sleeper/sched; }
wait_until prefers 1
gear balance_period_ms 60000
sleep 1
taskset -pc 0 $sleeper >/dev/null
usleep 300000
echo "away $(awk '{ print $39 }' /proc/$child/task/$sleeper/stat)"
taskset -pc 0-7 $sleeper >/dev/null
usleep 500000
back=0 n=0
while [ $n -lt 20 ]; do
	n=$((n + 1))
	case $(awk '{ print $39 }' /proc/$child/task/$sleeper/stat) in 2 | 3) back=$((back + 1)) ;; esac
	usleep 50000
done
echo "back $back"
prefers 1 && echo "still 1"
end_load $load_pid
rmmod autonuma
GUEST
guest_ended_well
check "taken away" is "$(said away)" 0
check "and back, of 20 times seen ($(said back))" at_least "$(said back)" 18
check "it still prefers that node" is "$(said still)" 1
finish
