#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What the core hooks cost while nothing is registered, read from the built kernel: a no-op at each site, and no other
# byte of code or read-only data with the option off. And the patch keeps its budget.
source "$(dirname "$0")/../lib.sh"

patch=$top/core-hooks.patch
kernel=$("$top/tools/numalab" kernel)
source_dir=$(dirname "$kernel")
pristine=$(dirname "$("$top/tools/lab/kernel.sh" --unpatched --configure)")

# --- the sites ---

perl "$tests/hook-sites.pl" "$kernel/vmlinux" >"$work/sites"
note "$(cat "$work/sites")"
# Functions of GCC's making keep the name of the original before the dot.
sites_in() { sed 's/\.[^ ]* / /' "$work/sites" | awk -v f="$1" '$1 == f' | wc -l; }
for function in mpol_misplaced task_numa_fault; do
	check "one site in $function" is "$(sites_in "$function")" 1
done
check "one site in the load balancer" is "$(($(sites_in migrate_degrades_locality) + $(sites_in can_migrate_task)))" 1
check "one site in khugepaged" is "$(($(sites_in hpage_collapse_scan_pmd) + $(sites_in khugepaged_scan_mm_slot) + $(sites_in khugepaged)))" 1
check "one site where a task wakes up" is "$(($(sites_in wake_affine) + $(sites_in select_task_rq_fair)))" 1
check "each is a no-op, of two or five bytes" is "$(awk '$2 !~ /^(0f1f440000|6690)/' "$work/sites")" ""

# --- the option off ---

# The objects that can change: all that the patch touches, or that include what it touches.
objects="kernel/sched/core.o kernel/sched/fair.o kernel/sched/build_policy.o kernel/sched/build_utility.o mm/mempolicy.o mm/khugepaged.o"

# Builds them in SOURCE without the hooks, in a directory at the same depth, as paths are part of read-only data.
build_off() {
	local out=$1/compare-off
	mkdir -p "$out"
	sed '/CONFIG_AUTONUMA_HOOKS/d' "$kernel/.config" >"$out/.config.new"
	if ! cmp -s "$out/.config.new" "$out/.config.base"; then
		cp "$out/.config.new" "$out/.config"
		cp "$out/.config.new" "$out/.config.base"
	fi
	# shellcheck disable=SC2086 # several objects
	{
		make -s -C "$1" O="$out" olddefconfig
		make -s -C "$1" O="$out" -j"$(nproc)" KBUILD_BUILD_TIMESTAMP='1 Jan 2024' $objects
	} >"$work/log" 2>&1 </dev/null || { tail -n 20 "$work/log"; return 1; }
}

# Contents of all code and read-only data of an object, by section.
contents() {
	local section
	objdump -h "$1" | awk '$2 ~ /^\.(text|rodata|init\.text|exit\.text|ref\.text|sched\.text)/ { print $2 }' | sort -u |
		while read -r section; do
			echo "$section $(objcopy -O binary -j "$section" "$1" /dev/stdout | sha256sum)"
		done
}

same_contents() {
	contents "$pristine/compare-off/$1" >"$work/before"
	contents "$source_dir/compare-off/$1" >"$work/after"
	test -s "$work/before" && diff "$work/before" "$work/after"
}

check "builds: unpatched" build_off "$pristine"
check "builds: patched, option off" build_off "$source_dir"
for object in $objects; do
	check "$object: .text and .rodata as unpatched" same_contents "$object"
done
check "the comparison sees the option on" fails diff <(contents "$source_dir/compare-off/mm/mempolicy.o") <(contents "$kernel/mm/mempolicy.o")

# --- the budget ---

added() { grep -c '^+' "$patch" | awk -v files="$(grep -c '^+++ ' "$patch")" '{ print $1 - files }'; }
# Lines added to C files that exist, #include left out: all of them are inside functions.
added_inside() {
	awk '/^--- / { old = $2 } /^\+\+\+ / || /^\+#include/ { next } /^\+/ && old ~ /\.[ch]$/ { n++ } END { print n + 0 }' "$patch"
}
check "at most 300 lines added ($(added))" at_most "$(added)" 300
check "at most 10 files ($(grep -c '^+++ ' "$patch"))" at_most "$(grep -c '^+++ ' "$patch")" 10
check "at most 40 lines in existing functions ($(added_inside))" at_most "$(added_inside)" 40
check "applies to the source without fuzz" patch -d "$pristine" -p1 --dry-run --fuzz=0 -s -i "$patch"
finish
