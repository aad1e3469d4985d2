#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The scheduler's rules win. First where tasks may run: isolated CPUs, affinity that leaves a choice or none, a cpuset of
# several nodes; no thread is ever seen elsewhere, and memory goes to the nodes that remain. Then how much they may run:
# weights of control groups, nice values, a quota; whoever shares CPUs has the same part of them while memory is placed
# as with the module at rest.
source "$(dirname "$0")/../lib.sh"

# CPU 5 is one of the two of node 2.
guest "${standard_machine[@]}" --balancer autonuma --append isolcpus=domain,5 <<'GUEST'
echo "worker $(allowed $(worker 2))"

# seen PID: the CPUs on which the threads of that load's processes ran last
seen() { for child in $(children_of $1); do cpu_of /proc/$child/task/*/stat; done; }
# watch NAME PID: waits until memory is placed, and prints the CPUs on which the threads of that load are seen meanwhile
watch() {
	seen $2 >/tmp/seen
	while usleep 50000; do seen $2; done >>/tmp/seen &
	watching=$!
	wait_placed
	kill $watching
	echo "$1 cpus $(sort -nu /tmp/seen | tr '\n' ' ')"
}
# pages NAME PID: the share of the process's memory on each node, in percent
pages() {
	sed -n 's/.* anon=/anon=/p' /proc/$2/numa_maps | tr ' ' '\n' | awk -F= -v name="$1" '
		$1 ~ /^N[0-9]/ { n[substr($1, 2)] += $2; all += $2 }
		END { for (i = 0; i < 4; i++) print name, "node", i, int(100 * n[i] / all) }'
}

start_load private --threads 7 --mem 56 --born 0 --stride 1024 --sweeps 1000000
watch isolated $load_pid
pages isolated $(child_of $load_pid)
end_load $load_pid

# One thread of each process is held on a CPU. All memory and the other thread come to its node, or, if the node has not
# all of both CPUs for them, half of it.
start_load procs --procs 2 --threads 2 --mem 64 --born 0 --stride 1024 --sweeps 1000000
cpu=3
for child in $(children_of $load_pid); do
	thread=$(ls /proc/$child/task | sort -n | tail -n 1)
	taskset -pc $cpu $thread >/dev/null
	held="$held $child:$thread:$cpu"
	cpu=$((cpu + 4))
done
wait_sweeps $load_pid 100
wait_placed
for one in $held; do
	child=${one%%:*} cpu=${one##*:} thread=${one#*:} thread=${thread%:*}
	echo "held $cpu may $(allowed $thread)"
	echo "held $cpu runs $(cpu_of /proc/$child/task/$thread/stat)"
	pages "held $cpu" $child
done
end_load $load_pid

# Free on half of the machine.
mkdir /sys/fs/cgroup/half
echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
echo 4,6-7 >/sys/fs/cgroup/half/cpuset.cpus
sh -c 'echo $$ >/sys/fs/cgroup/half/cgroup.procs; exec load private --threads 3 --mem 48 --born 0 --stride 1024 --sweeps 1000000 >/tmp/load.$$ 2>&1' &
load_pid=$!
wait_until grep -qs sweeps /tmp/load.$load_pid
watch cpuset $load_pid
pages cpuset $(child_of $load_pid)
end_load $load_pid
print_status
GUEST

guest_ended_well
check "no status of a load but 0" is "$(said load | sort -u)" 0
check "the worker of a node runs on none of its isolated CPUs" is "$(said worker)" 4
check "isolated: threads are seen" like "$(said isolated cpus)" '[0-9]'
check "isolated: none there" unlike "$(said isolated cpus)" '(^| )5 '
check "isolated: memory came to the node's other CPU" at_least "$(said isolated node 2)" 5
for cpu in 3 7; do
	check "held: on CPU $cpu it may run only there" is "$(said held $cpu may)" $cpu
	check "held: on CPU $cpu it does" is "$(said held $cpu runs)" $cpu
	check "held: memory came to CPU $cpu" at_least "$(said held $cpu node $((cpu / 2)))" 40
done
check "cpuset: threads are seen" like "$(said cpuset cpus)" '[0-9]'
check "cpuset: none elsewhere" unlike "$(said cpuset cpus)" '(^| )[0-35] '
check "cpuset: no memory remains elsewhere" at_least "$(($(said cpuset node 2) + $(said cpuset node 3)))" 90

# --- how much they may run ---

guest "${standard_machine[@]}" --balancer autonuma <<'GUEST'
groups=/sys/fs/cgroup
window=8	# seconds

# used PID: CPU time of that load's processes so far, in ticks
used() { for child in $(children_of $1); do cat /proc/$child/stat; done | awk '{ n += $14 + $15 } END { print n }'; }
now() { awk '{ print int($1 * 100) }' /proc/uptime; }
# compare NAME A B: prints the part that load B had of what both used in a window, in 1/1000, and the CPUs that A used
compare() {
	a=$(used $2) b=$(used $3) since=$(now)
	sleep $window
	a=$(($(used $2) - a)) b=$(($(used $3) - b))
	echo "$1 part $((1000 * b / (a + b)))"
	echo "$1 cpus $(awk -v a=$a -v since=$since -v now=$(now) 'BEGIN { print a / (now - since) }')"
}
# in_group GROUP NICE OPTIONS: a load; its process is $load_pid
in_group() {
	sh -c 'echo $$ >"/sys/fs/cgroup/$0/cgroup.procs"; renice -n $1 -p $$ >/dev/null; shift
		exec load "$@" --stride 1024 --sweeps 1000000 >/tmp/load.$$ 2>&1' "$@" &
	load_pid=$!
	wait_until grep -qs sweeps /tmp/load.$load_pid
}
# homes_of PID: of that load's processes with a home of one node, how many have the same one at most, and all
homes_of() {
	for child in $(children_of $1); do
		sed -n "s/^process $child .* home \([0-9]*\) core.*/\1/p" /sys/kernel/debug/autonuma/processes
	done | sort | uniq -c | awk '{ if ($1 > most) most = $1; all += $1 } END { print most + 0, "of", all + 0 }'
}
apart() { [ "$(homes_of $1)" = "1 of 2" ]; }
# race NAME "GROUP NICE OPTIONS" "GROUP NICE OPTIONS": two loads, at rest, while memory is placed, and then
race() {
	name=$1
	gear scan 0
	in_group $2
	first=$load_pid
	in_group $3
	compare "$name rest" $first $load_pid
	before=$(status migrated)
	gear scan 1
	compare "$name placing" $first $load_pid
	wait_placed
	echo "$name moved $(($(status migrated) - before))"
	compare "$name placed" $first $load_pid
	[ $name != nice ] || within 60 apart $first || true
	echo "$name homes $(homes_of $first)"
	end_load $first
	end_load $load_pid
}

