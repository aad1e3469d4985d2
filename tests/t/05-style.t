#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# checkpatch.pl --strict and sparse, both of this very kernel, find nothing, nor do bash and the readers of man pages.
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

# The programs of user space that are written in the kernel's style; attributes.h defines what the rest is to use.
for file in "$top"/tools/ctl/*.[ch] "$top"/tests/ctl/*.c; do
	ignore=()
	if [[ $file = */attributes.h ]]; then ignore=(--ignore PREFER_DEFINED_ATTRIBUTE_MACRO); fi
	check "checkpatch: ${file#"$top/"}" checkpatch "${ignore[@]}" -f "$file"
	check "no more than 900 lines: ${file#"$top/"}" at_most "$(wc -l <"$file")" 900
done
flags=$(pkg-config --cflags libnl-genl-3.0 json-c)
for file in "$top"/tools/ctl/*.c; do
	# shellcheck disable=SC2086 # several flags
	check "sparse: ${file##*/}" is "$(sparse -std=gnu11 -DVERSION='""' -I "$top/module" $flags "$file" 2>&1)" ""
done

while IFS= read -r file; do
	check "bash reads ${file#"$top/"}" bash -n "$file"
done < <(grep -rlE '^#!.*\bbash\b' "$top/tools" "$top/tests" "$top/.ci")

# Warnings of mandoc, not its style, which wants lines of 80 bytes; and all that man finds.
for file in "$top"/docs/man/*; do
	check "mandoc: ${file##*/}" mandoc -T lint -W warning "$file"
	check "groff: ${file##*/}" is "$(groff -ww -mandoc -T utf8 "$file" 2>&1 >/dev/null)" ""
done

# Sparse looks at a copy of its own, so that what is built stays as it is.
cp -r "$top/Kbuild" "$top/module" "$work/"
make -j "$(nproc)" -C "$kernel" M="$work" C=2 W=1 modules >"$work/log" 2>&1 </dev/null || { cat "$work/log"; bail "the module does not build"; }
check "sparse looked at every file" is "$(grep -c ' CHECK ' "$work/log")" "$(find "$top/module" -name '*.c' | wc -l)"
check "sparse and the compiler find nothing" unlike "$(cat "$work/log")" '(warning|error):'
finish
