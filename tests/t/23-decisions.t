#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every decision can be seen: counters, tracepoints and the ring tell the same story, none of it is "other", and the CPU
# time of the workers is charged to the processes they worked for.
source "$(dirname "$0")/../lib.sh"

NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma <<'GUEST'
tracing=/sys/kernel/tracing
dir=/sys/kernel/debug/autonuma
modprobe autonuma scan=0 record_all=1 min_process_cpu_ms=0 scan_period_min_ms=100 || exit 1
echo 40000 >$tracing/buffer_size_kb
echo 1 >$tracing/events/autonuma/enable
gear scan 1

start_load phase --mem 64 --shift 1 --born 0 --spread --stride 1024 --sweeps 1000000
phase=$load_pid
start_load procs --procs 2 --threads 2 --mem 32 --born 0 --spread --stride 1024 --sweeps 1000000
procs=$load_pid
wait_sweeps $phase 60
wait_sweeps $procs 20
cat $dir/processes
# The same, but that threads bring their regions by themselves.
gear migrate thread
for pid in $phase $procs; do migratepages $(child_of $pid) all 0; done
wait_sweeps $phase 60
for pid in $phase $procs; do end_load $pid; done
settled() { [ "$(status queued_now)" = 0 ] && [ "$(status moving_now)" = 0 ] && [ "$(status carrying_now)" = 0 ]; }
wait_until settled
gear scan 0
echo 0 >$tracing/events/autonuma/enable
print_status

echo "lost $(cat $tracing/per_cpu/cpu*/stats | awk '/overrun|dropped/ { n += $NF } END { print n + 0 }')"
# The names of the acts by tracepoints; the counters have them in front of the reason.
each_event '/autonuma_/ && !/autonuma_pass/' 'n[event "_" value["why"]] += event ~ /^(migrated|failed|given_up)$/ ? value["pages"] : 1' \
	'for (k in n) print "traced why_" k, n[k]'

sed 's/^/ring /' $dir/decisions

# Only what is rare, unless asked.
gear record_all 0
charged=$(status scand_ns)
gear scan 1
start_load private --mem 32 --born 0 --spread --stride 1024 --sweeps 1000000
more() { [ "$(status faults)" -gt "$((faults + 200))" ]; }
faults=$(status faults)
last=$(grep ' fault ' $dir/decisions | tail -n 1)
wait_until more
echo "quiet $([ "$(grep ' fault ' $dir/decisions | tail -n 1)" = "$last" ] || [ -z "$(grep ' fault ' $dir/decisions)" ]; echo $?)"
echo "rare $(grep -c ' scan_start ' $dir/decisions)"

# What was charged, and what the threads have used, in ns.
used() { cat /proc/[0-9]*/sched 2>/dev/null | awk -v name="$1" '$1 ~ "^" name { on = 1 } /^se.sum_exec_runtime/ { if (on) ms += $NF; on = 0 } END { printf "%.0f\n", ms * 1e6 }'; }
echo "charged scand $(($(status scand_ns) - charged))"
echo "used scand $(used knuma_scand)"
end_load $load_pid
rmmod autonuma
GUEST

guest_ended_well
check "there were faults to decide on" at_least "$(said status faults)" 500
check "no trace event was lost" is "$(said lost)" 0

# Each reason: as often in the trace as in its counter.
while read -r name count; do
	check "$name: counted as traced" is "$(said status "$name")" "$count"
done < <(sed -n 's/^traced //p' "$work/out")
untraced=$(sed -n 's/^status \(why_[a-z_]*\) [1-9].*/\1/p' "$work/out" | grep -vxFf <(sed -n 's/^traced \([^ ]*\) .*/\1/p' "$work/out") || true)
check "nothing is counted that is not traced" is "$untraced" ""

all=$(sed -n 's/^status why_[a-z_]* //p' "$work/out" | paste -sd+ | bc)
other=$(said status why_undone_other)
check "at most 1 % of all decisions for other reasons ($other of $all)" at_most $((other * 100)) "$all"
for why in scan_start_earned planted_restless fault_first_fault fault_follow fault_local queued_follow migrated_by_worker migrated_by_thread; do
	check "$why happens" at_least "$(said status "why_$why")" 1
done
check "every fault has one reason" is "$(sed -n 's/^status why_fault_[a-z_]* //p' "$work/out" | paste -sd+ | bc)" "$(said status faults)"

