#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Every allocation of the module fails once: one site after the other while all else gets its memory, then any of them at
# random. Each time loading is refused and nothing stays, or the module does without, counts it and works. The short form
# takes every fourth site, and begins anywhere.
#
# alloc-sites.pl reads the sites from the module. The kernel's failslab and fail_page_alloc let an allocation fail by
# what is on its stack: here the one address that the site's call returns to.
source "$(dirname "$0")/../lib.sh"

rounds=$(long_or_short 60 2)	# of random failure
seconds=$(long_or_short 30 4)	# each
every=$(long_or_short 1 4)	# so many sites one is taken
RANDOM=${AUTONUMA_SEED:-$RANDOM}
first=$((RANDOM % every))
loading=$(long_or_short yes no)	# each site when loading, even if switching the gears on comes past it, too

# "FUNCTION CALLEE" of the sites that are never without memory, whatever is injected below them: the list of all
# processes that the bypass makes has __GFP_NOFAIL; per-CPU memory comes from where the kernel injects nothing.
never='.*take_back.* __kvmalloc_node_noprof|.* pcpu_alloc_noprof'
# Without these there is no status to see that it works.
unseen='debugfs|root_device'

make -s -C "$top/tools/ctl" OUT="$programs" || bail "autonumactl does not build"
kernel=$("$top/tools/numalab" kernel debug)
module=$("$top/tools/lab/module.sh" "$kernel")
perl "$tests/alloc-sites.pl" "$module" >"$work/sites" || bail "the module's sites are not found"
nr_sites=$(wc -l <"$work/sites")
is_taken() { (($1 % every == first)); }	# is_taken SITE
note "$nr_sites sites, of which one in $every is taken, from the $((first ? first : every)). on"

NUMALAB_NOLOAD=1 guest --config debug --nodes 2 --cpus 2 --mem 512 --balancer autonuma --module "$tests/kmod" \
	--file "$work/sites:/work/sites" --file "$programs/autonumactl" <<GUEST
