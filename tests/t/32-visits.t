#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Memory that all nodes use goes to the node that uses it most, if there is one. Of ten pages that a thread uses, seven
# are its own and three anywhere, so at best 0.7 and a quarter of 0.3 are local: 0.775. In-tree balancing leaves 0.60.
# Where all threads use all of the memory alike nobody leads, and none of it moves for that.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --with-module --meter "$work/meter" <<-'GUEST'
	# try N PARAMETERS LOAD...: case N
	try() {
		begin "$1"
		modprobe autonuma $2
		shift 2
		load "$@" --mem 256 --born 0 --spread --stride 1024
		echo "load $?"
		for what in fault_led fault_follow_leader queued_follow_leader; do echo "$what $(status why_$what)"; done
		echo "faults $(status faults)"
		rmmod autonuma
	}
	try 0 "" visit --sweeps 250
	try 1 migrate=thread visit --sweeps 250
	try 2 "" procs --procs 1 --threads 8 --sweeps 40
	try 3 migrate=fault visit --sweeps 60

	# Once memory is in place, each thread is sent to the next node, and kept there.
	begin 4
	modprobe autonuma
	start_load visit --mem 256 --born 0 --spread --stride 1024 --sweeps 1000000
	wait_sweeps $load_pid 200
	mark 3
	wait_sweeps $load_pid 40
	mark 2
	for thread in /proc/$(child_of $load_pid)/task/*; do
		node=$((($(cpu_of $thread/stat) / 2 + 1) % 4))
		taskset -pc $((2 * node)),$((2 * node + 1)) ${thread##*/} >/dev/null
	done
	for i in 1 2 3 4 5; do
		wait_sweeps $load_pid 200
		mark 2
	done
	end_load $load_pid
GUEST
guest_ended_well

regions=128	# of all the memory
for n in 0 1 2 3 4; do check "case $n: memory as expected" is "$(said_in $n load)" 0; done
for n in 0 1 2 3; do
	note "case $n: local $(local_whole $n), by tenth $(local_by_tenth $n); $(said_in $n faults) faults," \
		"$(said_in $n queued_follow_leader) regions to who leads"
done
for n in 0 1; do
	check "case $n: regions go to who leads" at_least "$(said_in $n queued_follow_leader)" $((regions / 16))
	check "case $n: and stay there" at_least "$(said_in $n fault_led)" $regions
	check "case $n: most accesses are local" at_least "$(local_settled $n 3)" 0.66
done
note "threads go: local $(intervals 4 'map([.] | share) | join(" ")')"
check "before threads go: most accesses are local" at_least "$(intervals 4 '.[:1] | share')" 0.66
check "memory follows them" at_least "$(intervals 4 '.[1:] | map([.] | share) | max')" 0.66
check "all use all: hardly any has a leader" at_most "$(said_in 2 queued_follow_leader)" $((regions / 8))
check "page by page nobody leads" is "$(said_in 3 fault_led) $(said_in 3 fault_follow_leader)" "0 0"
finish
