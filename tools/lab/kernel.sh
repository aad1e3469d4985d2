#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Prints the directory of a ready kernel, built first if need be:
#	kernel.sh [--unpatched] [--configure] [default|debug|kcsan]
# Debian's linux-source-6.12 plus core-hooks.patch, unpacked once per version and patch, built once per config.
set -euo pipefail

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$lab/../.." && pwd)
build=${AUTONUMA_BUILD:-$top/build}
package=linux-source-6.12
tarball=/usr/src/$package.tar.xz
patch=$top/core-hooks.patch

say() { printf 'kernel: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }
hash_of() { sha256sum | cut -c1-12; }

# Merges fragments: the last line about a symbol wins.
merged_fragments() {
	awk '/^CONFIG_[A-Z0-9_]+=/ { split($0, f, "="); s = f[1] }
	     /^# CONFIG_[A-Z0-9_]+ is not set/ { s = $2 }
	     !s { next }
	     { if (!(s in line)) order[++n] = s; line[s] = $0; s = "" }
	     END { for (i = 1; i <= n; i++) print line[order[i]] }' "$@"
	if [[ $patched = yes ]]; then echo CONFIG_AUTONUMA_HOOKS=y; fi
}

unpack_pristine() {
	[[ -e $pristine ]] && return
	say "unpacking $package $version"
	rm -rf "$pristine.tmp"
	mkdir -p "$pristine.tmp"
	tar -xf "$tarball" -C "$pristine.tmp" --strip-components=1
	mv "$pristine.tmp" "$pristine"
}

# A tree for each patch, of hard links to the pristine one: patch replaces files, and kbuild writes elsewhere.
make_source() {
	local tmp=$source.tmp
	[[ -e $source ]] && return
	unpack_pristine
	rm -rf "$tmp"
	cp -al "$pristine" "$tmp"
	if [[ $patched = yes ]]; then
		say "applying core-hooks.patch"
		patch -d "$tmp" -p1 --fuzz=0 -s <"$patch" >&2 || die "core-hooks.patch does not apply to $package $version"
	fi
	mv "$tmp" "$source"
}

# A symbol that does not exist or lost a dependency disappears without a word from .config: say so.
check_config() {
	local line symbol missing=()
	while read -r line; do
		case $line in
		'# '*)	symbol=${line#'# '}; symbol=${symbol%% *}
			grep -q "^$symbol=" "$out/.config" && missing+=("$line") ;;
		*)	grep -qxF "$line" "$out/.config" || missing+=("$line") ;;
		esac
	done <"$out/wanted"
	[[ ${#missing[@]} = 0 ]] || die "these did not stick: ${missing[*]}"
}

configure() {
	mkdir -p "$out"
	printf '%s\n' "$wanted" >"$out/wanted"
	if [[ ! -e $out/.config ]] || ! cmp -s "$out/wanted" "$out/configured"; then
		make -s -C "$source" O="$out" KCONFIG_ALLCONFIG="$out/wanted" allnoconfig >"$out/log" 2>&1 ||
			{ tail -n 20 "$out/log" >&2; die "configuration failed"; }
		cp "$out/wanted" "$out/configured"
	fi
	check_config
}

progress() {
	local start=$SECONDS
	while sleep 10; do
		say "$(grep -c '^  [A-Z]' "$out/log" || true) steps, $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
	done
}

compile() {
	local pid status=0 cache=
	if command -v ccache >/dev/null; then cache='ccache '; fi
	say "building $(basename "$source") ($config) in $out; minutes, once"
	progress & pid=$!
	# Most of an unpatched kernel, and of one with another option, compiles to what there is already.
	CCACHE_DIR=$build/ccache CCACHE_MAXSIZE=2G nice make -C "$source" O="$out" -j"$(nproc)" CC="${cache}gcc" \
		HOSTCC="${cache}gcc" KBUILD_BUILD_TIMESTAMP='1 Jan 2024' KBUILD_BUILD_USER=numalab KBUILD_BUILD_HOST=numalab \
		bzImage modules >"$out/log" 2>&1 || status=$?
	kill "$pid"
	wait "$pid" 2>/dev/null || true
	[[ $status = 0 ]] || { grep -E -A5 'error|Error' "$out/log" | tail -n 40 >&2; die "build failed: see $out/log"; }
	touch "$out/.ready"
	say "ready"
}

config=default patched=yes configure_only=no
for arg; do
	case $arg in
	default | debug | kcsan) config=$arg ;;
	--unpatched) patched=no ;;
	--configure) configure_only=yes ;;
	*) die "usage: kernel.sh [--unpatched] [--configure] [default|debug|kcsan]" ;;
	esac
done

[[ -e $tarball ]] || "$lab/deps.sh"
[[ -e $tarball ]] || die "$tarball is missing: apt install $package"
version=$(dpkg-query -W -f '${Version}' "$package")
if [[ $patched = yes && ! -e $patch ]]; then
	say "no core-hooks.patch: building without it"
	patched=no
fi
patch_key=unpatched
if [[ $patched = yes ]]; then patch_key=$(hash_of <"$patch"); fi
pristine=$build/linux-$version
source=$pristine-$patch_key
fragments=("$lab/config")
if [[ $config != default ]]; then fragments+=("$lab/config.$config"); fi
wanted=$(merged_fragments "${fragments[@]}")
# Below the source, so that all paths kbuild writes are relative.
out=$source/$config-$(printf '%s\n%s\n' "$wanted" "$(gcc --version | head -n 1)" | hash_of)

if [[ ! -e $out/.ready ]]; then
	mkdir -p "$build"
	exec 9>"$build/.lock-kernel"
	flock -n 9 || { say "another build is going on: waiting"; flock 9; }
	if [[ ! -e $out/.ready ]]; then
		make_source
		configure
		if [[ $configure_only = no ]]; then compile; fi
	fi
	exec 9>&-
fi
echo "$out"
