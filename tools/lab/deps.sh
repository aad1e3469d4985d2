#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Installs what building, emulating and testing need, by Debian's apt, on Debian 12 and 13; nothing if all is there.
# Needs root, or sudo.
set -euo pipefail

packages=(
	linux-source-6.12 build-essential ccache bc bison flex libelf-dev libssl-dev cpio patch xz-utils
	qemu-system-x86 busybox-static numactl libnuma-dev numad util-linux
	jq kmod sparse perl python3 gnuplot-nox redis-server redis-tools
	postgresql postgresql-client zstd
	libnl-genl-3-dev libjson-c-dev pkg-config mandoc groff-base
)
min_qemu=1:10.0
backports_file=/etc/apt/sources.list.d/autonuma-backports

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

as_root() {
	if [[ $(id -u) = 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "root is needed to install packages"
	fi
}

installed_version() { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'; }

old_qemu() {
	local version
	version=$(installed_version qemu-system-x86)
	[[ -z $version ]] || dpkg --compare-versions "$version" lt "$min_qemu"
}

list_missing() {
	local status name
	declare -A have=()
	while read -r status name; do
		if [[ $status = installed ]]; then have[$name]=1; fi
	done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null)
	missing=()
	for name in "${packages[@]}"; do
		if [[ -z ${have[$name]:-} ]]; then missing+=("$name"); fi
	done
	if old_qemu && [[ " ${missing[*]} " != *' qemu-system-x86 '* ]]; then missing+=(qemu-system-x86); fi
}

# A candidate that is new enough may be there already: Debian 13, or a machine with backports.
qemu_candidate_ok() {
	local version
	while read -r version; do
		if dpkg --compare-versions "$version" ge "$min_qemu"; then return 0; fi
	done < <(apt-cache madison qemu-system-x86 | awk '{ print $3 }')
	return 1
}

# The machine's own entry for its release, with the suite exchanged, in the format it has: prints the name of the file
# to write, then its text. apt tells where the entry stands: FILE:LINE, or FILE:PARAGRAPH of a .sources file.
backports_entry() {
	local suite=$1 place file number
	place=$(apt-get indextargets --format '$(SOURCESENTRY)' 'Origin: Debian' "Codename: $suite" 'Created-By: Packages')
	place=${place%%$'\n'*} file=${place%:*} number=${place##*:}
	[[ -e $file ]] || die "no entry for $suite among this machine's apt sources"
	if [[ $file = *.sources ]]; then
		echo "$backports_file.sources"
		awk -v RS= -v n="$number" 'NR == n' "$file" | sed -e '/^#/d' -e "s/^Suites:.*/Suites: $suite-backports/"
	else
		echo "$backports_file.list"
		sed -nE "${number}s/([ \t])$suite([ \t])/\1$suite-backports\2/p" "$file"
	fi
}

add_backports() {
	local suite entry file
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[[ $suite = bookworm ]] || die "no QEMU 10 among this machine's packages; Debian 13 and Debian 12's backports have it"
	entry=$(backports_entry "$suite")
	file=${entry%%$'\n'*}
	say "adding $suite-backports: $file"
	as_root tee "$file" <<<"${entry#*$'\n'}" >/dev/null
	as_root apt-get -qq update
}

# Services that packages would start are only wanted as programs.
without_services() {
	local policy=/usr/sbin/policy-rc.d ours=no status=0
	if [[ ! -e $policy ]]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod 755 "$policy"
	fi
	"$@" || status=$?
	if [[ $ours = yes ]]; then as_root rm -f "$policy"; fi
	return "$status"
}

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install "$@" >&2; }

install_missing() {
	local release=() others=() name
	as_root apt-get -qq update
	for name in "${missing[@]}"; do
		if [[ $name != qemu-system-x86 ]]; then others+=("$name"); fi
	done
	if ((${#others[@]})); then without_services apt_install "${others[@]}" || die "apt could not install: ${others[*]}"; fi
	if [[ " ${missing[*]} " = *' qemu-system-x86 '* ]]; then
		qemu_candidate_ok || add_backports
		if grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then release=(-t bookworm-backports); fi
		without_services apt_install "${release[@]}" qemu-system-x86 || die "apt could not install QEMU 10"
	fi
}

list_missing
((${#missing[@]})) || exit 0
say "installing: ${missing[*]}"
install_missing
list_missing
((${#missing[@]} == 0)) || die "still missing: ${missing[*]}"