rounds=$rounds seconds=$seconds every=$every first=$first loading=$loading never='$never'
$(cat <<'SCRIPT'
args="min_process_cpu_ms=0 min_process_mb=4 scan_period_min_ms=20 scan_period_max_ms=20 balance_period_ms=100"
sections=/sys/module/autonuma/sections
debugfs=/sys/kernel/debug
times=1000000
console() { echo "43-inject: $*" >/dev/kmsg; }

# --- failing allocations; start and end are addresses on the stack ---

# Only tasks that are marked are looked at, as looking at the stack is slow: who loads and unloads (this shell, whose
# children inherit the mark), who faults, and those that the module starts, which inherit from kthreadd.
mark_tasks() {
	for file in /proc/self/make-it-fail /proc/$$/make-it-fail /proc/2/make-it-fail \
		/proc/$load/task/*/make-it-fail; do
		echo $1 >$file
	done
}

# arm START END PERCENT
arm() {
	for dir in $debugfs/failslab $debugfs/fail_page_alloc; do
		echo $1 >$dir/require-start
		echo $2 >$dir/require-end
		echo $times >$dir/times
		echo $3 >$dir/probability
	done
	mark_tasks 1
}

disarm() {
	mark_tasks 0
	for dir in $debugfs/failslab $debugfs/fail_page_alloc; do echo 0 >$dir/probability; done
}

# Sets hits: how many have failed since arm.
count_hits() {
	read -r slab <$debugfs/failslab/times
	read -r page <$debugfs/fail_page_alloc/times
	hits=$((2 * times - slab - page))
}
hit() { count_hits; [ $hits -gt 0 ]; }
hit_often() { count_hits; [ $hits -ge 5 ]; }

for dir in $debugfs/failslab $debugfs/fail_page_alloc; do
	echo 0 >$dir/verbose
	echo N >$dir/ignore-gfp-wait
	echo Y >$dir/task-filter
	echo 32 >$dir/stacktrace-depth
done
echo N >$debugfs/failslab/cache-filter
echo N >$debugfs/fail_page_alloc/ignore-gfp-highmem
echo 0 >$debugfs/fail_page_alloc/min-order

# --- the system under test ---

moved() { [ "$(status migrated)" -gt "$1" ]; }
scatter() { migratepages $load all 0; }

# What a module that works does: scan, decide, and bring pages to the threads that use them.
works() {
	before=$(status migrated)
	scatter
	within 120 moved "$before" || { echo "nothing moved"; return; }
	echo yes
}

leftovers() {
	[ ! -e /sys/module/autonuma ] || echo module
	[ ! -e $debugfs/autonuma ] || echo debugfs
	ps -o comm | grep knuma
	[ "$(cat /proc/sys/kernel/numa_balancing)" = 1 ] || echo sysctl
}

# How often such failures were told of: by a counter, or in the kernel's log where there is none to be seen.
told() {
	case $callee in
	*folio_alloc*) status migrate_failed ;;
	debugfs_* | *root_device*) dmesg | grep -c 'autonuma: debugfs: .* could not be made' ;;
	*)
		awk -v said="$(grep -c 'memory' /tmp/said)" '/no_memory |^queue_full / { n += $2 } END { print n + said }' \
			$debugfs/autonuma/status ;;
	esac 2>/dev/null
}
told_more() { [ "0$(told)" -gt "0$before" ]; }

# Some sites are reached only by a process whose lock is not had when the entries are taken back.
bypass_locked() {
	echo $load >/sys/module/an_hold/parameters/hold
	gears 0
	echo 1 >/sys/module/an_hold/parameters/release
}

cannot_fail() { echo "$function $callee" | grep -qxE "$never"; }

# --- one site ---

# ask ARGUMENT...: what it is refused is in /tmp/said
ask() { autonumactl "$@" >/dev/null 2>>/tmp/said; }

# What was not come past yet: moving pages, what people read, and what they ask for.
exercise() {
	scatter
	cat $debugfs/autonuma/* >/dev/null 2>&1
	ask explain $load
	ask enable --dry-run --pid $load
}

gears() { echo $1 >$parameters/scan; }

# It failed, and the gears run: disarm, and see whether all is well.
survive() {
	disarm
	ask default --pid $load
	if within 10 told_more; then echo "site $n told yes"; fi
	[ "$(status running)" = 1 ] || gears 1
	[ ! -e $debugfs/autonuma/status ] || echo "site $n works $(works)"
}

# For how many seconds such a site is waited for: what is come past only when loading, unloading or once is not come
# past by now, all else is, as soon as there is a pass, a round, or memory to move.
patience() {
	case "$function $callee" in
	*_init\ * | init_module\ * | create_file\ * | need_probes\ * | *take_back* | *probe_unregister) echo 3 ;;
	*) echo 120 ;;
	esac
}

# It went through, so the site is hit by now, or soon. Returns whether it was.
went_through() {
	hit || exercise
	within $(patience) hit || return 1
	survive
}

# Switching the gears on comes past most sites, if not at once, then soon. Returns whether this one was hit.
switch_on() {
	gears 0
	before=$(told)
	arm $address $(address_behind $address 1) 100
	if said=$(gears 1 2>&1); then
		went_through
	else
		echo "site $n refused $said"
		count_hits
		disarm
		echo "site $n stays $(status running) $(cat $parameters/scan)$(ps -o comm | grep knuma)"
		gears 1
		echo "site $n running $(status running)"
	fi
}

# What is left to be hit when the gears are stopped while the lock of a process is not had, or by unloading.
switch_off() {
	case $function in
	*take_back*)
		bypass_locked
		hit || return 1
		survive ;;
	*)
		rmmod autonuma
		hit ;;
	esac
}

load_anew() {
	[ ! -e /sys/module/autonuma ] || rmmod autonuma
	before=$(told)
	arm $address $(address_behind $address 1) 100
	if said=$(modprobe autonuma $args 2>&1); then
		went_through
	else
		echo "site $n refused $said"
		count_hits
		disarm
		echo "site $n left none$(leftovers | tr '\n' ' ')"
		modprobe autonuma $args || exit 1
		echo "site $n running $(status running)"
	fi
}

fail_site() {
	console "$n armed: $function $callee"
	hits=0
	if cannot_fail; then return; fi
	[ -e /sys/module/autonuma ] || modprobe autonuma $args || exit 1
	if [ $loading = yes ]; then
		load_anew || switch_off
	else
		switch_on || switch_off || load_anew
	fi
	disarm
	echo "site $n hits $hits"
}

# address_behind ADDRESS N: hexadecimal, as a decimal number it would be a negative one
address_behind() { printf '0x%x' $(($1 + $2)); }
bases() { cat $sections/.text $sections/.init.text | tr '\n' ' '; }

: >/tmp/said
modprobe an_hold
echo 1 >/proc/sys/kernel/numa_balancing
# A load that leaves time for others: what is emulated slowly need not be busy, too.
echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/load
echo "40000 100000" >/sys/fs/cgroup/load/cpu.max
start_load private --mem 8 --threads 2 --stride 4096 --sweeps 100000000 --born 0
load=$(child_of $load_pid)
echo $load >/sys/fs/cgroup/load/cgroup.procs

modprobe autonuma $args || exit 1
echo "works $(works)"
echo "bases $(bases)"
while read section offset function callee; do
	echo "$(address_behind $(cat $sections/$section) 0x$offset) $function $callee"
done </work/sites >/tmp/addresses
rmmod autonuma

# Then unregistering our probe allocates, too, for the one that stays.
echo 1 >/sys/kernel/tracing/events/sched/sched_process_exit/enable
n=0
while read address function callee; do
	n=$((n + 1))
	[ $((n % every)) = $first ] || continue
	fail_site
	echo "site $n at $(cut -d. -f1 /proc/uptime)"
done </tmp/addresses

[ ! -e /sys/module/autonuma ] || rmmod autonuma
echo "left none$(leftovers | tr '\n' ' ')"
modprobe autonuma $args || exit 1
echo "bases-again $(bases)"
rmmod autonuma

# --- at random, anywhere in the module ---

# Half made caches would leak their name, by the kernel's own fault (sysfs_slab_add): these sites are left out.
for dir in $debugfs/failslab $debugfs/fail_page_alloc; do
	echo $(sed -n 's/ .*kmem_cache_create.*//p' /tmp/addresses) >$dir/reject-start
	echo $(address_behind $(cat $dir/reject-start) 1) >$dir/reject-end
done

arm_all() { arm 0xffffffffa0000000 0xffffffffff000000 $1; }

# Loading, all gears, switching them off and on, unloading. If loading is refused, the rest is done all the same.
random_round() {
	arm_all 3
	if ! modprobe autonuma $args 2>/dev/null; then
		disarm
		echo "random $round left none$(leftovers | tr '\n' ' ')"
		modprobe autonuma $args || exit 1
		arm_all 10
	fi
	scatter
	within 60 hit_often || true
	sleep $seconds
	for on in 0 1 0 1; do gears $on 2>/dev/null; done
	sleep 1
	rmmod autonuma
	count_hits
	disarm
	echo "random $round hits $hits"
	echo "random $round end none$(leftovers | tr '\n' ' ')"
}

round=0
while [ $round -lt $rounds ]; do
	round=$((round + 1))
	console "random $round"
	random_round
done
modprobe autonuma $args || exit 1
echo "random-works $(works)"
rmmod autonuma
end_load $load_pid
SCRIPT
)
GUEST

guest_ended_well
check "the module works before" is "$(said works)" yes
check "it lies at the same address each time" is "$(said bases-again)" "$(said bases)"
check "sites were found" at_least "$nr_sites" 30

n=0
while read -r _ _ function callee; do
	n=$((n + 1))
	is_taken "$n" || continue
	note "site $n: $callee in $function; $(said "site $n hits") failures, $(said "site $n at") s"
	if grep -qxE "$never" <<<"$function $callee"; then continue; fi
	check "site $n: failed" at_least "$(said "site $n hits")" 1
	if grep -q "^site $n refused" "$work/out"; then
		check "site $n: refused for want of memory" like "$(said "site $n refused")" 'Cannot allocate memory'
		check "site $n: refused without a trace" like "$(said "site $n left")$(said "site $n stays")" '^(none|0 N)$'
		check "site $n: runs when there is memory again" is "$(said "site $n running")" 1
	elif [[ $callee != tracepoint_probe_unregister ]]; then
		check "site $n: told of" is "$(said "site $n told")" yes
		[[ $callee =~ $unseen ]] || check "site $n: works afterwards" is "$(said "site $n works")" yes
	fi
done <"$work/sites"
check "nothing is left when the last one has failed" is "$(said left)" none

hits=0
for ((n = 1; n <= rounds; n++)); do
	check "random $n: nothing is left in the end" is "$(said "random $n end")" none
	check "random $n: refused without a trace, if at all" like "$(said "random $n left")" '^(none)?$'
	hits=$((hits + $(said "random $n hits")))
done
check "random: allocations failed" at_least "$hits" 10
check "random: works afterwards" is "$(said random-works)" yes
check "memory as expected in the program" is "$(said load)" 0
finish
