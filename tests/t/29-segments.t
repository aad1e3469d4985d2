#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Memory that several processes map. Where each uses a part of its own, though it maps all, every part comes to its
# process, for few faults; what all of them use has no better place, and is not moved from one to the other.
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
SCRIPT
)
GUEST

guest_ended_well
for case in 1 2 3 4; do note "case $case: $(said_in $case moved) moved, local by tenth: $(local_by_tenth $case)"; done
# common FUNCTION [ARG]: what it tells of the three
common() { for case in 2 3 4; do "$1" "$case" "${@:2}"; done; }
note "parts: $(said_in 1 faults) faults, common: $(common said_in faults | tr '\n' ' ')"
check "parts: each comes to its process" at_least "$(local_last_tenth 1)" 0.95
check "parts: three quarters of all pages had to move, and hardly more were" at_most "$(said_in 1 moved)" $((pages * 9 / 10))
check "parts: a fault for four pages at most" at_most "$(said_in 1 faults)" $((pages / 4))
check "common: nothing is gained" at_most "$(common local_last_tenth | middle)" 0.4
check "common: hardly anything moves" at_most "$(common said_in moved | middle)" $((pages / 4))
check "common: a fault for two pages at most, in 60 sweeps of 8 processes" at_most "$(common said_in faults | middle)" $((pages / 2))
finish
