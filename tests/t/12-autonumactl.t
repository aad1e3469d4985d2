#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# autonumactl as far as it goes without the module: command line, messages, doctor and control groups on fixtures of
# machines, requests and answers against a module that is none (tests/ctl/fake.c), man pages. With sanitizers.
source "$(dirname "$0")/../lib.sh"

export ASAN_OPTIONS=detect_leaks=1
asan=$(gcc -print-file-name=libasan.so)
make -s -C "$tests/ctl" OUT="$work" >"$work/log" 2>&1 || { cat "$work/log"; bail "autonumactl does not build"; }
ctl=$work/autonumactl

# ctl ARG...: sets status; output in $work/out and $work/err.
ctl() {
	status=0
	"$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# refuses NAME STATUS MESSAGE ARG...: it ends so, says so, and prints nothing else.
refuses() {
	local name=$1 want=$2 message=$3
	shift 3
	ctl "$@"
	check "$name: status" is "$status" "$want"
	check "$name: message" like "$(cat "$work/err")" "$message"
	check "$name: nothing on standard output" is "$(cat "$work/out")" ""
}

# --- parts ---

while IFS= read -r part; do
	check "part: $part" "$work/parts" "$part"
done < <("$work/parts" --list)

# --- building and installing ---

check "make tools, make install" make -s -C "$top" AUTONUMA_BUILD="$work/build" DESTDIR="$work/there" PREFIX=/usr install
check "the program is installed" test -x "$work/there/usr/sbin/autonumactl"
check "the man pages are installed" is "$(cd "$work/there/usr/share/man" && echo */*)" \
	"man1/numalab.1 man4/autonuma.4 man8/autonumactl.8"
check "--version is the module's" is "$("$work/there/usr/sbin/autonumactl" --version)" \
	"autonumactl $(sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' "$top/module/main.c")"

# --- the command line ---

refuses "no command" 2 'no command'
refuses "unknown command" 2 "no command 'dance'" dance
refuses "unknown option" 2 'unrecognized option' status --dance
refuses "no target" 2 'has to be given' enable
refuses "two targets" 2 'only one of' enable --pid 1 --unit x
refuses "the same target twice" 2 'only one of' disable --pid 1 --pid 1
refuses "a PID that is none" 2 'no process number' default --pid 1x
refuses "an empty control group" 2 'empty' enable --cgroup ''
refuses "a rate that is none" 2 'no number from 0 to 1048576' enable --pid 1 --rate -1
refuses "a rate that is too large" 2 'no number from 0 to 1048576' enable --pid 1 --rate 1048577
refuses "a budget that is too large" 2 'no number from 0 to 100' enable --pid 1 --budget 101
refuses "nodes that are none" 2 'no list of nodes' enable --pid 1 --home 2-1
refuses "settings for disable" 2 'unrecognized option' disable --pid 1 --rate 1
refuses "explain without a process" 2 'no process given' explain
refuses "explain with two" 2 'only one process' explain 1 2
refuses "explain with a thread that is none" 2 'no thread number' explain 1/x
refuses "doctor with an argument" 2 'unexpected argument' doctor 1
refuses "run without a program" 125 'no program' run
refuses "run with an unknown option" 125 'unrecognized option' run --dance -- true

commands=(run enable disable default status explain doctor)
for command in '' "${commands[@]}"; do
	# shellcheck disable=SC2086 # none, or one
	ctl $command --help
	check "${command:-autonumactl} --help: status" is "$status" 0
	check "${command:-autonumactl} --help: says how" like "$(cat "$work/out")" '^Usage: autonumactl'
	cat "$work/out" >>"$work/help"
	# shellcheck disable=SC2086
	ctl $command --usage
	check "${command:-autonumactl} --usage" is "$status" 0
done
for command in "${commands[@]}"; do
	check "--help lists $command" like "$(cat "$work/help")" "^  $command +[A-Z]"
done

if [[ -e /dev/full ]]; then
	status=0
	"$ctl" doctor >/dev/full 2>"$work/err" || status=$?
	check "output that is lost: status" is "$status" 1
	check "output that is lost: message" like "$(cat "$work/err")" 'No space left'
fi

# --- without the module, and targets that are not there ---

if [[ ! -e /sys/module/autonuma ]]; then
	no_module='^autonumactl: autonuma is not loaded: modprobe autonuma$'
	refuses "enable without the module" 1 "$no_module" enable --pid $$
	refuses "status of a process without the module" 1 "$no_module" status --pid $$ --json
	refuses "explain without the module" 1 "$no_module" explain $$
	refuses "run without the module" 125 "$no_module" run -- true
fi
refuses "a process that is not there" 1 '2147483646: there is none \(No such process\)' enable --pid 2147483646
ctl status
check "status of the machine" is "$status" 0
ctl status --json
check "status of the machine is JSON" jq -e 'has("hooks") and has("loaded") and has("parameters")' "$work/out"

python3 -c 'import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start(); time.sleep(1000)' & many=$!
for ((i = 0; i < 100; i++)); do
	tid=$(find "/proc/$many/task" -mindepth 1 -maxdepth 1 ! -name "$many" -printf "%f\n")
	if [[ $tid ]]; then break; fi
	sleep 0.1
done
refuses "a thread is no target" 1 "$tid is a thread of process $many" enable --pid "$tid"

# --- fixtures of machines ---

machine=$work/machine
put() { mkdir -p "$(dirname "$machine/$1")"; printf '%s\n' "$2" >"$machine/$1"; }

# Two nodes, the module loaded, nothing wrong.
good_machine() {
	local name
	rm -rf "$machine"
	put proc/sys/kernel/osrelease 6.12.1-test
	put proc/kallsyms '0000000000000000 T autonuma_register'
	put proc/cmdline 'root=/dev/vda ro'
	put proc/self/mounts 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0'
	put proc/1/comm init
	put proc/sys/kernel/numa_balancing 0
	put proc/sys/vm/zone_reclaim_mode 0
	for name in online has_memory has_cpu; do put "sys/devices/system/node/$name" 0-1; done
	put sys/devices/system/node/node0/distance '10 21'
	put sys/devices/system/node/node1/distance '21 10'
	put sys/module/autonuma/version 0.1.0
	put sys/module/autonuma/parameters/scan Y
	put sys/module/autonuma/parameters/migrate async
	put sys/fs/cgroup/cgroup.controllers 'cpu memory'
	put sys/fs/cgroup/system.slice/web.service/cgroup.procs ''
	put sys/fs/cgroup/user.slice/user-1.slice/user@1.service/app.slice/mail.service/cgroup.procs ''
	put sys/fs/cgroup/user.slice/user-2.slice/user@2.service/app.slice/mail.service/cgroup.procs ''
}

unload() {
	rm -r "$machine/sys/module/autonuma"
}

# finds NAME VERDICT CHECK TEXT: the doctor says so.
finds() {
	ctl doctor --root "$machine"
	check "doctor: $1" like "$(cat "$work/out")" "^$2 +$3: .*$4"
	check "doctor: $1: status" is "$status" "$([[ $2 = bad ]] && echo 1 || echo 0)"
	"$ctl" doctor --json --root "$machine" >"$work/json" || true
	check "doctor: $1: JSON" jq -e --arg v "$2" --arg c "$3" \
		'.findings | any(.verdict == $v and .check == $c)' "$work/json"
}

# What takes no requests is not loaded here; with --root that is not even tried.
good_machine
finds "a good machine" ok nodes '2 nodes with memory'
check "doctor: a good machine: nothing else" unlike "$(cat "$work/out")" '^(warn|bad)'
good_machine; unload
finds "not loaded" bad module 'not loaded'
check "doctor: not loaded: what to do" like "$(cat "$work/out")" 'to do: modprobe autonuma'
good_machine; unload; put proc/kallsyms '0000000000000000 T register_chrdev'
finds "no hooks" bad hooks 'has no hooks'
good_machine; unload; rm "$machine/proc/kallsyms"; put boot/config-6.12.1-test 'CONFIG_AUTONUMA_HOOKS=y'
"$ctl" doctor --root "$machine" >"$work/out" || true
check "doctor: hooks by the config" like "$(cat "$work/out")" "^ok +hooks: 6.12.1-test has"
good_machine; unload; put proc/kallsyms '0000000000000000 t autonuma_register	[other]'
finds "hooks of somebody else" bad hooks 'has no hooks'
good_machine; put sys/module/autonuma/parameters/enabled N
finds "switched off" bad gears 'enabled is 0'
good_machine; put sys/module/autonuma/parameters/scan N
finds "scan off" bad gears 'scan is 0'
good_machine; put sys/module/autonuma/parameters/migrate off
finds "migrate off" warn migrate 'no memory is moved'
good_machine; put sys/module/autonuma/parameters/scope asked
finds "scope" info scope 'only what was asked for'
good_machine; put proc/sys/kernel/numa_balancing 1
finds "not in charge" bad in-tree 'not in charge'
good_machine; unload; put proc/sys/kernel/numa_balancing 2
finds "memory tiering" bad in-tree 'tiering'
good_machine; put sys/devices/system/node/has_memory 0
finds "one node" info nodes 'nothing to balance'
good_machine; put sys/devices/system/node/has_cpu 0
finds "no CPUs" info nodes 'node 1 has no CPUs'
good_machine; put sys/devices/system/node/online 0-2; put sys/devices/system/node/node2/distance '21 21 10'
put sys/devices/system/node/node0/distance '10 21 21'; put sys/devices/system/node/node1/distance '21 10 21'
finds "no memory" info nodes 'node 2 has no memory'
finds "distances all alike" info distances 'equally far'
good_machine; put sys/devices/system/node/node1/distance '10 10'
finds "implausible distances" warn distances '2 of 4'
good_machine; put proc/sys/vm/zone_reclaim_mode 1
finds "zone reclaim" warn zone_reclaim 'is 1'
good_machine; put proc/77/comm numad
finds "numad" bad numad 'process 77'
good_machine; put sys/kernel/mm/numa/demotion_enabled true
finds "demotion" warn demotion 'demotes'
good_machine; put sys/kernel/mm/ksm/run 1; put sys/kernel/mm/ksm/merge_across_nodes 1
finds "KSM" warn ksm 'merges'
good_machine; put sys/kernel/sched_ext/state enabled
finds "sched_ext" warn sched_ext 'BPF'
good_machine; put sys/kernel/mm/transparent_hugepage/enabled 'always madvise [never]'
finds "huge pages" info huge_pages 'are off'
good_machine; put proc/cmdline 'numa_balancing=enable isolcpus=2 quiet'
finds "boot arguments" info boot 'numa_balancing=enable'
finds "isolated CPUs" info boot 'isolcpus=2'
good_machine; put proc/cmdline 'numa=off'
finds "numa=off" warn boot 'numa=off'
good_machine; put proc/self/mounts 'tmpfs / tmpfs rw 0 0'
finds "no cgroup v2" warn cgroup 'not mounted'
good_machine; put sys/fs/cgroup/system.slice/cpuset.mems 0
finds "cpusets" info cpusets '1 control groups'
rm -rf "$machine"; mkdir "$machine"
ctl doctor --root "$machine"
check "doctor: nothing there: goes on to the end" like "$(cat "$work/out")" 'cgroup'

good_machine
ctl status --root "$machine" --json
check "status: on a fixture" jq -e '.loaded and .hooks and .on and .version == "0.1.0" and .numa_balancing == 0 and
	.parameters == { migrate: "async", scan: "Y" }' "$work/out"
ctl status --root "$machine"
check "status: for people" like "$(cat "$work/out")" '^  migrate +async$'

# --- requests and answers ---

# fake ARG...: as ctl, with the module that is none.
fake() {
	status=0
	rm -f "$work/asked"
	env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$asan $work/fake.so" FAKE_LOG="$work/asked" "${fakes[@]}" \
		"$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# asks NAME REQUEST ARG...: it is done, in silence, by this request.
asks() {
	local name=$1 request=$2
	shift 2
	fake "$@"
	check "$name: status" is "$status" 0
	check "$name: nothing is said" is "$(cat "$work/out" "$work/err")" ""
	check "$name: request" is "$(cat "$work/asked")" "$request"
}

fakes=()
asks enable "cmd 1 pid $$ choice 1 flags 0 rate 0 budget 0" enable --pid $$
asks "enable with settings" "cmd 1 pid $$ choice 1 flags 1 rate 100 budget 5" enable --pid $$ --dry-run --rate=100 --budget 5
asks disable "cmd 1 pid $$ choice 2 flags 0 rate 0 budget 0" disable --pid $$
asks default "cmd 1 pid $$ choice 0 flags 0 rate 0 budget 0" default --pid $$
asks "home nodes" "cmd 1 cgroup choice 1 flags 0 rate 0 budget 0 home 0x3" \
	enable --root "$machine" --cgroup system.slice --home 0-1
group="cmd 1 cgroup choice 1 flags 0 rate 0 budget 0"
asks "a control group with its mount point" "$group" enable --root "$machine" --cgroup /sys/fs/cgroup/system.slice
asks "a control group as in /proc/PID/cgroup" "$group" enable --root "$machine" --cgroup /system.slice/web.service
asks "a unit" "$group" enable --root "$machine" --unit web
asks "a unit with its suffix" "$group" enable --root "$machine" --unit user-1.slice
asks "the first control group" "$group" enable --root "$machine" --cgroup /

fake status --root "$machine" --unit web
check "a unit: it is this one" like "$(cat "$work/out")" '^control group /system.slice/web.service$'
refuses "a unit that is not there" 1 'unit nothing.service has no control group' enable --root "$machine" --unit nothing
refuses "a part of a name is no unit" 1 'has no control group' enable --root "$machine" --unit we
refuses "a unit that is there twice" 1 'has 2 control groups' enable --root "$machine" --unit mail
check "a unit that is there twice: which" like "$(cat "$work/err")" '^/user.slice/user-2.slice/.*/mail.service$'
if ((EUID)); then
	skip "a unit: what another user made is none" "needs root, to give a directory away"
else
	chown 2 "$machine/sys/fs/cgroup/user.slice/user-2.slice/user@2.service"
	asks "a unit: what another user made is none" "$group" enable --root "$machine" --unit mail
	chown 0 "$machine/sys/fs/cgroup/user.slice/user-2.slice/user@2.service"
fi
mkdir "$machine/sys/fs/cgroup/"$'\e[2Jb\xfc\u20ac'
fake status --root "$machine" --cgroup $'\e[2Jb\xfc\u20ac'
check "a name that is no harmless text" is "$(head -n 1 "$work/out")" $'control group /?[2Jb?\u20ac'
rmdir "$machine/sys/fs/cgroup/"$'\e[2Jb\xfc\u20ac'
refuses "a control group that is not there" 1 '/sys/fs/cgroup/nothing: No such file' status --root "$machine" --cgroup nothing
refuses "a control group that is a file" 1 'Not a directory' status --root "$machine" --cgroup cgroup.controllers
refuses "a home without memory" 1 'node 7 has no memory; these have: 0-1' enable --root "$machine" --pid $$ --home 0,7

fake run --rate 7 -- sh -c 'echo "$$ $0 $*"; exit 7' --rate 1 --
check "run: the program's status" is "$status" 7
check "run: the program's output, and its options are its own" like "$(cat "$work/out")" '^[0-9]+ --rate 1 --$'
read -r pid _ <"$work/out"
check "run: it was asked for by itself, once" is "$(cat "$work/asked")" "cmd 1 pid $pid choice 1 flags 0 rate 7 budget 0"
fake run sh -c 'ls /proc/self/fd | wc -l'
check "run: no file is left open" is "$(cat "$work/out")" "$(sh -c 'ls /proc/self/fd | wc -l' </dev/null 2>/dev/null)"
fakes=(PATH=/usr/bin:/bin)	# all readable: who may not look into a directory cannot tell what is not there
fake run -- no-such-program-anywhere
fakes=()
check "run: not found" is "$status" 127
fake run -- /proc/version
check "run: not executable" is "$status" 126
check "run: not executable: message" like "$(cat "$work/err")" '^autonumactl: /proc/version: Permission denied$'

# refused_by NUMBER STATUS MESSAGE ARG...
refused_by() {
	local number=$1 want=$2 message=$3
	shift 3
	fakes=(FAKE_ERRNO="$number")
	fake "$@"
	check "error $number: status" is "$status" "$want"
	check "error $number: message" like "$(cat "$work/err")" "$message"
	check "error $number: nothing on standard output" is "$(cat "$work/out")" ""
}

refused_by 1 1 'Operation not permitted: .*CAP_SYS_NICE' enable --pid $$
refused_by 3 1 'No such process: the process has ended' status --pid $$
refused_by 3 1 'No such process: the thread has ended' explain $$/$$
refused_by 7 1 'Argument list too long: .*older' enable --pid $$
refused_by 9 1 'Bad file descriptor: .*cgroup v2' enable --root "$machine" --unit web
refused_by 12 1 'Cannot allocate memory: nothing has changed' enable --pid $$
refused_by 13 1 'Permission denied: .*numa_maps' explain --json $$
refused_by 13 1 'Permission denied: .*write its directory' status --root "$machine" --unit web
refused_by 19 1 'No such device: it has been removed' enable --root "$machine" --unit web
refused_by 22 1 'Invalid argument: ' enable --pid $$
refused_by 95 1 'Operation not supported: .*older' explain $$
refused_by 1 125 'Operation not permitted' run -- true
fakes=(FAKE_ERRNO=22 FAKE_SAID="home nodes: no memory there")
fake enable --pid $$
check "the module's own words" like "$(cat "$work/err")" 'Invalid argument.*home nodes: no memory there'

fakes=()
fake status --pid $$
check "status: state" like "$(cat "$work/out")" '^  state +looked at, nothing is moved'
check "status: forecast" like "$(cat "$work/out")" '^  forecast +97.0 %'
check "status: expected gain" like "$(cat "$work/out")" '^  expected gain +\+47.0 points'
fake status --json --pid $$
check "status: JSON" jq -e '.scope.state == "dry_run" and .scope.forecast_pm == 970 and .scope.gain_pm == 470 and .settings.home_nodes == [0] and
	.why == null' "$work/out"
fake explain "$many"
check "explain: a line for each thread" is "$(grep -c '^  [0-9].*on node 0, best node 1: the better node is loaded' "$work/out")" 2
check "explain: memory" like "$(cat "$work/out")" 'node 0: 1.0 GiB \(100 %\), node 1: 4.0 MiB'
check "explain: a decision" like "$(cat "$work/out")" 'moved to an idle CPU.*from node 0, to node 1, gain 34.5 % \(move idle\)'
check "explain: one of a newer module" like "$(cat "$work/out")" 'of_tomorrow, .*\(dream of_tomorrow\)'
fake explain --json "$many"
check "explain: JSON" jq -e '(.threads | length) == 2 and .threads[1].thread.best == 1 and .threads[1].thread.moved_to == null and
	.decisions[0].gain_pm == 345 and .home == [1] and .pages == [262144, 1024] and
	.scope.gain_pm == 470 and .process.gain_pm == null' "$work/out"
fake explain "$many/$tid"
check "explain: a thread" like "$(cat "$work/out")" '^  stays because +the better node is loaded'
check "explain: its request" is "$(cat "$work/asked")" "cmd 3 pid $many tid $tid"
fake explain --json "$many/$tid"
check "explain: a thread in JSON" jq -e ".tid == $tid and .why.reason == \"no_room\" and .private == [10, 30]" "$work/out"
fakes=(FAKE_TID_ERRNO=3)
fake explain "$many"
check "explain: threads that end meanwhile are left out" is "$status" 0
kill "$many"

# --- man pages ---

page() { mandoc -T ascii "$top/docs/man/$1" | col -bx; }
options_of() { grep -oE -- '(^|[^a-z-])--[a-z][a-z-]*' | grep -oE -- '--.*' | sort -u; }

page autonumactl.8 >"$work/page"
check "autonumactl.8 has the options that --help has" is "$(options_of <"$work/page")" "$(options_of <"$work/help")"
check "numalab.1 has the options that --help has" is \
	"$(page numalab.1 | sed '/^EXAMPLES/,/^SEE ALSO/d' | options_of)" "$({ echo --help; "$top/tools/numalab" --help; } | options_of)"
for command in "${commands[@]}"; do
	check "autonumactl.8: $command" like "$(cat "$work/page")" "^     $command( |\$)"
done
page autonuma.4 >"$work/page"
while IFS= read -r name; do
	check "autonuma.4: parameter $name" like "$(cat "$work/page")" "^ +$name \\("
done < <(sed -n 's/^module_param_cb(\([a-z_]*\),.*/\1/p' "$top"/module/*.c)
while IFS= read -r act; do
	check "autonuma.4: event $act" like "$(tr -s ' \n' ' ' <"$work/page")" "[ (]$act[ ,;.]"
done < <(sed -n 's/^DEFINE_EVENT(autonuma_decision, autonuma_\([a-z_]*\),/\1/p' "$top/module/trace.h")
finish
