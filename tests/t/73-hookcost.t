#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What the core hooks cost while nothing is registered, counted: a deterministic boot repeats to the instruction, a round
# of page faults runs no more of them patched than unpatched, and a hinting fault runs two no-ops more.
source "$(dirname "$0")/../lib.sh"

"$tests/bench/hookcost" --modes fault --balancers in-tree --reps 2 --phases 6 --rounds 60 --json "$work/json" \
	>"$work/table" 2>"$work/err" || { note "$(cat "$work/err")"; bail "hookcost failed"; }
note "$(cat "$work/table")"
figure() { jq -r ".rows[0].$1" "$work/json"; }

check "the same boot again gives the same count" is "$(figure spread_of_boots)" 0
check "hinting faults were counted" at_least "$(figure 'hinting[1]')" 0.01
# One site each in mpol_misplaced() and task_numa_fault(); those of the load balancer, at ticks, and of wake-ups come on top.
check "two no-ops for each hinting fault, at least" at_least "$(figure noops_per_hinting_fault)" 1.9
check "and hardly more" at_most "$(figure noops_per_hinting_fault)" 2.1
# A round is 80 faults, and no hook lies in its way: one instruction for each fault would be 80.
check "a round of faults takes as many instructions as unpatched" is "$(figure round_difference)" 0
finish