echo +cpu >$groups/cgroup.subtree_control
for name in light heavy quota; do mkdir $groups/$name; done
echo 300 >$groups/heavy/cpu.weight
echo "150000 100000" >$groups/quota/cpu.max

four="procs --procs 4 --threads 4 --mem 96 --born 0"
race weights "heavy 0 $four" "light 0 $four"
# All memory of those of nice 0 is on one node, where they would have to share its two CPUs.
race nice "light 0 procs --procs 2 --threads 2 --mem 48 --born 0" "light 5 procs --procs 6 --threads 2 --mem 96 --born 1"
six="private --threads 6 --mem 96 --born 0"
for mode in async thread; do
	gear migrate $mode
	throttled=$(counter nr_throttled $groups/quota/cpu.stat)
	race quota-$mode "quota 0 $six" "light 0 $six"
	echo "quota-$mode throttled $(($(counter nr_throttled $groups/quota/cpu.stat) - throttled))"
done
GUEST

guest_ended_well
check "no status of a load but 0" is "$(said load | sort -u)" 0
# What the second load gets, over what it gets at rest. Windows of 8 s differ by a few percent by themselves. While memory
# is placed threads wait for it, and others have the CPU meanwhile.
for race in weights nice quota-async quota-thread; do
	check "$race: pages moved" at_least "$(said $race moved)" 5000
	part=$(awk -v now="$(said $race placed part)" -v rest="$(said $race rest part)" 'BEGIN { print now / rest }')
	check "$race: the part of CPU time is as at rest ($part)" at_least "$part" 0.85
	check "$race: nor is it more" at_most "$part" 1.18
	note "$race: of 1000 $(said $race rest part), while memory is placed $(said $race placing part), then $(said $race placed part)"
done
check "nice: those of nice 0 are on a node each" is "$(said nice homes)" "1 of 2"
for race in quota-async quota-thread; do
	check "$race: it was throttled" at_least "$(said $race throttled)" 10
	for when in placing placed; do
		check "$race, $when: no more than the quota of 1.5 CPUs" at_most "$(said $race $when cpus)" 1.6
	done
done
finish
