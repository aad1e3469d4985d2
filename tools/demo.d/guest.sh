#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# tools/demo's part in the guest: guest.sh CONTENDER SERVERS REQUESTS SWEEPS. Everything is born on node 0: servers are
# filled while they may run on its CPUs alone, and are free then; nothing but "hard" sets a memory policy.
# Marks for the meter: 100 before the servers' work and 101 after; load has its own.
set -e
contender=$1 servers=$2 requests=$3 sweeps=$4
keys=4000 size=4000

# What the server answers is not of interest, that it answers is.
cli() { redis-cli -s "/tmp/redis$1" "$2" "$3" "$4"; }

print_counters() {
	awk -v name="$1" '/^numa_hint_faults |^numa_pages_migrated / { print name, $1, $2 }' /proc/vmstat
}

# For who wants to know why: kept in build/demo/CONTENDER.out.
print_status() {
	if [ -e /sys/kernel/debug/autonuma/status ]; then cat /sys/kernel/debug/autonuma/status; fi
}

# on_node NODE COMMAND...: bound, if the contender is
on_node() {
	node=$1
	shift
	if [ "$contender" = hard ]; then exec numactl --cpunodebind="$node" --membind="$node" "$@"; fi
	exec "$@"
}

start_server() {
	node0=$(cat /sys/devices/system/node/node0/cpulist)
	[ "$contender" = hard ] || taskset -cp "$node0" $$ >/dev/null
	(on_node "$1" redis-server --port 0 --unixsocket "/tmp/redis$1" --save '' --appendonly no >"/tmp/redis$1.log") &
	eval "server$1=$!"
	until [ "$(redis-cli -s "/tmp/redis$1" ping 2>/dev/null)" = PONG ]; do usleep 50000; done
	cli "$1" eval "for i = 0, $keys - 1 do redis.call('set', string.format('key:%012d', i), string.rep('x', $size)) end" 0 \
		>/dev/null
}

free_server() {
	eval "pid=\$server$1"
	# shellcheck disable=SC2154 # set by eval
	[ "$contender" = hard ] || taskset -acp "$(cat /sys/devices/system/cpu/online)" "$pid" >/dev/null
}

run_servers() {
	all=$(seq 0 $((servers - 1)))
	for i in $all; do start_server "$i"; done
	taskset -cp "$(cat /sys/devices/system/cpu/online)" $$ >/dev/null
	for i in $all; do free_server "$i"; done
	print_counters servers-before
	mark 100
	clients=
	for i in $all; do
		(on_node "$i" redis-benchmark -s "/tmp/redis$i" -t get -r $keys -n "$requests" -P 64 -c 8 -q >/dev/null) &
		clients="$clients $!"
	done
	# shellcheck disable=SC2086 # it is a list
	wait $clients
	mark 101
	print_counters servers-after
	print_status
	for i in $all; do redis-cli -s "/tmp/redis$i" shutdown nosave; done
	wait
}

run_threads() {
	bear="--born 0 --spread"
	[ "$contender" != hard ] || bear="--bind hard"
	print_counters threads-before
	# shellcheck disable=SC2086 # they are options
	load private --mem 256 --stride 1024 --sweeps "$sweeps" $bear
	print_counters threads-after
}

run_servers
run_threads
