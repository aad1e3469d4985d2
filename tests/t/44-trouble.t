#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Trouble that is no bug: a lock that is not had, a node that is full, memory and CPUs that go while a worker works, and
# processes that die in the middle of everything. On the debug kernel in the long form.
source "$(dirname "$0")/../lib.sh"

plugs=$(long_or_short 40 2)	# times that memory comes and goes, and CPUs
kills=$(long_or_short 500 16)
config=$(long_or_short debug default)
unplugged=$(long_or_short 768 384)

# Node 2 has a CPU, and memory only while it is plugged in.
NUMALAB_NOLOAD=1 guest --config "$config" --nodes 3 --cpus 2,2,1 --mem "$((unplugged + 256)),$unplugged,0" --balancer autonuma \
	--module "$tests/kmod" --qemu-arg -m --qemu-arg slots=1,maxmem=8G \
	--qemu-arg -object --qemu-arg memory-backend-ram,id=plugged,size=256M \
	--qemu-arg -device --qemu-arg pc-dimm,memdev=plugged,node=2 <<GUEST
plugs=$plugs kills=$kills
$(cat <<'SCRIPT'
args="migrate=async min_process_cpu_ms=0 scan_period_min_ms=50 scan_period_max_ms=1000 balance_period_ms=20"
hold=/sys/module/an_hold/parameters/hold
release=/sys/module/an_hold/parameters/release
nodes=/sys/devices/system/node
tracing=/sys/kernel/tracing

# more NAME THAN: has the counter passed that value?
more() { [ "$(status $1)" -gt "$2" ]; }
# queued NODE N: are so many pages queued for it?
queued() { [ "0$(status node$1_queued_now)" -gt "$2" ]; }
has_worker() { [ -n "$(worker $1)" ]; }
has_no_worker() { [ -z "$(worker $1)" ]; }
yes_no() { if "$@"; then echo yes; else echo no; fi; }
rises() { yes_no within 60 more $1 $(($(status $1) + $2)); }

# start_process OPTIONS: as start_load; its process is $process
start_process() {
	start_load "$@" --stride 1024 --sweeps 100000000 --born 0
	process=$(child_of $load_pid)
}

# On node 0, so that there is something to do; and slowly, so that it stays queued.
queue_up() {
	gear migrate_rate_mbps 1
	migratepages $process all 0
	within 60 queued $1 1000
}

modprobe an_hold
modprobe autonuma $args || exit 1

# --- a worker, the scanner and the bypass that cannot get a lock ---

start_process private --mem 64 --threads 4
queue_up 1
given_up=$(status migrate_given_up) busy=$(status scan_lock_busy)
echo $process >$hold
gear migrate_rate_mbps 0
echo "lock given-up $(yes_no within 60 more migrate_given_up $given_up)"
echo "lock busy $(yes_no within 60 more scan_lock_busy $busy)"
echo 1 >$release
wait_sweeps $load_pid 2
echo "lock goes-on yes"

echo $process >$hold
gear scan 0
echo 1 >$release
echo "lock left-planted $(status left_planted)"
echo "lock running $(status running)"
gear scan 1
migratepages $process all 0	# it may all have been in place
echo "lock moves-again $(rises migrated 1000)"
echo $process >$hold
rmmod autonuma
echo "lock unloaded $?"
echo 1 >$release
echo "lock named $(dmesg | grep -c "autonuma: load\[$process\]: mmap_lock not had")"
end_load $load_pid
within 10 rmmod an_hold

# --- a node that is full ---

modprobe autonuma $args migrate=thread || exit 1
# zone FIELD: of all zones of node 1, in pages
zone() {
	awk -v field="$1" '/^Node/ { on = $2 == "1," } on && $1 == field { n += $2 } on && $1 == "pages" && $2 == field { n += $3 }
		END { print n + 0 }' /proc/zoneinfo
}
reserve=$(cat /proc/sys/vm/min_free_kbytes)
echo 65536 >/proc/sys/vm/min_free_kbytes
# Above what makes the kernel reclaim, below what a migration leaves free.
leave=$((($(zone low) + 3 * $(zone high)) / 4))
numactl --membind=1 dd if=/dev/zero of=/dev/shm/hog bs=64k count=$((($(zone free) - leave) / 16)) 2>/dev/null
echo "full free $(zone free) low $(zone low) high $(zone high)"
start_process private --mem 48 --threads 2
for task in /proc/$process/task/*; do taskset -pc 2-3 ${task##*/} >/dev/null; done
echo "full refused $(rises migrate_refused 1000)"
echo "autonuma:autonuma_failed autonuma:autonuma_migrated" >$tracing/set_event
read -r before rest </proc/uptime
sleep 6
read -r after rest </proc/uptime
echo >$tracing/set_event
grep ' to=1 ' $tracing/trace >/tmp/trace
echo "full batches $((${after%.*} - ${before%.*} + 1)) $(grep -c 'why=target_full' /tmp/trace) $(grep -c autonuma_migrated /tmp/trace)"
rm /dev/shm/hog
echo $reserve >/proc/sys/vm/min_free_kbytes
echo "full moves-again $(rises migrated 1000)"
end_load $load_pid

