#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Who is bound is left alone: a process bound by numactl and one in a cpuset of one node get no planted entry, while a
# free process beside them does. Counted for each by its own control group.
source "$(dirname "$0")/../lib.sh"

# The shell, from which all inherit their first entries, is smaller than 8 MiB.
guest "${standard_machine[@]}" --balancer autonuma --module-args min_process_mb=8 <<'GUEST'
groups=/sys/fs/cgroup
echo +memory +cpuset >$groups/cgroup.subtree_control
for name in bound cpuset free; do mkdir $groups/$name; done
echo 0 >$groups/cpuset/cpuset.mems
echo 0-1 >$groups/cpuset/cpuset.cpus

# in_group NAME COMMAND...: with the result in a line "NAME ..."
in_group() {
	name=$1
	shift
	sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$groups/$name" "$@" >"/tmp/$name" 2>&1
	echo "$name-status $?"
}
run() { in_group "$1" $2 load private --threads 4 --mem 64 --stride 1024 --sweeps 200 & }
run bound "numactl --cpunodebind=0 --membind=0"
run cpuset ""
run free ""
wait
for name in bound cpuset free; do
	echo "$name-planted $(counter numa_pte_updates $groups/$name/memory.stat)"
	echo "$name-faults $(counter numa_hint_faults $groups/$name/memory.stat)"
	cat /tmp/$name
done
GUEST

guest_ended_well
for name in bound cpuset; do
	check "$name: ran as expected" is "$(said $name-status)" 0
	check "$name: no planted entry" is "$(said $name-planted)" 0
	check "$name: no hinting fault" is "$(said $name-faults)" 0
done
check "free: ran as expected" is "$(said free-status)" 0
check "free: planted entries" at_least "$(said free-planted)" 1
check "free: hinting faults" at_least "$(said free-faults)" 1
finish
