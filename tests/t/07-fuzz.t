#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What "make fuzz" starts from, run once more, and made-up inputs: the policy breaks no constraint and comes to rest.
source "$(dirname "$0")/../lib.sh"

source "$tests/unit/sources.sh"

replay=$work/replay
gcc -O2 "${warnings[@]}" "${sanitizers[@]}" -I "$tests/unit" -o "$replay" "$tests"/fuzz/{policy_fuzz,replay}.c \
	"$tests"/unit/{unit,world}.c "${policy_sources[@]}" || bail "it does not build"

check "the corpus is there" at_least "$(find "$tests/fuzz/corpus" -type f | wc -l)" 20
check "the policy stands the corpus" "$replay" 0 "$tests"/fuzz/corpus/*
check "and made-up machines" "$replay" 5000
finish
