#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The interface, asked by those who should not: every error that it documents, everybody who may not, sockets that are
# open when the module goes. Then requests at random on the debug kernel, while processes and control groups come and
# go, memory is wanting, and the module is unloaded and loaded.
source "$(dirname "$0")/../lib.sh"

seconds=$(long_or_short 600 12)	# of each way of fuzzing
seed=${AUTONUMA_SEED:-$RANDOM}
args="min_process_cpu_ms=0 min_process_mb=1 scan_period_min_ms=50"

# --- what is refused, and to whom ---

# The third node has no memory.
NUMALAB_NOLOAD=1 guest --nodes 3 --cpus 2,1,1 --mem 256,256,0 --balancer autonuma <<GUEST
args="$args"
$(cat <<'SCRIPT'
modprobe autonuma $args || exit 1
ask refusals
echo "ended refusals $?"
ask strangers
echo "ended strangers $?"
ask hold 9 >/tmp/hold &
holder=$!
wait_until grep -qs holding /tmp/hold
echo "references $(cat /sys/module/autonuma/refcnt)"
rmmod autonuma
echo "unloaded $?"
kill -USR1 $holder
wait_until grep -qs old /tmp/hold
modprobe autonuma $args
kill -USR1 $holder
wait $holder
cat /tmp/hold
SCRIPT
)
GUEST

guest_ended_well

