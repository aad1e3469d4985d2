# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by numalab: the meter's QEMU arguments, and its calibration.

# What the meter counts, as arguments of the plugin.
count_args() {
	local args
	args="cpus=$(cpu_nodes),ranges=${NUMALAB_METER_RANGES:-$(node_ranges)}"
	if [[ $meter_kernel = yes ]]; then args+=,kernel=on; fi
	echo "$args"
}

# What it makes of that.
model_args() {
	local list
	list=$(IFS=:; echo "${meter_distances[*]}")
	echo "distance=$list,local_cost=$meter_local_cost,walk_cost=$meter_walk_cost,delay=$meter_delay"
}

# Where the kernel's page-fault handler begins.
fault_entry() { awk '$3 == "asm_exc_page_fault" { print $1 }' "$1/System.map"; }

# meter_args KERNEL FILE: appends to qemu_args[].
meter_args() {
	local args
	args="$(lab_tools)/meter.so,out=$2,$(count_args),$(model_args),fault=$(fault_entry "$1")"
	if [[ -n $meter_every ]]; then args+=",every=$meter_every"; fi
	if [[ -n $meter_pages ]]; then args+=",pages=$run_dir/pages"; fi
	qemu_args+=(-plugin "$args")
}

# judge_probes PROBES METER: prints a line per probe, and fails if one reads wrong. PROBES has CPU-NODE OTHER-NODE
# LOCAL-SHARE, one line for each line of METER with mark 2.
judge_probes() {
	awk -v tolerance=0.01 '
	function share(text, from, to,    rows, row, r, c, n, m, sum, at) {
		sub(/.*"miss":\[\[/, "", text)
		other = text
		sub(/.*"other":/, "", other)
		sum = other + 0
		sub(/\]\].*/, "", text)
		n = split(text, rows, /\],\[/)
		at = 0
		for (r = 1; r <= n; r++) {
			m = split(rows[r], row, ",")
			for (c = 1; c <= m; c++) sum += row[c]
			if (r == from + 1) at = row[to + 1]
		}
		return sum ? at / sum : -1
	}
	function off(a, b) { return a - b > tolerance || b - a > tolerance }
	NR == FNR { cpu[++n] = $1; far[n] = $2; want[n] = $3; next }
	/"mark":2,/ {
		k++
		near = share($0, cpu[k], cpu[k])
		rest = far[k] < 0 ? 0 : share($0, cpu[k], far[k])
		printf "from node %d: %.2f %% local (%.2f expected), %.2f %% on node %d\n", cpu[k], 100 * near, 100 * want[k], 100 * rest, far[k]
		if (off(near, want[k]) || off(rest, 1 - want[k])) bad++
	}
	END {
		if (!n || k != n) { printf "%d probes, %d measured\n", n, k; exit 1 }
		exit bad > 0
	}' "$1" "$2"
}

# What the result depends on: the meter, QEMU, the kernel, the shape.
calibration_key() {
	{
		basename "$(lab_tools)"
		qemu-system-x86_64 --version
		cat "$lab/machine.sh" "$lab/meter.sh"
		echo "$1 $(count_args) ${qemu_extra[*]}"
	} | hash_of
}

# Leaves what the probe said and what the meter read in the run directory.
boot_probe() {
	local balancer=none init_script='' files=() kos=() meter_every='' meter_pages='' qemu_args
	make_initramfs "$run_dir/initramfs" "$1" probe
	machine_args "$1" "$run_dir/initramfs"
	meter_args "$1" "$run_dir/meter"
	boot_with_patience >"$run_dir/probes"
	judge_boot
	[[ $status = 0 ]]
}

# calibrate KERNEL: boots this machine with the probe as its program, unless that has been done, or --again is given.
calibrate() {
	local done_file
	done_file=$build/calibrated-$(calibration_key "$1")
	if [[ -e $done_file && $again = no ]]; then
		calibration=$(<"$done_file")
		return
	fi
	say "calibrating the meter on this machine"
	boot_probe "$1" || die "the calibration did not run"
	calibration=$(judge_probes "$run_dir/probes" "$run_dir/meter") ||
		die "the meter reads wrong on this machine, so it reports nothing:"$'\n'"$calibration"
	echo "$calibration" >"$done_file.$$"
	mv "$done_file.$$" "$done_file"
}
