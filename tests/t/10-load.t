#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The workload program itself: it is placed as it says, it shares as it says, and no damage to memory escapes it.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --balancer none --meter "$work/meter" <<'GUEST'
run() {
	begin "$1"
	shift
	load "$@" --mem 64 --sweeps 30
	echo "status $?"
}
run 0 procs --bind hard
run 1 procs --bind inverse
run 2 private --bind hard --thp
run 3 private --bind inverse
run 4 stripe --bind hard
run 5 procs --born 0 --spread
run 6 private --born 0 --spread
run 7 phase --born 0 --fork
run 8 table --born 0
run 9 big --spread

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
check "the threads swept as often as they had to" at_least "$(json 6 .min)" 30
check "damage is seen" is "$(said_in 10 load)" 1
check "damage is told" like "$(json 10 .corrupt)" '^[1-9]'
finish
