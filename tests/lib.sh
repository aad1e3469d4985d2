# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests/t/*.t: TAP for prove, guests with several cases in one boot, and what the meter read in each.
set -euo pipefail

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$tests")
build=${AUTONUMA_BUILD:-$top/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/autonuma-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# --- TAP ---

tap_count=0 tap_failed=0

note() { sed 's/^/# /' <<<"$*"; }

# check NAME COMMAND...: the command has to succeed; what it prints is shown if it does not.
check() {
	local name=$1 said
	shift
	tap_count=$((tap_count + 1))
	if said=$("$@" 2>&1); then
		echo "ok $tap_count - $name"
	else
		echo "not ok $tap_count - $name"
		note "failed: $*${said:+$'\n'$said}"
		tap_failed=$((tap_failed + 1))
	fi
}

# skip NAME REASON: has to be in tests/SKIPS.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

finish() {
	echo "1..$tap_count"
	((tap_failed == 0))
}

bail() { echo "Bail out! $*"; exit 1; }

# --- conditions for check ---

is() { [[ $1 = "$2" ]] || { echo "'$1' instead of '$2'"; return 1; }; }
isnt() { [[ $1 != "$2" ]] || { echo "'$1', which it should not be"; return 1; }; }
like() { grep -qE -- "$2" <<<"$1" || { echo "no match of $2 in:"; echo "$1"; return 1; }; }
unlike() { ! grep -qE -- "$2" <<<"$1" || { echo "a match of $2 in:"; echo "$1"; return 1; }; }
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 >= b + 0) }' || { echo "'$1' is less than $2"; return 1; }; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 <= b + 0) }' || { echo "'$1' is more than $2"; return 1; }; }
fails() { ! "$@" || { echo "it holds: $*"; return 1; }; }

# --- guests ---

# long_or_short LONG SHORT: how much of it; make torture sets AUTONUMA_LONG.
long_or_short() { if [[ -n ${AUTONUMA_LONG:-} ]]; then echo "$1"; else echo "$2"; fi; }

programs=$build/tests

build_programs() {
	mkdir -p "$programs"
	make -s -C "$tests/load" OUT="$programs" || bail "the programs for the guest do not build"
}

# QEMU with a thread per CPU may run a breakpoint after the kernel took it away again, once in hundreds of boots of a busy
# machine: there is no other breakpoint in these kernels. It tells nothing of what is tested.
stale_breakpoint() { [[ $guest_status = 70 ]] && grep -q '^numalab: the guest failed: Oops: int3' "$work/err"; }

# Then the machine is started again. A test that knows more such failures has its own emulator_failed, and more boots.
emulator_failed() { stale_breakpoint; }
max_boots=2

# guest OPTION...: boots a machine (numalab's options) in which the script on standard input runs, after guest.sh.
# Sets guest_status; its output, what numalab said, and the meter's lines are in $work/out, $work/err and $work/meter.
guest() {
	{
		echo '#!/bin/sh'
		cat "$tests/guest.sh" -
	} >"$work/script"
	chmod 755 "$work/script"
	build_programs
	boot_guest "$@"
	for ((boots = 1; boots < max_boots; boots++)); do
		if ! emulator_failed; then break; fi
		note "the emulator's, so once more"
		boot_guest "$@"
	done
}

# A hang would take all the time there is for testing, so these limits are several times what a test takes.
time_limit=$(long_or_short 7200 1500)

boot_guest() {
	guest_status=0
	: >"$work/meter"
	nice "$top/tools/numalab" run --timeout "$time_limit" --file "$programs/load" --file "$programs/storm" \
		--file "$programs/unload" --file "$programs/ask" "$@" -- "$work/script" >"$work/out" 2>"$work/err" || guest_status=$?
	if [[ $guest_status != 0 ]]; then note "status $guest_status"; note "$(tail -n 100 "$work/out"; tail -n 200 "$work/err")"; fi
}

# Without it nothing else can be told.
guest_ended_well() {
	check "the guest ended well" is "$guest_status" 0
	if [[ $guest_status != 0 ]]; then finish; exit 1; fi
}

# The machine of the placement tests; memory for all of the workload on node 0.
standard_machine=(--nodes 4 --cpus 8 --mem 640)

# said WORDS: what the guest printed on its line "WORDS ...".
said() { sed -n "s/^$* //p" "$work/out"; }

# said_in CASE WORDS: the same, within a case.
said_in() { awk -v n="$1" '$1 == "case" { at = $2 } at == n' "$work/out" | sed -n "s/^${*:2} //p"; }

# json CASE FILTER: jq on what load printed in that case.
json() { awk -v n="$1" '$1 == "case" { at = $2 } at == n' "$work/out" | grep '^{' | tail -n 1 | jq -r "$2"; }

# --- the meter; a case begins with a mark of 100 + its number, or begins again; load ends an interval with mark 2 ---

# intervals CASE FILTER: jq on the array of the case's intervals.
intervals() {
	jq -rs --argjson want "$1" 'def sum(f): map(f) | add // 0;
		def all: sum(.miss | flatten | add);
		def local: sum(.miss | [range(length) as $i | .[$i][$i]] | add);
		def share: if all == 0 then 0 else local / all * 10000 | round / 10000 end;
		reduce .[] as $line ({ at: -1, kept: [] };
			if ($line.mark | type) == "number" and $line.mark >= 100 then
				(.at = $line.mark - 100) | if .at == $want then .kept = [] else . end
			elif .at == $want and $line.mark == 2 then .kept += [$line]
			else . end) | .kept | '"$2" "$work/meter"
}

local_whole() { intervals "$1" 'share'; }
local_last_tenth() { intervals "$1" '.[length - length / 10 | floor:] | share'; }
# middle: of an odd number of lines
middle() { sort -g | awk '{ line[NR] = $0 } END { print line[(NR + 1) / 2] }'; }
# local_settled CASE N: the middle one of the last N tenths. That the load balancer takes a thread away for a moment is no
# placement.
local_settled() { local_by_tenth "$1" | tr ' ' '\n' | tail -n "$2" | middle; }
local_by_tenth() { intervals "$1" '[range(10) as $i | .[length * $i / 10 | floor:length * ($i + 1) / 10 | floor] | share] | join(" ")'; }
kernel_share() { intervals "$1" 'sum(.kernel_insns | add) as $k | sum(.user_insns | add) as $u | $k / ($k + $u) * 10000 | round / 10000'; }
