#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds the module out of tree against a kernel directory and prints its path:
#	module.sh KERNEL-DIRECTORY
# The sources are copied, so the source tree stays clean; one copy per kernel and source.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$lab/../.." && pwd)
build=${AUTONUMA_BUILD:-$top/build}

say() { printf 'module: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

[[ $# = 1 && -e $1/Module.symvers ]] || die "usage: module.sh KERNEL-DIRECTORY"
kernel=$(realpath "$1")
[[ -e $top/Kbuild ]] || die "there is no $top/Kbuild: nothing to build"

key=$({
	echo "$kernel"
	cd "$top"
	find Kbuild module -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-16)
dir=$build/module-$key

mkdir -p "$build"
exec 9>"$build/.lock-module"
flock 9
if [[ ! -e $dir/.ready ]]; then
	say "building"
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -a "$top/Kbuild" "$top/module" "$dir/"
	make -C "$kernel" M="$dir" -j"$(nproc)" modules >"$dir/log" 2>&1 || { cat "$dir/log" >&2; die "the module does not build"; }
	grep -A3 'warning:' "$dir/log" >&2 || true
	[[ -e $dir/autonuma.ko ]] || die "the build made no autonuma.ko"
	touch "$dir/.ready"
fi
echo "$dir/autonuma.ko"