# refused ERRNO NAME...: these, and no other, are answered so.
refused() {
	check "answered $1: ${*:2:3} ..." is "$(said refusal | awk -v err="$1" '$2 == err { print $1 }' | sort | tr '\n' ' ')" \
		"$(printf '%s\n' "${@:2}" | sort | tr '\n' ' ')"
	known=$((known + $# - 1))
}

known=0
refused EINVAL settings-missing settings-0 settings-15 choice-unknown choice-huge flag-unknown flag-highest \
	rate-beyond budget-beyond {default,excluded}-with-{flag,rate,budget} \
	home-7-bytes home-9-bytes home-excluded home-default home-far-beyond home-no-memory home-beyond \
	attribute-0 attribute-next attribute-next-get attribute-next-explain attribute-huge attribute-of-answers \
	pad-in-set tid-in-set tid-in-get settings-in-get home-in-explain nested byte-order tid-2-bytes tid-8-bytes \
	target-none target-none-get target-both pidfd-{0,2,8}-bytes cgroup-3-bytes \
	header-reserved flags-unknown rest-behind pidfd-kernel-thread pidfd-thread cgroup-explain refused
refused E2BIG settings-17-set settings-24-set settings-4096-set
refused EOPNOTSUPP command-0 command-next command-255 flags-dump
refused EBADF pidfd-{closed,negative,huge,file,directory,proc,cgroup,socket,path} \
	cgroup-{closed,negative,file,directory,sys,proc,pidfd,socket,path}
refused ESRCH {zombie,reaped}-{default,asked,excluded,get,explain} pidfd-thread-ended tid-ended \
	tid-of-another tid-0 tid-none tid-negative
refused ENODEV removed-{get,asked,default,later}
refused ok settings-16 settings-{17,24,4096}-zero flag-known rate-most budget-most excluded default default-again \
	home-two home-zero-tail home-zero home-empty question pidfd-leader-as-thread tid-of-thread tid-own \
	cgroup cgroup-asked cgroup-root chosen asked
check "that was all" is "$(said refusal | wc -l)" $known
check "what is refused changes nothing" is "$(said holds)" "1 1 7 9"
check "all was asked" is "$(said "ended refusals")" 0

# "WHOM CHOOSE READ" of one who asks, as errors: what he gets for choosing and taking back, and for what there is to read.
# Reading a process is compared with reading its numa_maps, unless that does not pass through the socket in question.
rights() {
	said "stranger $1" | awk -v socket="$([[ $1 = *-by-* ]] && echo 1)" '
		$2 == "numa_maps" && socket { next }
		{ kind = $2 ~ /set$/ ? "choose" : "read"; whom[$1]; if (!(index(seen[$1 kind] " ", " " $3 " "))) seen[$1 kind] = seen[$1 kind] " " $3 }
		END { for (w in whom) print w seen[w "choose"] seen[w "read"] }' | sort
}

# may WHO RIGHTS: "WHOM CHOOSE READ", separated by commas
may() { check "rights: $1" is "$(rights "$1" | paste -sd,)" "$(tr ',' '\n' <<<"$2" | sort | paste -sd,)"; }

own="self ok ok,child ok ok,hidden ok EACCES"
nobodys="root's EPERM EACCES,root's-cgroup EACCES EACCES"
may root "root's ok ok,self ok ok,child ok ok,hidden ok ok,root's-cgroup ok ok,user's-cgroup ok ok"
may user "$own,$nobodys,user's-cgroup ok ok"
may other "$own,$nobodys,user's-cgroup EACCES EACCES"
may nice "$own,root's ok EACCES,root's-cgroup EACCES EACCES,user's-cgroup ok ok"
may ptrace "self ok ok,child ok ok,hidden ok ok,root's EPERM ok,root's-cgroup EACCES EACCES,user's-cgroup ok ok"
may inside "$own,$nobodys,user's-cgroup ok ok"
may net "$own,$nobodys,user's-cgroup ok ok"
none="self EPERM EPERM,root's EPERM EPERM,user's-cgroup EPERM EPERM"
may root-by-user\'s "$none"
may user-by-root\'s "$none"
may nice-by-user\'s "$none"
may inside-by-user\'s "$none"
may group "group's-cgroup ok ok"
may group-by-user\'s "group's-cgroup EACCES EACCES,user's-cgroup ok ok"
may fsgid-by-user\'s "self EPERM EPERM"
may user-by-nice\'s "self ok ok,root's EPERM EACCES,user's-cgroup ok ok"
check "a read-only mount can be told" is "$(said "stranger read-only mkdir")" EROFS
check "rights: through a read-only mount" is "$(said "stranger read-only root's-cgroup" | awk '{ print $2 }' | sort -u)" EACCES
check "a pid namespace: a number of its own" is "$(said "stranger pidns inside-tid")" ok
check "a pid namespace: a number from outside" is "$(said "stranger pidns outside-tid")" ESRCH
check "decisions: there are some about a process, none about who has its number next" \
	like "$(said "stranger recycled decisions")" '^[1-9][0-9]* 0$'
check "told: of the cgroup that was asked for: all that it covers" is "$(said "told root outer")" "2 some"
check "told: of a cgroup below: what is there" is "$(said "told root inner")" "1 some"
check "told: of a process: its own" is "$(said "told root process")" "1 some"
check "told: who may write the cgroup below: the same" is "$(said "told user inner")" "1 some"
check "told: of a process that is not balanced: nothing of the others" is "$(said "told user self")" "0 none"
# "STATE SOURCE" of a process and of its cgroup, both asked for without CAP_SYS_NICE; source 1 is a process, 2 a cgroup
decided() { said "decided $1" | paste -sd,; }
check "decided: the nearest choice, by the same" is "$(decided excluded-by-the-same)" "self in 1,inner in 2"
check "decided: excluded with CAP_SYS_NICE: nor by who owns that very control group" \
	is "$(said stranger excluded asks) $(said stranger excluded takes-back)" "EPERM EPERM"
check "decided: excluded above with CAP_SYS_NICE: not undone" is "$(decided excluded-by-root)" "self out 2,inner out 2"
check "decided: but by who has it, too" is "$(decided asked-by-root)" "self in 1,inner in 2"
check "decided: excluded no more" is "$(decided not-excluded)" "self in 1,inner in 2"
check "everybody has asked" is "$(said "ended strangers")" 0

check "open sockets hold no reference" is "$(said references)" 0
check "the module can be unloaded" is "$(said unloaded)" 0
check "what was unread is there" at_least "$(said unread)" 3
check "old sockets: the family is gone" is "$(said old)" "ENOENT 9"
check "old sockets: it is found anew" is "$(said anew)" "ok 9"

# --- at random ---

NUMALAB_NOLOAD=1 guest --config debug --nodes 2 --cpus 2 --mem 512 --balancer autonuma <<GUEST
seconds=$seconds seed=$seed args="$args"
$(cat <<'SCRIPT'
debugfs=/sys/kernel/debug

# Objects that are charged to somebody, as choices are, without what KASAN has yet to free. So are the votes on regions of who is
# balanced at this moment, which are alone in having 4 KiB.
objects() {
	for cache in /sys/kernel/slab/kmalloc-cg-*; do echo 1 >$cache/shrink; done
	awk '/^kmalloc-cg-/ && $1 != "kmalloc-cg-4k" { n += $2 } END { print n }' /proc/slabinfo
}

# As few as before, or 10 more: what else is charged differs by a few. Who has just ended is freed a while later.
few_objects() { [ "$(objects)" -le $((before + 10)) ]; }

leftovers() {
	[ ! -e /sys/module/autonuma ] || echo module
	[ ! -e $debugfs/autonuma ] || echo debugfs
	ps -o comm | grep knuma
	ls /sys/fs/cgroup | grep ask
}

# fuzz NAME SECONDS: whoever runs it is marked for failing allocations, which do no harm until one is armed.
fuzz() {
	begin "$1"
	sh -c 'echo 1 >/proc/self/make-it-fail; renice -n 10 -p $$ >/dev/null; exec ask fuzz "$@"' sh $2 $seed 4
	echo "ended $?"
	seed=$((seed + 1))
}

# Allocations of the module, in whoever asks or forks.
arm() {
	echo 0 >$debugfs/failslab/verbose
	echo N >$debugfs/failslab/ignore-gfp-wait
	echo N >$debugfs/failslab/cache-filter
	echo Y >$debugfs/failslab/task-filter
	echo 32 >$debugfs/failslab/stacktrace-depth
	echo 0xffffffffa0000000 >$debugfs/failslab/require-start
	echo 0xffffffffff000000 >$debugfs/failslab/require-end
	echo -1 >$debugfs/failslab/times
	echo 30 >$debugfs/failslab/probability
}

# unload_and_load SECONDS: in turn, while it is being asked; in the end it is there.
unload_and_load() {
	read -r now rest </proc/uptime
	end=$((${now%.*} + $1)) times=0 refused=0
	while [ "${now%.*}" -lt $end ]; do
		if rmmod autonuma; then times=$((times + 1)); else refused=$((refused + 1)); fi
		usleep $((times % 5 * 100000))
		modprobe autonuma $args
		usleep $((times % 7 * 200000))
		read -r now rest </proc/uptime
	done
	echo "unloaded $times"
	echo "refused $refused"
}

renice -n -10 -p $$ >/dev/null
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
modprobe autonuma $args || exit 1
fuzz 0 2
rmmod autonuma
before=$(objects)
echo "before $before"

modprobe autonuma $args
fuzz 1 $seconds
arm
fuzz 2 $seconds
echo "lost $(status choices_lost)"
echo 0 >$debugfs/failslab/probability
within 20 few_objects || true
echo "loaded $(objects)"
rmmod autonuma

modprobe autonuma $args
fuzz 3 0 >/tmp/fuzz &	# until it is told to end, which it does when the module is there again
fuzzer=$!
wait_until grep -qs fuzzing /tmp/fuzz
unload_and_load $seconds >/tmp/unloaded
killall -USR1 ask
wait $fuzzer
cat /tmp/fuzz /tmp/unloaded

begin 4
ask hold 30 >/tmp/hold &
holder=$!
wait_until grep -qs holding /tmp/hold
rmmod autonuma
echo "unloaded $?"
kill -USR1 $holder
wait_until grep -qs old /tmp/hold
modprobe autonuma $args
kill -USR1 $holder
wait $holder
cat /tmp/hold

begin 5
rmmod autonuma
echo "unloaded $?"
echo "left none$(leftovers | tr '\n' ' ')"
within 20 few_objects || true
echo "after $(objects)"
SCRIPT
)
GUEST

guest_ended_well
note "seed $seed"
for case in 1 2 3; do
	what=$(case $case in 1) echo at random ;; 2) echo without memory ;; 3) echo while it is unloaded ;; esac)
	note "$what: $(json $case tostring)"
	check "$what: only errors that are documented, and it works in the end" is "$(said_in $case ended)" 0
	# While it is loaded and unloaded a request takes long, and few find it.
	requests=100 ok=20 errors="EINVAL E2BIG EBADF ESRCH EPERM EACCES EOPNOTSUPP"
	if [[ $case = 3 ]]; then requests=10 ok=1 errors=EINVAL; fi
	check "$what: many requests" at_least "$(json $case .requests)" $requests
	check "$what: some succeed" at_least "$(json $case .ok)" $ok
	for err in $errors; do
		check "$what: some end in $err" at_least "$(json $case ".$err")" 1
	done
	for done in forks execs cgroups moves; do
		check "$what: meanwhile: $done" at_least "$(json $case ".$done")" 2
	done
done
check "at random: the module is there all the time" is "$(json 1 .ENOENT)" null
check "without memory: it is told of" at_least "$(json 2 .ENOMEM)" 10
check "without memory: children have lost a choice, counted" at_least "$(said lost)" 1
check "while it is unloaded: it was" at_least "$(said_in 3 unloaded)" 1
check "while it is unloaded: never refused" is "$(said_in 3 refused)" 0
check "while it is unloaded: requests found no family" at_least "$(json 3 .ENOENT)" 1
check "open sockets: the module can be unloaded" is "$(said_in 4 unloaded)" 0
check "open sockets: the family is gone" is "$(said_in 4 old)" "ENOENT 30"
check "open sockets: it is found anew" is "$(said_in 4 anew)" "ok 30"
check "the module can be unloaded in the end" is "$(said_in 5 unloaded)" 0
check "nothing is left" is "$(said_in 5 left)" none
# Hundreds of choices were made, or more.
before=$(said_in 0 before) loaded=$(said_in 2 loaded) after=$(said_in 5 after)
check "choices have ended with their processes and control groups: $loaded objects, $before before" \
	at_most $((loaded - before)) 10
check "no choice is left in the end: $after objects" at_most $((after - before)) 10
finish
