#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The commands of the README's indented blocks and of the man pages' examples are run, each as it stands there: those
# about the module in a guest, those about this directory here. What is not run is listed, with the reason.
source "$(dirname "$0")/../lib.sh"

# --- what there is ---

# Of the README, one command per line: without comments, lines that go on joined, a loop in one line.
readme_commands() {
	awk '/^    [^ ]/ || (/^     / && open) {
			line = substr($0, 5)
			sub(/ +# .*/, "", line)
			sub(/^ +/, "", line)
			open = sub(/ *\\$/, " ", line)
			if (line ~ /^for /) loop = 1
			if (loop && line ~ /^done/) loop = 0
			printf "%s", line
			if (loop && !open) { if (line !~ /do$/) printf ";"; printf " " }
			open = open || loop
			if (!open) print ""
		}' "$top/README.md"
}

man_commands() { sed -n 's/^[#$] //p' "$top/docs/man/$1"; }

# --- what is not run: a regular expression for the whole command, and the reason ---

exceptions() {
	cat <<'END'
sudo apt-get install .*	installs packages on this machine; make test has done so
make demo	takes minutes, and shows what 20-place-small.t checks
make test	this test is part of it
(tar|cd|patch|cp|scripts/config|make olddefconfig|make -j|grep AUTONUMA_HOOKS).*	a kernel for this machine: hours; numalab's is built in the same way
sudo reboot	ends this machine
sudo (mkdir|cp) .*/usr/src.*	writes to this machine
sudo dkms .*	needs a patched kernel on this machine
make -C /lib/modules/.*	needs a patched kernel on this machine
sudo make -C /lib/modules/.*	needs a patched kernel on this machine
sudo depmod -a	of the kernel of this machine
modprobe: ERROR: .*	is what modprobe says
END
}

# excepted COMMAND: by an exception, which is then noted as used
excepted() {
	local pattern reason
	while IFS=$'\t' read -r pattern reason; do
		grep -qxE -- "$pattern" <<<"$1" || continue
		grep -qxF -- "$pattern" "$work/used" || printf '%s\n' "$pattern" >>"$work/used"
		return 0
	done < <(exceptions)
	return 1
}

# --- sorted by where they run ---

: >"$work/used"
: >"$work/here"
: >"$work/there"

sort_out() {
	local command
	while IFS= read -r command; do
		if excepted "$command"; then
			continue
		elif [[ $command = *tools/numalab* || $command = *make\ * ]]; then
			printf '%s\n' "$command" >>"$work/here"
		else
			printf '%s\n' "$command" >>"$work/there"
		fi
	done
}

# The manual of autonumactl wants the module as it comes; the other two end with switching it off.
sort_out < <(man_commands numalab.1; man_commands autonumactl.8; readme_commands; man_commands autonuma.4)
check "commands that are run here" at_least "$(wc -l <"$work/here")" 7
check "commands that are run in a guest" at_least "$(wc -l <"$work/there")" 35
check "every exception is one of a command" is "$(sort "$work/used")" "$(exceptions | cut -f1 | sort)"

# --- here: in a directory that has all of this one, and a program; installed beside ---

mkdir "$work/clone" "$work/bin"
ln -s "$top"/* "$work/clone/"
cp "$(type -P true)" "$work/clone/myprogram"
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod 755 "$work/bin/sudo"

# run_here COMMAND: what it builds goes elsewhere, unless it is a kernel
run_here() {
	local to=$build
	if [[ $1 = *make\ * ]]; then to=$work/build; fi
	(cd "$work/clone" && AUTONUMA_BUILD=$to DESTDIR=$work/installed PATH=$work/bin:$PATH timeout 900 bash -euo pipefail -c "$1") </dev/null
}

while IFS= read -r command <&3; do
	check "here: $command" run_here "$command"
done 3<"$work/here"
check "make install: a program and man pages" test -x "$work/installed/usr/local/sbin/autonumactl" -a \
	-e "$work/installed/usr/local/share/man/man8/autonumactl.8"

# --- there: with units and a program of these names, and a load to look at ---

make -s -C "$top/tools/ctl" OUT="$programs" || bail "autonumactl does not build"
NUMALAB_NOLOAD=1 guest "${standard_machine[@]}" --balancer autonuma --file "$programs/autonumactl" \
	--file "$work/there:/work/there" --file "$work/bin/sudo" <<'GUEST'
groups=/sys/fs/cgroup
mkdir -p $groups/system.slice/postgresql.service $groups/system.slice/mysql.service
printf '#!/bin/sh\nsleep 1\n' >myprogram
chmod 755 myprogram
start_load private --threads 4 --mem 64 --stride 1024 --sweeps 1000000 --born 0
worker=$(child_of "$load_pid")

# needs_module COMMAND: it is about a module that is there
needs_module() { case $1 in modprobe*|'sudo modprobe'*) false ;; *) [ ! -e /sys/module/autonuma ] ;; esac; }

number=0
while IFS= read -r command <&3; do
	number=$((number + 1))
	if needs_module "$command"; then modprobe autonuma; fi
	# Reading the trace as it comes has no end but that of our patience.
	case $command in *trace_pipe*) patience=8 ;; *) patience=20 ;; esac
	timeout $patience sh -c "$(echo "$command" | sed "s/\<PID\>/$worker/g")" >/tmp/said 2>&1 </dev/null
	echo "run $number $? $(wc -c </tmp/said)"
	sed "s/^/said $number /" /tmp/said | head -n 5
done 3</work/there
killall -KILL load; wait
GUEST

guest_ended_well
number=0
while IFS= read -r command <&3; do
	number=$((number + 1))
	read -r status size <<<"$(said "run $number")"
	if [[ $command = *trace_pipe* ]]; then
		check "in a guest: $command: says something" isnt "${size:-0}" 0
		continue
	fi
	check "in a guest: $command" is "$status" 0
	if [[ $status != 0 ]]; then note "$(said "said $number")"; fi
done 3<"$work/there"
finish
