#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Virtual machines in the emulated machine: their memory is right, the meter sees their accesses, balancers move it.
#
# QEMU's emulation of SVM with several threads makes a program with VMs jump to address 0 now and then, or a vCPU run on
# and never halt, with the module or without it (docs/measuring.md). The former ends with status 2, the latter is killed;
# either is tried again. Wrong memory is status 1, and is not. On one host CPU that is rare.
source "$(dirname "$0")/../lib.sh"

# It hits the kernel under the VMs, too, with in-tree balancing as with the module: a bad address, or a reset. Then the
# machine is started again, unless the module is in the trace; any other report is a failure at once. A machine that
# hangs as a whole (a run takes less than a minute) is started again likewise.
time_limit=$(long_or_short 1200 300)
hung() { [[ $guest_status = 124 ]]; }
lost_kernel() {
	[[ $guest_status = 70 ]] && tail -n 1 "$work/err" |
		grep -qE 'BUG: (kernel NULL pointer|unable to handle page fault)|the guest went down'
}
module_in_trace() { grep -qF '[autonuma]' "$work/err"; }
emulator_failed() { stale_breakpoint || { { lost_kernel || hung; } && ! module_in_trace; }; }
max_boots=3

guest --one-host-cpu --nodes 2 --cpus 4 --mem 320 --with-module --meter "$work/meter" --file "$programs/vm" <<-'GUEST'
	[ -e /dev/kvm ] || { vm 2>&1; exit 77; }
	count_invalidations
	# try_vm N OPTION...: case N, up to 4 times, of some seconds each
	try_vm() {
		number=$1 tries=0 ended=2
		shift
		while [ $ended = 2 ] && [ $tries -lt 4 ]; do
			tries=$((tries + 1))
			begin "$number"
			timeout -s KILL 60 vm --mem 32 --marks 10 "$@"
			ended=$?
			[ $ended != 137 ] || ended=2
		done
		echo "status $ended"
		echo "tries $tries"
	}
	n=0
	for options in "--bind hard" "--bind inverse" "--bind hard --shared --thp" "--bind inverse --sleep pair" \
		"--bind hard --sleep timer" "--vms 3 --vcpus 3"; do
		try_vm $n --sweeps 30 $options
		n=$((n + 1))
	done
	modprobe autonuma
	before=$(invalidations) moved=$(counter numa_pages_migrated)
	try_vm $n --born 0 --sweeps 600
	echo "moved $(($(counter numa_pages_migrated) - moved))"
	echo "invalidations $(($(invalidations) - before))"
GUEST
if [[ $guest_status = 77 ]]; then
	echo "1..0 # SKIP $(tail -n 1 "$work/out")"
	exit 0
fi
guest_ended_well

names=(hard inverse "shared, huge pages" "inverse, pairs" "hard, timer" "more vCPUs than CPUs" "under autonuma")
for n in "${!names[@]}"; do
	check "${names[n]}: ends well" is "$(said_in "$n" status)" 0
	check "${names[n]}: contents" is "$(json "$n" .corrupt)" 0
	check "${names[n]}: all have swept" at_least "$(json "$n" .min)" 30
	note "${names[n]}: local $(local_whole "$n"), $(json "$n" '"exits \(.vmexits), wakes \(.wakes)"')," \
		"tries $(said_in "$n" tries)"
done
for n in 0 2 4; do check "${names[n]}: local" at_least "$(local_whole $n)" 0.99; done
for n in 1 3; do check "${names[n]}: remote" at_most "$(local_whole $n)" 0.05; done
check "huge pages" is "$(json 2 .huge_mib)" 32
check "those that go on do not sleep" is "$(json 0 .wakes)" 0
for n in 3 4; do check "${names[n]}: vCPUs sleep" at_least "$(json $n .wakes)" 900; done
check "autonuma moves the memory of VMs" at_least "$(said_in 6 moved)" 1000
check "and KVM is told" at_least "$(said_in 6 invalidations)" 100
finish
