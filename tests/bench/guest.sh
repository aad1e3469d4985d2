# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the script of one boot has in the guest (busybox sh): switches contenders, and says what the kernel counted.
# Lines: "contender NAME", "before NAME VALUE", the program's own, "status N", "after NAME VALUE", "autonuma NAME VALUE",
# and those of the command pages.

tracing=/sys/kernel/tracing
events=$tracing/events/sched/sched_migrate_task
kvm=$tracing/instances/kvm
sysctl_file=/proc/sys/kernel/numa_balancing

begin_contender() {
	case $1 in
	in-tree) echo 1 >$sysctl_file || exit 1 ;;
	numad)
		mkdir -p /var/log /var/run
		# It waits until a machine has been up for a while: tests/load/later.c.
		LD_PRELOAD=/lib/later.so numad -i 1:2 || exit 1 ;;
	thread | async | fault) modprobe autonuma migrate="$1" || exit 1 ;;
	learn) modprobe autonuma migrate=off balance=0 || exit 1 ;;
	tasks) modprobe autonuma migrate=off || exit 1 ;;
	memory) modprobe autonuma balance=0 || exit 1 ;;
	batch*) modprobe autonuma migrate_batch="${1#batch}" || exit 1 ;;
	esac
}

end_contender() {
	case $1 in
	in-tree) echo 0 >$sysctl_file ;;
	numad)
		killall numad
		while pidof numad >/dev/null; do usleep 100000; done ;;
	thread | async | fault | learn | tasks | memory | batch*)
		sed 's/^/autonuma /' /sys/kernel/debug/autonuma/status
		rmmod autonuma ;;
	esac
}

counters() {
	sed -n 's/^\(numa_[a-z_]*\|pgmigrate_success\|thp_migration_success\|thp_split_page\) /\1 /p' /proc/vmstat
	awk '
	function count(name,    i, n) {
		for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i
		print name, n + 0
	}
	$1 == "TLB:" { count("tlb_shootdowns") }
	$1 == "RES:" { count("reschedules") }' /proc/interrupts
	awk '$1 == "cpu" { print "user_ticks", $2 + $3; print "system_ticks", $4; print "idle_ticks", $5 + $6 }' /proc/stat
	echo "mmu_invalidations $(awk '/^(entries|overrun):/ { n += $2 } END { print n + 0 }' $kvm/per_cpu/cpu*/stats)"
	echo "seconds_100 $(awk '{ print int($1 * 100) }' /proc/uptime)"
}

# How often a task changed node, from the trace.
changes_of_node() {
	awk -v nodes="$NODE_OF_CPU" '
	BEGIN { n = split(nodes, list, ":"); for (i = 1; i <= n; i++) node[i - 1] = list[i] }
	/sched_migrate_task:/ {
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^orig_cpu=/) from = substr($i, 10)
			if ($i ~ /^dest_cpu=/) to = substr($i, 10)
		}
		changes += node[from] != node[to]
	}
	END { print "after changes_of_node", changes + 0 }' $tracing/trace
}

# Events that the trace had no room for.
lost_events() { awk '/^(overrun|commit overrun|dropped events):/ { n += $NF } END { print n + 0 }' $tracing/per_cpu/cpu*/stats; }

# contend NAME MARK PROCESS PROGRAM...: one contender's turn; PROCESS has the names of those whose pages are looked at.
# The program's own marks are below 99.
contend() {
	contender=$1 label=$2 process=$3
	shift 3
	echo "contender $contender"
	echo >$tracing/trace
	begin_contender "$contender"
	counters | sed 's/^/before /'
	echo 1 >$events/enable
	mark "$label"
	# shellcheck disable=SC2086 # it may be several names
	pages "$LOOK_MS" $process >/tmp/looks &
	looker=$!
	"$@"
	echo "status $?"
	kill $looker 2>/dev/null
	wait $looker
	mark 99
	echo 0 >$events/enable
	counters | sed 's/^/after /'
	echo "after lost_events $(lost_events)"
	changes_of_node
	cat /tmp/looks
	end_contender "$contender"
}

echo 2048 >$tracing/buffer_size_kb

# MMU-notifier invalidations that reach KVM. The buffer is so small that it loses nearly all, but it counts them.
mkdir $kvm
echo 4 >$kvm/buffer_size_kb
echo 1 >$kvm/events/kvm/kvm_unmap_hva_range/enable
