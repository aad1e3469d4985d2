#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A kernel without core-hooks.patch cannot load the module: modprobe fails with "Unknown symbol", because the module
# needs symbols that only the patch exports. Shown without such a kernel: the symbols that the module wants are compared
# with what the patched kernel exports, once with and once without the patch's namespace.
source "$(dirname "$0")/../lib.sh"

kernel=$("$top/tools/numalab" kernel)
ko=$("$top/tools/numalab" module)

nm -u "$ko" | awk '{ print $2 }' | sort >"$work/wanted"
awk '{ print $2 }' "$kernel/Module.symvers" | sort >"$work/patched"
awk '$NF != "AUTONUMA" { print $2 }' "$kernel/Module.symvers" | sort >"$work/unpatched"

check "the module wants symbols" test -s "$work/wanted"
check "the patch exports in its own namespace" isnt "$(wc -l <"$work/patched")" "$(wc -l <"$work/unpatched")"
check "a patched kernel has all symbols" is "$(comm -23 "$work/wanted" "$work/patched")" ""
check "an unpatched one lacks the registration" like "$(comm -23 "$work/wanted" "$work/unpatched")" '^autonuma_register$'
check "the module imports the namespace" like "$(modinfo -F import_ns "$ko")" '^AUTONUMA$'
check "dkms does not build for such a kernel" like "$(cat "$top/dkms.conf")" '^BUILD_EXCLUSIVE_CONFIG=.*CONFIG_AUTONUMA_HOOKS'

# Every parameter says what it is and what the default is.
while IFS=: read -r name text; do
	check "parameter $name: says its default" like "$text" '\(([^()]+, )?default [a-z0-9]+\)$'
done < <(modinfo -F parm "$ko" | sed 's/:[a-z]*$//; s/ (\(bool\|uint\|int\|charp\))$//; s/:\(bool\|uint\|int\)$//')
for field in license description author version; do
	check "modinfo: $field" isnt "$(modinfo -F "$field" "$ko")" ""
done
check "modinfo: GPL" is "$(modinfo -F license "$ko")" GPL
finish
