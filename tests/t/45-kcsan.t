#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Data races between functions of the module, with all gears at work: the kernel's own detector is told to ask about
# these functions only. It needs a kernel of its own, so it is part of make torture alone.
source "$(dirname "$0")/../lib.sh"

if [[ -z ${AUTONUMA_LONG:-} ]]; then
	echo "1..0 # SKIP only in make torture"
	exit 0
fi

NUMALAB_NOLOAD=1 guest --config kcsan --nodes 2 --cpus 4 --mem 512 --balancer autonuma <<'GUEST'
kcsan=/sys/kernel/debug/kcsan
value() { sed -n "s/^$1: //p" $kcsan; }

modprobe autonuma scan_period_min_ms=50 min_process_cpu_ms=0
functions=$(awk '$2 ~ /[tT]/ && $4 == "[autonuma]" && $3 !~ /^__pfx_/ { print $3 }' /proc/kallsyms)
echo whitelist >$kcsan
for name in $functions; do echo "!autonuma:$name" >$kcsan; done
# What these read and write for the module, out of line; two others than the module are never reported with them.
for name in _find_first_bit _find_next_bit __bitmap_equal __bitmap_subset __bitmap_intersects __bitmap_weight; do
	echo "!$name" >$kcsan
done
# A CPU that is emulated needs longer to come across a watched access.
echo 400 >/sys/module/kcsan/parameters/udelay_task
echo 100 >/sys/module/kcsan/parameters/udelay_interrupt
echo "functions $(echo "$functions" | wc -l)"
echo "listed $(grep -c '^ .* \[autonuma\]$' $kcsan)"

echo on >$kcsan
echo "enabled $(value enabled)"
start_load procs --mem 16 --stride 1024 --sweeps 1000000 --born 0 --fork
loads=$load_pid
start_load private --mem 32 --stride 1024 --sweeps 1000000 --born 0 --thp
loads="$loads $load_pid"
storm --mem 32 --seconds 100 >/tmp/storm 2>&1 &
storm=$!
for mode in thread async fault off thread; do
	gear migrate $mode
	sleep 15
	cat /sys/kernel/debug/autonuma/* >/dev/null
	for pid in $loads; do migratepages "$(child_of "$pid")" all 0; done
done
gear scan 0
gear scan 1
sleep 15
wait $storm
echo "storm $?"
for pid in $loads; do end_load "$pid"; done
echo off >$kcsan
echo "enabled-at-the-end $(value enabled)"
echo "watchpoints $(value setup_watchpoints)"
print_status
GUEST

guest_ended_well
check "the module's functions were asked about" is "$(said listed)" "$(said functions)"
check "the detector was on" is "$(said enabled)" 1
check "and watched" at_least "$(said watchpoints)" 10000
check "and off in the end" is "$(said enabled-at-the-end)" 0
check "memory as expected in the storm" is "$(said storm)" 0
check "memory as expected in all programs" is "$(said load | tr '\n' ' ')" "0 0 "
for name in faults migrated scan_passes; do check "there were: $name" at_least "$(said "status $name")" 10; done
finish
