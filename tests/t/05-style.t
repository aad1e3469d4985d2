#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# checkpatch.pl --strict and sparse, both of this very kernel, find nothing.
source "$(dirname "$0")/../lib.sh"

kernel=$("$top/tools/numalab" kernel)
checkpatch="$(dirname "$kernel")/scripts/checkpatch.pl"

# A local "spinlock_t *" wants no comment, whatever checkpatch thinks of it in a whole file.
checkpatch() { perl "$checkpatch" --strict --no-tree --terse -q --ignore UNCOMMENTED_DEFINITION "$@"; }

# TRACE_EVENT() has a layout of its own, which every trace header of the kernel follows.
tracing=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT

check "checkpatch: core-hooks.patch" checkpatch "$top/core-hooks.patch"
for file in "$top"/module/*.[ch] "$top"/tests/kmod/*.c; do
	ignore=()
	if [[ $file = */trace.h ]]; then ignore=(--ignore "$tracing"); fi
	check "checkpatch: ${file##*/}" checkpatch "${ignore[@]}" -f "$file"
done

# Sparse looks at a copy of its own, so that what is built stays as it is.
cp -r "$top/Kbuild" "$top/module" "$work/"
make -C "$kernel" M="$work" C=2 W=1 modules >"$work/log" 2>&1 </dev/null || { cat "$work/log"; bail "the module does not build"; }
check "sparse looked at every file" is "$(grep -c ' CHECK ' "$work/log")" "$(find "$top/module" -name '*.c' | wc -l)"
check "sparse and the compiler find nothing" unlike "$(cat "$work/log")" '(warning|error):'
finish
