#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Memory that several processes map. Where each uses a part of its own, though it maps all, every part comes to its
# process, for few faults; what all of them use has no better place, and is not moved from one to the other, be it that
# some of them are asked more often than the rest, be it in huge pages, or mapped elsewhere by each of them, so that their
# page tables begin with different pages of it; what all users of are on one node comes to that.
source "$(dirname "$0")/../lib.sh"

pages=$((64 * 256))

NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma --meter "$work/meter" <<GUEST
most=$((pages * 2 / 3))
$(cat <<'SCRIPT'
segment="segment --procs 8 --mem 64 --born 0 --spread --stride 1024"
moved_most() { [ "$(status migrated)" -ge $most ]; }

# Faults are counted when the parts are in place: a program that runs on has a few more with each pass, and how many
# passes there are while so many sweeps are made depends on how long these take.
modprobe autonuma
begin 1
start_load $segment --parts --sweeps 1200
within 120 moved_most
wait_placed
echo "faults $(status faults)"
wait $load_pid || exit 1
echo "moved $(status migrated)"
rmmod autonuma

# Three times: where the host lets some of the CPUs wait, others look as if they had the memory to themselves.
for case in 2 3 4; do
	modprobe autonuma
	begin $case
	load $segment --sweeps 60 >/tmp/out || exit 1
	echo "faults $(status faults)"
	echo "moved $(status migrated)"
	rmmod autonuma
done

# Long enough for the rest to be at rest, while the balancer moves some of them about, and these are asked often.
for case in 5 6 7; do
	modprobe autonuma
	begin $case
	load segment --procs 6 --mem 64 --born 0 --spread --stride 1024 --sweeps 250 >/tmp/out || exit 1
	echo "moved $(status migrated)"
	rmmod autonuma
done

for case in 9 10 11; do
	modprobe autonuma
	begin $case
	load segment --procs 6 --mem 64 --born 0 --spread --stride 1024 --sweeps 250 --apart >/tmp/out || exit 1
	echo "faults $(status faults)"
	echo "moved $(status migrated)"
	rmmod autonuma
done

modprobe autonuma
begin 12
start_load $segment --parts --apart --sweeps 1200
wait $load_pid || exit 1
rmmod autonuma

# A shared mapping of one process, as virtual machines may have: as its own memory.
modprobe autonuma
begin 16
load private --shared --threads 8 --mem 64 --born 0 --spread --stride 1024 --sweeps 1200 >/tmp/out || exit 1
echo "moved $(status migrated)"
rmmod autonuma

echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
for case in 13 14 15; do
	modprobe autonuma
	begin $case
	start_load segment --thp --procs 6 --mem 64 --born 0 --spread --stride 1024 --sweeps 250
	echo "huge $(awk '$1 == "ShmemPmdMapped:" { print $2 }' /proc/meminfo)"
	wait $load_pid || exit 1
	echo "moved $(status migrated)"
	rmmod autonuma
done

# They begin on several nodes, and then are all on node 1.
groups=/sys/fs/cgroup
to_node_1() { for pid in $(pidof load); do echo $pid >$groups/one/cgroup.procs; done; }
mkdir $groups/one
echo +cpuset >$groups/cgroup.subtree_control
echo 2-3 >$groups/one/cpuset.cpus
modprobe autonuma
begin 8
start_load segment --procs 2 --mem 64 --born 0 --spread --stride 1024 --sweeps 600
sleep 1
to_node_1
within 120 moved_most
echo "came $?"
wait $load_pid || exit 1
SCRIPT
)
GUEST

guest_ended_well
for case in 1 2 3 4 5 6 7 9 10 11 12 13 14 15 16; do note "case $case: $(said_in $case moved) moved, local by tenth: $(local_by_tenth $case)"; done
# of CASES FUNCTION [ARG]: what it tells of them
of() { for case in $1; do "$2" "$case" "${@:3}"; done; }
common() { of "2 3 4" "$@"; }
note "parts: $(said_in 1 faults) faults, common: $(common said_in faults | tr '\n' ' ')"
check "parts: each comes to its process" at_least "$(local_last_tenth 1)" 0.95
check "parts: three quarters of all pages had to move, and hardly more were" at_most "$(said_in 1 moved)" $((pages * 9 / 10))
check "parts: a fault for four pages at most" at_most "$(said_in 1 faults)" $((pages / 4))
check "common: nothing is gained" at_most "$(common local_last_tenth | middle)" 0.4
check "common: hardly anything moves" at_most "$(common said_in moved | middle)" $((pages / 4))
check "common: a fault for two pages at most, in 60 sweeps of 8 processes" at_most "$(common said_in faults | middle)" $((pages / 2))
check "longer: hardly anything moves" at_most "$(of "5 6 7" said_in moved | middle)" $((pages / 4))
check "apart: hardly anything moves" at_most "$(of "9 10 11" said_in moved | middle)" $((pages / 4))
check "apart: a fault for a page at most, in 250 sweeps of 6 processes" at_most "$(of "9 10 11" said_in faults | middle)" $pages
check "parts, apart: most of each comes to its process" at_least "$(local_last_tenth 12)" 0.6
check "one process's: each thread's comes to it" at_least "$(local_last_tenth 16)" 0.95
check "one process's: hardly more than three quarters of all pages" at_most "$(said_in 16 moved)" $((pages * 9 / 10))
check "huge pages: most are" at_least "$(of "13 14 15" said_in huge | middle)" $((pages * 2))
check "huge pages: hardly any moves" at_most "$(of "13 14 15" said_in moved | middle)" $((pages / 4))
check "all users on one node: it comes there" is "$(said_in 8 came)" 0
check "all users on one node: all is local there" at_least "$(local_last_tenth 8)" 0.95
finish
