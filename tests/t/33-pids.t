#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Pages keep eight bits of the pid that used them last, and all ones are nobody's. A thread with such a pid has its memory
# follow it like any other: of eight threads with huge pages of their own, all have them near in the end.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --balancer autonuma --meter "$work/meter" <<-'GUEST'
	# pids_up_to N: until the last one given leaves so much when divided by 256
	pids_up_to() {
		while :; do
			true &
			[ $(($! % 256)) != "$1" ] || break
		done
		wait
	}
	begin 0
	pids_up_to 249
	load private --threads 8 --mem 256 --born 0 --spread --stride 1024 --thp --sweeps 150 &
	load_pid=$!
	usleep 2000000	# without a process of our own, which would take a pid
	for thread in /proc/"$(child_of "$load_pid")"/task/*; do
		[ $((${thread##*/} % 256)) != 255 ] || echo "nobody ${thread##*/}"
	done
	wait "$load_pid"
	echo "load $?"
GUEST
guest_ended_well

check "memory as expected" is "$(said load)" 0
note "thread $(said nobody): local $(local_whole 0), by tenth $(local_by_tenth 0)"
check "one of the threads has a pid that looks like nobody's" at_least "$(said nobody)" 255
check "memory follows all of them" at_least "$(local_settled 0 3)" 0.95
finish
