#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Memory contents never change, whatever happens to a process at once: its pages are moved by us, by migratepages and by
# compaction, its tasks are moved and swapped, it forks, its huge pages are split, and the gears are switched on and
# off. load checks every access, and in the end that no write was lost.
source "$(dirname "$0")/../lib.sh"

guest "${standard_machine[@]}" --balancer autonuma --module-args "scan_period_min_ms=50 min_process_cpu_ms=0" <<'GUEST'
start_load procs --mem 24 --stride 1024 --sweeps 1000000 --born 0 --spread --fork
loads=$load_pid
start_load private --mem 24 --stride 1024 --sweeps 1000000 --born 0 --spread --fork --thp
loads="$loads $load_pid"
start_load stripe --mem 16 --threads 4 --stride 1024 --sweeps 1000000 --born 0
loads="$loads $load_pid"

go_on() { for pid in $loads; do wait_sweeps "$pid" 2; done; }
scatter() { for pid in $loads; do migratepages "$(child_of "$pid")" all "$1"; done; }

scatter 0
go_on
gear migrate fault
scatter 1
go_on
gear balance 0
echo 1 >/proc/sys/vm/compact_memory
go_on
gear migrate async
gear balance 1
scatter 3
go_on
gear scan 0
go_on
gear scan 1
gear migrate off
go_on
gear migrate thread
go_on
print_status
for pid in $loads; do end_load "$pid"; done
GUEST

guest_ended_well
check "memory as expected in all programs" is "$(said load | tr '\n' ' ')" "0 0 0 "
check "children saw what they should, and there were some" at_least \
	"$(grep '^{' "$work/out" | jq -s 'map(.children) | add')" 10
check "pages were moved meanwhile" at_least "$(said status migrated)" 1000
check "tasks were moved or swapped meanwhile" at_least "$(($(said status task_moves) + $(said status task_swaps)))" 1
finish
