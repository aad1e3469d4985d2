#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# numalab does what it says: output, status, machines, failures.
source "$(dirname "$0")/../lib.sh"

lab=$top/tools/numalab
small=(--nodes 2 --cpus 2 --mem 128)

# lab_run OPTION... -- PROGRAM...: sets lab_status; its output is in $work/out and $work/err.
lab_run() {
	lab_status=0
	nice "$lab" run --timeout 300 "$@" >"$work/out" 2>"$work/err" || lab_status=$?
}

cat >"$work/bytes" <<'EOS'
#!/bin/sh
i=0
while [ $i -lt 4000 ]; do echo "line $i of the output"; i=$((i + 1)); done
printf 'no newline at the end'
echo "an error" >&2
exit 7
EOS
chmod +x "$work/bytes"
sh "$work/bytes" >"$work/expected" 2>/dev/null || true
lab_run "${small[@]}" -- "$work/bytes"
check "the program's status" is "$lab_status" 7
check "standard output, byte for byte" cmp "$work/expected" "$work/out"
check "standard error is kept apart" like "$(cat "$work/err")" '^an error$'

cat >"$work/shape" <<'EOS'
#!/bin/sh
numactl --hardware
cat "$1"
EOS
chmod +x "$work/shape"
echo "a file" >"$work/data"
lab_run --nodes 5 --cpus 1,2,1,1,0 --mem 128,64,64,0,64 --distance ring --file "$work/data" -- "$work/shape" data
check "a machine of a wild shape: boots" is "$lab_status" 0
check "ring: distances" like "$(tr -s ' ' <"$work/out")" '0: 10 21 31 31 21'
check "a node with two CPUs" like "$(cat "$work/out")" 'node 1 cpus: 1 2$'
check "a node without CPUs" like "$(cat "$work/out")" 'node 4 cpus: *$'
check "a node without memory" like "$(cat "$work/out")" 'node 3 size: 0 MB'
check "--file" like "$(cat "$work/out")" '^a file$'

lab_run "${small[@]}" -- sh -c 'echo c >/proc/sysrq-trigger'
check "a panic is a failure" is "$lab_status" 70
check "its console is shown" like "$(cat "$work/err")" 'Kernel panic'

lab_run "${small[@]}" -- sh -c 'echo "<4>WARNING: a test of the console" >/dev/kmsg'
check "a warning of the kernel is a failure" is "$lab_status" 70

# The debug kernel looks for leaks when the program has ended, before the verdict.
lab_run "${small[@]}" --mem 256 --config debug --module "$tests/kmod" -- modprobe an_leak
check "a leak is a failure" is "$lab_status" 70
check "and is shown" like "$(cat "$work/err")" 'unreferenced object'
lab_run "${small[@]}" --mem 256 --config debug -- sh -c 'echo off >/sys/kernel/debug/kmemleak'
check "who cannot look for leaks fails" is "$lab_status" 70

# The emulator loses a CPU's timer once in a hundred boots or so: tools/lab/ticks.c.
lab_run "${small[@]}" -- sh -c 'ticks && echo all tick'
check "each CPU has a timer" is "$(cat "$work/out")" "all tick"
printf '#!/bin/sh\necho CPU 1 has no timer\nexit 1\n' >"$work/ticks"
chmod +x "$work/ticks"
lab_run "${small[@]}" --file "$work/ticks" -- echo started
check "a CPU without one: no program is started" is "$lab_status-$(cat "$work/out")" "70-"
check "and the machine was started again" is "$(grep -c 'once more' "$work/err")" 2
check "and why" like "$(tail -n 1 "$work/err")" "lost a CPU's timer while the machine was starting, 3 times"

# A kernel that waits for ever: its root is to be a disk that never comes.
lab_run "${small[@]}" --boot-timeout 5 --append 'rdinit=/none root=/dev/vda rootwait' -- echo started
check "a kernel that hangs: no program is started" is "$lab_status-$(cat "$work/out")" "70-"
check "and the machine was started again" is "$(grep -c 'once more' "$work/err")" 2
check "and why" like "$(tail -n 1 "$work/err")" 'did not come to its init in 5 s, 3 times'

lab_run "${small[@]}" --timeout 60 -- sleep 1000
check "the time limit" is "$lab_status" 124
check "what hangs is told" like "$(cat "$work/err")" 'sleep S \(sleeping\) .* in .*nanosleep'

lab_run "${small[@]}" -- no-such-program
check "a program that is not there" is "$lab_status" 127

for wrong in "--nodes 0" "--balancer other" "--mem x" "--distance 5" "--no-such-option 1"; do
	# shellcheck disable=SC2086 # two words
	lab_run $wrong -- true
	check "$wrong is refused" is "$lab_status" 125
done

lab_run "${small[@]}" --balancer in-tree -- cat /proc/sys/kernel/numa_balancing
check "in-tree balancing is on" is "$(cat "$work/out")" 1
lab_run "${small[@]}" -- cat /proc/sys/kernel/numa_balancing
check "and off otherwise" is "$(cat "$work/out")" 0
finish
