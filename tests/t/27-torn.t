#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A huge page whose parts have owners on several nodes is taken apart, when and only when that pays, its parts go to their
# owners, and khugepaged does not put it together again. Here it looks at everything twice a second.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --with-module --meter "$work/meter" <<-'GUEST'
	khugepaged=/sys/kernel/mm/transparent_hugepage/khugepaged
	echo 65536 >$khugepaged/pages_to_scan
	echo 500 >$khugepaged/scan_sleep_millisecs
	echo 0 >$khugepaged/alloc_sleep_millisecs
	# try N LOAD...: case N
	try() {
		begin "$1"
		shift
		modprobe autonuma
		collapsed=$(counter thp_collapse_alloc)
		split=$(counter thp_split_page)
		load "$@" --mem 256 --born 0 --spread --stride 1024 --thp
		echo "load $?"
		echo "collapsed $(($(counter thp_collapse_alloc) - collapsed))"
		echo "split $(($(counter thp_split_page) - split))"
		for what in tried pays vain kept; do echo "$what $(status why_split_$what)"; done
		rmmod autonuma
	}
	try 0 stripe --threads 8 --sweeps 300
	try 1 procs --procs 2 --threads 4 --sweeps 40
	try 2 private --threads 8 --sweeps 120
GUEST
guest_ended_well

huge=128	# pages, of all the memory
note "owners in turn: local $(local_whole 0), by tenth $(local_by_tenth 0)"
for n in 0 1 2; do
	check "case $n: memory as expected" is "$(said_in $n load)" 0
	note "case $n: $(for what in split tried pays vain kept collapsed; do echo "$what $(said_in $n $what)"; done | tr '\n' ' ')"
done
check "owners in turn: taken apart" at_least "$(said_in 0 tried)" $((huge * 3 / 4))
check "and no other than those are split" is "$(said_in 0 split)" "$(said_in 0 tried)"
check "it pays" at_least "$(said_in 0 pays)" $((huge / 2))
check "parts go to their owners" at_least "$(local_settled 0 3)" 0.85
check "khugepaged wants them together" at_least "$(said_in 0 kept)" 100
check "and is kept from it" at_most "$(said_in 0 collapsed)" $((huge / 20))
check "all use all: hardly any is tried" at_most "$(said_in 1 tried)" $((huge / 8))
check "nor does it pay" at_most "$(said_in 1 pays)" 1
check "one owner: none is split" at_most "$(said_in 2 split)" 2
# The best tenth: the load balancer may take a thread away for a moment.
note "one owner: local $(local_whole 2), by tenth $(local_by_tenth 2)"
check "and they move whole" at_least "$(local_by_tenth 2 | tr ' ' '\n' | sort -g | tail -1)" 0.95
finish