# --- memory that comes and goes ---

# plug online_movable|offline: as often as it takes
plug() {
	for block in $nodes/node2/memory*; do
		within 60 sh -c "echo $1 >$block/state" 2>/dev/null
	done
	echo "plug $n $1 $(cat $nodes/has_memory)"
}
gear migrate async
start_process private --mem 64 --threads 2
for task in /proc/$process/task/*; do taskset -pc 4 ${task##*/} >/dev/null; done
n=0
while [ $n -lt $plugs ]; do
	n=$((n + 1))
	echo "plug $n none $(yes_no within 10 has_no_worker 2)"
	plug online_movable
	echo "plug $n worker $(yes_no within 10 has_worker 2)"
	gear migrate_rate_mbps 0
	echo "plug $n moves $(rises migrated 1000)"
	echo "plug $n queued $(yes_no queue_up 2)"
	gear migrate_rate_mbps 20
	plug offline
	gear migrate_rate_mbps 2048
	wait_sweeps $load_pid 1
done
echo "plug end $(yes_no within 10 has_no_worker 2)"
end_load $load_pid

# --- CPUs that go and come back ---

cpus() { for cpu in 2 3; do echo $1 >/sys/devices/system/cpu/cpu$cpu/online; done; }
start_process private --mem 64 --threads 4
n=0
while [ $n -lt $plugs ]; do
	n=$((n + 1))
	echo "cpus $n before $(allowed $(worker 1))"
	echo "cpus $n queued $(yes_no queue_up 1)"
	cpus 0
	gear migrate_rate_mbps 0
	drained() { ! queued 1 0; }
	echo "cpus $n drained $(yes_no within 60 drained)"
	cpus 1
	echo "cpus $n after $(allowed $(worker 1))"
	echo "cpus $n moves $(queue_up 1; gear migrate_rate_mbps 2048; rises migrated 1000)"
done
end_load $load_pid

# --- processes that die ---

# Without a process of its own, or it would be one of those it counts.
count_mms() {
	echo 1 >/sys/kernel/slab/mm_struct/shrink
	read -r mms rest </sys/kernel/slab/mm_struct/objects
}
count_mms
echo "mms-before $mms"
n=0
while [ $n -lt $kills ]; do
	n=$((n + 1))
	if [ $((n % 2)) = 0 ]; then
		gear migrate async
		gear migrate_rate_mbps 50
	else
		gear migrate thread
		gear migrate_rate_mbps 0
	fi
	migrated=$(status migrated)
	case $((n % 3)) in
	0) start_process private --mem 32 --threads 4 --fork ;;
	1) start_process private --mem 32 --threads 4 --thp ;;
	2) start_process procs --procs 1 --threads 4 --mem 32 ;;
	esac
	if [ $((n % 2)) = 0 ]; then
		within 20 queued 1 0
		echo "kill $n $(in_action $process unload $process | tr '\n' ' ')"
	else
		within 20 more migrated $migrated
		usleep $((n * 7919 % 200 * 1000))
		kill -9 $process
		echo "kill $n at random"
	fi
	wait $load_pid 2>/dev/null
