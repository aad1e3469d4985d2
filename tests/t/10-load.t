#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The workload program itself: it is placed as it says, it shares as it says, and no damage to memory escapes it.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --balancer none --meter "$work/meter" <<'GUEST'
# Free pages that CPUs keep for themselves are not in MemFree: by default up to a thirtieth of a node's memory each.
echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction	# of a node's pages, so one: the least there is

run() {
	begin "$1"
	shift
	load "$@" --mem 64 --sweeps "$sweeps"
	echo "status $?"
}
sweeps=12
run 0 procs --bind hard
run 1 procs --bind inverse
run 2 private --bind hard --thp
run 3 private --bind inverse
run 4 stripe --bind hard
sweeps=96	# so that what single threads get evens out; with 30 marks, the most unless more are asked for
run 5 procs --born 0 --spread
run 6 private --born 0 --spread
sweeps=12
run 7 phase --born 0 --fork
run 8 table --born 0
run 9 big --spread
sweeps=6
run 11 procs --procs 2 --threads 4 --bind hard
run 12 procs --procs 2 --threads 4 --bind inverse
run 13 subpage --threads 4 --bind hard
run 14 hot --bind inverse
run 15 pipe --bind hard
run 16 sleep --wake pipe --bind hard
run 17 sleep --wake futex --bind inverse
run 18 sleep --wake timer --threads 16 --bind hard
run 19 short --life 4 --born 0 --spread
run 20 tree --bind hard
run 21 tree --born 0 --spread
run 22 segment --procs 40 --bind hard
run 23 segment --parts --bind inverse
run 24 segment --parts --born 0 --spread
run 26 procs --procs 2 --threads 4 --in-order --bind hard
run 28 visit --bind hard
run 29 visit --bind inverse
run 27 stripe --in-order --bind inverse

# Memory nearly full, until the program ends
free_on() { awk -v name="$2:" '$3 == name { print $4 }' "/sys/devices/system/node/node$1/meminfo"; }
# Who ended just before may still be giving memory back, which would be missing from what is filled: wait for it.
free_kib() { awk '$1 == "MemFree:" { print $2 }' /proc/meminfo; }
at_rest() { was=$(free_kib) && usleep 300000 && [ "$(free_kib)" -lt $((was + 1024)) ]; }
wait_until at_rest
begin 25
start_load private --fill 80 --mem 64 --sweeps 1000000
for node in 0 1 2 3; do echo "full $node $(($(free_on $node MemFree) * 100 / $(free_on $node MemTotal)))"; done
end_load "$load_pid"
echo "after $(($(free_on 3 MemFree) * 100 / $(free_on 3 MemTotal)))"

# Damage: a page of zeros through /proc/PID/mem, into what is the largest mapping of a sweeping process.
begin 10
start_load big --mem 16 --threads 2 --sweeps 1000000
child=$(child_of "$load_pid")
most=0
while read -r range perms _ _ inode path; do
	size=$((0x${range#*-} - 0x${range%-*}))
	if [ "$perms$inode$path" = rw-p0 ] && [ "$size" -gt "$most" ]; then most=$size start=$((0x${range%-*})); fi
done <"/proc/$child/maps"
page=$((start / 4096 + 1024))
dd if=/dev/zero of="/proc/$child/mem" bs=4096 seek="$page" count=1 conv=notrunc 2>/dev/null || echo "dd failed"
wait_sweeps "$load_pid" 4
end_load "$load_pid"
GUEST

guest_ended_well
for n in 0 1 2 3 4 5 6 7 8 9; do
	check "case $n: memory as expected" is "$(said_in $n status)" 0
done
for n in 11 12 13 14 15 16 17 18 19 20 21 22 23 24 26 27 28 29; do
	check "case $n: memory as expected" is "$(said_in $n status)" 0
done
check "procs, hard bind: all local" at_least "$(local_whole 0)" 0.95
check "procs, inverse bind: all remote" at_most "$(local_whole 1)" 0.05
check "private, hard bind: all local" at_least "$(local_whole 2)" 0.95
check "private, hard bind: huge pages" is "$(json 2 .huge_mib)" 64
check "private, inverse bind: all remote" at_most "$(local_whole 3)" 0.05
check "stripe, hard bind: all local" at_least "$(local_whole 4)" 0.95
for n in 5 6; do
	check "case $n: born on node 0, threads on all nodes: a quarter is local" at_least "$(local_whole $n)" 0.15
	check "case $n: and not much more" at_most "$(local_whole $n)" 0.40
	check "case $n: no huge pages" is "$(json $n .huge_mib)" 0
	check "case $n: its memory is on node 0" at_least "$(intervals $n 'sum(.miss | map(.[0]) | add) / all')" 0.95
done
check "all intervals are there" is "$(intervals 5 length)" 30
check "children came and went" at_least "$(json 7 .children)" 10
check "the threads swept as often as they had to" at_least "$(json 6 .min)" 96

# between CASE LOW HIGH WORDS: its local share
between() {
	check "$4: at least" at_least "$(local_whole "$1")" "$2"
	check "$4: at most" at_most "$(local_whole "$1")" "$3"
}
between 11 0.40 0.60 "four threads that share, on two nodes: half is local"
between 12 0.00 0.05 "two processes inverted: nothing is local"
between 13 0.40 0.60 "words in turn, on two nodes: half is local"
between 14 0.00 0.05 "hot, inverse bind"
between 15 0.90 1.00 "producers and consumers, hard bind"
between 16 0.90 1.00 "woken by a pipe, hard bind"
between 17 0.00 0.05 "woken by a futex, inverse bind"
between 18 0.90 1.00 "woken by a timer, hard bind"
between 20 0.50 0.80 "tree, hard bind: what is its own, and some of what it reads"
between 22 0.15 0.35 "a segment shared by processes everywhere: a quarter is local"
between 23 0.00 0.05 "parts of a segment, inverse bind"
between 26 0.40 0.60 "in order, two nodes for four threads that share: half is local"
between 27 0.00 0.05 "a stripe in order, inverse bind"
between 28 0.70 0.85 "visits, hard bind: what is its own, and a quarter of the visits"
between 29 0.03 0.15 "visits, inverse bind: a quarter of the visits"
check "processes come and go" at_least "$(json 19 .lives)" 8
for node in 0 1 2 3; do check "node $node is filled" at_most "$(said "full $node")" 25; done
check "and is free again" at_least "$(said after)" 60
check "memory as expected in a full machine" is "$(said_in 25 load)" 0
check "progress of every thread" is "$(json 18 '.thread_sweeps | length')" 16
check "and no less than asked for" at_least "$(json 18 '.thread_sweeps | min')" 6
check "CPU time of every thread" at_least "$(json 6 '.thread_cpu_ms | min')" 1
check "migrations of every thread" is "$(json 6 '.thread_migrations | length')" 8
check "sleepers leave CPUs idle" at_least "$(json 18 .idle_ms)" 1
check "time of every mark" is "$(json 6 '.mark_ms | length')" 31
check "damage is seen" is "$(said_in 10 load)" 1
check "damage is told" like "$(json 10 .corrupt)" '^[1-9]'
finish
