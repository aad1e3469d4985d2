#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds the module, or those of another directory with a Kbuild, out of tree against a kernel directory, and prints the
# path of each:
#	module.sh KERNEL-DIRECTORY [DIRECTORY]
# The sources are copied, so the source tree stays clean; one copy per kernel and source.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$lab/../.." && pwd)
build=${AUTONUMA_BUILD:-$top/build}

say() { printf 'module: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

[[ ($# = 1 || $# = 2) && -e $1/Module.symvers ]] || die "usage: module.sh KERNEL-DIRECTORY [DIRECTORY]"
kernel=$(realpath "$1")
from=$(realpath "${2:-$top}")
sources=(Kbuild)
if [[ $from = "$top" ]]; then sources+=(module); else sources=(.); fi
[[ -e $from/Kbuild ]] || die "there is no $from/Kbuild: nothing to build"

key=$({
	echo "$kernel"
	cd "$from"
	find "${sources[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-16)
dir=$build/module-$key

mkdir -p "$build"
exec 9>"$build/.lock-module"
flock 9
if [[ ! -e $dir/.ready ]]; then
	say "building"
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$from" && cp -a "${sources[@]}" "$dir/")
	make -C "$kernel" M="$dir" -j"$(nproc)" modules >"$dir/log" 2>&1 || { cat "$dir/log" >&2; die "the module does not build"; }
	grep -A3 'warning:' "$dir/log" >&2 || true
	compgen -G "$dir/*.ko" >/dev/null || die "the build made no module"
	touch "$dir/.ready"
fi
printf '%s\n' "$dir"/*.ko