done
forgotten() { [ ! -s /sys/kernel/debug/autonuma/processes ] || ! grep -q . /sys/kernel/debug/autonuma/processes; }
none_queued() { [ "$(status queued_now)" = 0 ]; }
echo "forgotten $(yes_no within 30 forgotten) $(yes_no within 30 none_queued)"
rmmod autonuma
echo "unloaded $?"
sleep 1
count_mms
echo "mms-after $mms"
SCRIPT
)
GUEST

guest_ended_well
check "a lock not had: the worker gives up" is "$(said lock given-up)" yes
check "a lock not had: the scanner puts chunks off" is "$(said lock busy)" yes
check "a lock not had: the program goes on" is "$(said lock goes-on)" yes
check "a lock not had: scan=0 leaves the process, and says so" is "$(said lock left-planted)" 1
check "a lock not had: scan=0 ends all the same" is "$(said lock running)" 0
check "a lock had again: pages move" is "$(said lock moves-again)" yes
check "a lock not had: rmmod ends" is "$(said lock unloaded)" 0
check "a lock not had: the kernel's log names the process each time" is "$(said lock named)" 2

check "a full node: pages are refused" is "$(said full refused)" yes
# Sleeps of 1, 2, 4, ... 1000 ms after each time that something moved, and 1 s from then on.
read -r seconds idle busy <<<"$(said full batches)"
note "a full node: $(said full free) pages free; in $seconds s $idle regions of which nothing moved, $busy others"
check "a full node: the worker backs off" at_most "$idle" $((seconds + 12 * (1 + busy)))
check "a full node: the worker is not dead" at_least "$((idle + busy))" 1
check "a node with room again: pages move" is "$(said full moves-again)" yes

for ((n = 1; n <= plugs; n++)); do
	check "memory, $n: a node without has no worker" is "$(said plug $n none)" yes
	check "memory, $n: comes" is "$(said plug $n online_movable)" 0-2
	check "memory, $n: a worker with it" is "$(said plug $n worker)" yes
	check "memory, $n: pages move there" is "$(said plug $n moves)" yes
	check "memory, $n: pages are queued when it goes" is "$(said plug $n queued)" yes
	check "memory, $n: goes" is "$(said plug $n offline)" 0-1
done
check "memory: the worker goes with it" is "$(said plug end)" yes

for ((n = 1; n <= plugs; n++)); do
	check "CPUs, $n: the worker is at home" is "$(said cpus $n before)" 2-3
	check "CPUs, $n: pages are queued when they go" is "$(said cpus $n queued)" yes
	check "CPUs, $n: the worker works elsewhere" is "$(said cpus $n drained)" yes
	check "CPUs, $n: the worker comes back" is "$(said cpus $n after)" 2-3
	check "CPUs, $n: and works" is "$(said cpus $n moves)" yes
done

for ((n = 2; n <= kills; n += 2)); do
	check "kill $n: while planted, queued and moving" like "$(said kill $n)" '^instant [1-9][0-9]* [1-9][0-9]* [1-9][0-9]* killed'
done
check "the dead are forgotten, and nothing of them stays queued" is "$(said forgotten)" "yes yes"
check "unloaded" is "$(said unloaded)" 0
# Each CPU may still hold the mm it ran last.
note "mm_structs: $(said mms-before) before, $(said mms-after) after $kills deaths"
check "no mm_struct is held" at_most "$(said mms-after)" $(($(said mms-before) + 6))
check "memory as expected in all programs that lived" is "$(said load | tr '\n' ' ')" "0 0 0 0 "
finish