check "the ring has decisions" at_least "$(grep -c '^ring ' "$work/out")" 100
check "and at most 1024" at_most "$(grep -c '^ring ' "$work/out")" 1024
check "in order" sort -c -s -n -k2,2 <(grep '^ring ' "$work/out")
check "with nodes and pages" like "$(grep '^ring ' "$work/out")" ' from [0-3] to [0-3] .*pages [0-9]+'
check "record_all=0: faults are not kept" is "$(said quiet)" 0
check "but what is rare is" at_least "$(said rare)" 1

charged_processes=$(grep -oE '^process .* scand_us [1-9][0-9]* migrated_us [1-9]' "$work/out" | wc -l)
check "processes are charged with the workers' time" at_least "$charged_processes" 1
check "not more than the scanner has used" at_most "$(said charged scand)" "$(awk -v n="$(said used scand)" 'BEGIN { print n * 1.1 + 2e7 }')"

# --- against the order in which threads came by ---

# So slow that regions queue up.
NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma <<'GUEST'
tracing=/sys/kernel/tracing
modprobe autonuma migrate_rate_mbps=32 || exit 1
echo 1 >$tracing/events/autonuma/autonuma_migrated/enable
load private --threads 4 --mem 256 --born 0 --spread --in-order --stride 1024 --sweeps 150 >/dev/null
# Of regions that come to a node, those below the one before, and above.
each_event /autonuma_migrated/ '
	if (value["pages"] < 100) next
	to = value["to"]; at = value["addr"]
	if (to in last && at != last[to]) n[at < last[to]]++
	last[to] = at' 'print "below", n[1] + 0; print "above", n[0] + 0'
rmmod autonuma
GUEST
guest_ended_well
check "memory that threads go through upwards comes downwards" at_least "$(said below)" "$((4 * $(said above)))"
check "and there is enough of it to tell" at_least "$(said below)" 20

# --- a node of one CPU: there a worker would take the place of who has its memory brought ---

NUMALAB_NOLOAD=1 guest --nodes 2 --cpus 2,1 --mem 256 --balancer autonuma <<'GUEST'
modprobe autonuma min_process_cpu_ms=0 scan_period_min_ms=100 || exit 1
# bring CPU NODE: memory comes from that node to the other one, where the CPU is
bring() {
	before=$(status migrated)
	start_load private --threads 1 --mem 32 --born $2 --stride 1024 --sweeps 1000000
	for task in /proc/$(child_of $load_pid)/task/*; do taskset -pc $1 ${task##*/} >/dev/null; done
	brought() { [ "$(status migrated)" -gt "$((before + 7500))" ]; }
	wait_until brought
	end_load $load_pid
	echo "by $(status why_migrated_by_worker) $(status why_migrated_by_thread)"
}
bring 2 0
bring 0 1
rmmod autonuma
GUEST
guest_ended_well
read -r only_worker only_thread < <(said by | sed -n 1p)
read -r worker thread < <(said by | sed -n 2p)
check "to the node of one CPU: by threads" at_least "$only_thread" 4096
check "and hardly by workers" at_most "$only_worker" 1024
check "to the node of two: by workers" at_least "$((worker - only_worker))" 4096
check "and not by threads" is "$thread" "$only_thread"

# --- nodes with more threads than CPUs: a worker would get a part of one, and their memory wait for it ---

NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma <<'GUEST'
modprobe autonuma min_process_cpu_ms=0 scan_period_min_ms=100 || exit 1
# bring THREADS: each has memory of its own, which comes from node 0; so much that little of it comes before it is seen how
# many they are
bring() {
	start_load procs --procs $1 --threads 1 --mem 256 --born 0 --stride 1024 --sweeps 1000000
	before=$(status migrated) by=$(status why_migrated_by_worker)
	brought() { [ "$(status migrated)" -gt "$((before + 30000))" ]; }
	wait_until brought
	end_load $load_pid
	echo "workers $(((1000 * ($(status why_migrated_by_worker) - by)) / ($(status migrated) - before)))"
}
bring 24
bring 6
rmmod autonuma
GUEST
guest_ended_well
read -r crowd few < <(said workers | xargs)
note "of 1000 pages by workers: with three threads for each CPU $crowd, with fewer threads than CPUs $few"
check "crowded: hardly by workers" at_most "$crowd" 400
check "not crowded: mostly by workers" at_least "$few" 600
finish
