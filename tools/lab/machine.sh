# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by numalab: the shape of the machine, and QEMU's arguments for it.

# The i440fx machine puts memory up to 3 GiB below the hole when there is more than 3.5 GiB of it.
MiB=$((1 << 20))
high_base=$((4 << 30))
hole_limit=$((0xe0000000))
low_with_hole=$((0xc0000000))

is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,6})$ ]]; }

# check_number OPTION VALUE LEAST MOST
check_number() {
	if ! is_number "$2" || (($2 < $3 || $2 > $4)); then die "$1: $2 is no number from $3 to $4"; fi
}

# --cpus: C in all, spread over the nodes, or a list with one number per node. Sets cpus_of[].
parse_cpus() {
	local node i
	if [[ $cpus = *,* ]]; then
		parse_list --cpus "$cpus"
		cpus_of=("${parsed[@]}")
	else
		check_number --cpus "$cpus" 1 64
		for ((node = 0; node < nodes; node++)); do cpus_of[node]=0; done
		for ((i = 0; i < cpus; i++)); do cpus_of[i % nodes]=$((cpus_of[i % nodes] + 1)); done
	fi
	nr_cpus=0
	for i in "${cpus_of[@]}"; do nr_cpus=$((nr_cpus + i)); done
	((nr_cpus > 0)) || die "--cpus: a machine needs a CPU"
	((nr_cpus <= 64)) || die "--cpus: at most 64"
}

# --mem: MiB of every node, or a list with one number per node. Sets mem_of[].
parse_mem() {
	local node sum=0
	if [[ $mem = *,* ]]; then
		parse_list --mem "$mem"
		mem_of=("${parsed[@]}")
	else
		check_number --mem "$mem" 1 1048576
		for ((node = 0; node < nodes; node++)); do mem_of[node]=$mem; done
	fi
	for node in "${mem_of[@]}"; do sum=$((sum + node)); done
	((sum >= 128)) || die "--mem: $sum MiB in all is too little, 128 is the least"
}

parse_list() {
	local item
	IFS=, read -r -a parsed <<<"$2"
	[[ ${#parsed[@]} = "$nodes" ]] || die "$1: ${#parsed[@]} values for $nodes nodes"
	for item in "${parsed[@]}"; do check_number "$1" "$item" 0 1048576; done
}

hops_full() { echo 1; }

hops_ring() {
	local d=$(($1 > $2 ? $1 - $2 : $2 - $1))
	echo $((d < nodes - d ? d : nodes - d))
}

# Nodes in rows of the smallest width whose square is enough.
hops_mesh() {
	local w=1 dx dy
	while ((w * w < nodes)); do w=$((w + 1)); done
	dx=$(($1 % w - $2 % w)) dy=$(($1 / w - $2 / w))
	echo $((${dx#-} + ${dy#-}))
}

# parse_matrix OPTION VALUE LEAST: a number, full, ring, mesh, or a matrix. Sets matrix[], row after row; LEAST is the
# least distance to another node.
parse_matrix() {
	local a b rows
	matrix=()
	case $2 in
	*\;*)	IFS=';' read -r -a rows <<<"$2"
		[[ ${#rows[@]} = "$nodes" ]] || die "$1: ${#rows[@]} rows for $nodes nodes"
		for a in "${rows[@]}"; do parse_list "$1" "$a"; matrix+=("${parsed[@]}"); done ;;
	full | ring | mesh)
		for ((a = 0; a < nodes; a++)); do
			for ((b = 0; b < nodes; b++)); do
				matrix+=($((a == b ? 10 : 11 + 10 * $("hops_$2" $a $b))))
			done
		done ;;
	*)	is_number "$2" || die "$1: $2 is no number, full, ring, mesh or matrix"
		for ((a = 0; a < nodes; a++)); do
			for ((b = 0; b < nodes; b++)); do matrix+=($((a == b ? 10 : $2))); done
		done ;;
	esac
	check_matrix "$1" "$3"
}

check_matrix() {
	local a b d
	for ((a = 0; a < nodes; a++)); do
		for ((b = 0; b < nodes; b++)); do
			d=${matrix[a * nodes + b]}
			if ((a == b ? d != 10 : d < $2 || d > 254)); then
				die "$1: $d from node $a to $b; 10 to itself, $2 to 254 to others"
			fi
		done
	done
}

# --distance, and --meter-distance, which is the same by default. Sets distances[] and meter_distances[].
parse_distances() {
	local matrix
	parse_matrix --distance "$distance" 11
	distances=("${matrix[@]}") meter_distances=("${matrix[@]}")
	if [[ -n $meter_distance ]]; then
		parse_matrix --meter-distance "$meter_distance" 10
		meter_distances=("${matrix[@]}")
	fi
}

# Linux numbers nodes as it meets them in the firmware's table, CPUs first: in another order, its node 2 would be our 3.
check_nodes() {
	local node cpuless=no
	for ((node = 0; node < nodes; node++)); do
		if ((cpus_of[node] == 0)); then
			cpuless=yes
			((mem_of[node])) || die "node $node has neither CPUs nor memory"
		elif [[ $cpuless = yes ]]; then
			die "--cpus: nodes without CPUs come last (Linux would renumber them so)"
		fi
	done
}

parse_shape() {
	parse_cpus
	parse_mem
	check_nodes
	parse_distances
}

gcd() {
	local a=$1 b=$2
	while ((b)); do set -- "$b" $((a % b)); a=$1 b=$2; done
	echo "$a"
}

# Sockets must not span nodes: as many cores in each as divides every node's CPUs.
cores_per_socket() {
	local cores=0 n
	for n in "${cpus_of[@]}"; do
		if ((n)); then cores=$(gcd "$n" "$cores"); fi
	done
	echo "$cores"
}

# Guest-physical ranges for the meter: FIRST-END-NODE:...
node_ranges() {
	local node at=0 total=0 low end size ranges=()
	for size in "${mem_of[@]}"; do total=$((total + size * MiB)); done
	low=$total
	if ((total >= hole_limit)); then low=$low_with_hole; fi
	for ((node = 0; node < nodes; node++)); do
		size=$((mem_of[node] * MiB)) end=$((at + size))
		if ((at < low && end > at)); then
			ranges+=("$(printf '%x-%x-%d' $at $((end < low ? end : low)) $node)")
		fi
		if ((end > low)); then
			((at > low)) || at=$low
			ranges+=("$(printf '%x-%x-%d' $((at - low + high_base)) $((end - low + high_base)) $node)")
		fi
		at=$end
	done
	(IFS=:; echo "${ranges[*]}")
}

cpu_nodes() {
	local node i list=()
	for ((node = 0; node < nodes; node++)); do
		for ((i = 0; i < cpus_of[node]; i++)); do list+=("$node"); done
	done
	(IFS=:; echo "${list[*]}")
}

# Appends to qemu_args[].
shape_args() {
	local node first=0 a b cores spec total=0
	cores=$(cores_per_socket)
	for a in "${mem_of[@]}"; do total=$((total + a)); done
	qemu_args+=(-m "${total}M" -smp "$nr_cpus,sockets=$((nr_cpus / cores)),cores=$cores,threads=1")
	for ((node = 0; node < nodes; node++)); do
		spec=node,nodeid=$node
		if ((cpus_of[node])); then
			spec+=,cpus=$first-$((first + cpus_of[node] - 1))
			first=$((first + cpus_of[node]))
		fi
		if ((mem_of[node])); then
			qemu_args+=(-object "memory-backend-ram,id=node$node,size=${mem_of[node]}M")
			spec+=,memdev=node$node
		fi
		qemu_args+=(-numa "$spec")
	done
	for ((a = 0; a < nodes; a++)); do
		for ((b = 0; b < nodes; b++)); do
			qemu_args+=(-numa "dist,src=$a,dst=$b,val=${distances[a * nodes + b]}")
		done
	done
}

# "rep" string instructions one byte at a time are slow here, so the kernel is not told that they are fast.
cpu_model=max,erms=off,fsrm=off,fsrs=off,fzrm=off,fsrc=off,la57=off

time_args() {
	if [[ $deterministic = yes ]]; then
		qemu_args+=(-accel tcg,thread=single -icount shift=1,sleep=off -seed 1
			-rtc base=2024-01-01T00:00:00,clock=vm)
	else
		qemu_args+=(-accel tcg,thread=multi)
	fi
}

device_args() {
	local port
	qemu_args+=(-serial "file:$run_dir/console" -device virtio-serial-pci,ioeventfd=off)
	for port in stdout stderr verdict; do
		qemu_args+=(-chardev "file,id=$port,path=$run_dir/$port" -device "virtserialport,chardev=$port,name=$port")
	done
}

# A busy host stalls a vCPU for seconds: clock and stall watchdogs would cry wolf, and the IO-APIC timer check panics.
# What stalls for two minutes will not go on: the machine ends. lpj saves measuring the speed of each CPU, which takes
# longer than the rest of the boot.
# reboot=force: powers off without stopping the CPUs first; one that is late may still wake another, and warns of that.
kernel_args() {
	local words=(console=ttyS0 panic=-1 oops=panic reboot=force no_timer_check tsc=reliable lpj=10000000
		rcupdate.rcu_cpu_stall_timeout=120 rcupdate.rcu_exp_cpu_stall_timeout=120000
		sysctl.kernel.panic_on_rcu_stall=1)
	if [[ $deterministic = yes ]]; then words+=(norandmaps random.trust_cpu=on); fi
	echo "${words[*]} ${append[*]}"
}

# machine_args KERNEL INITRAMFS: sets qemu_args[].
machine_args() {
	qemu_args=(-nodefaults -no-user-config -display none -no-reboot -machine "pc,hmat=off,vmport=off" -cpu "$cpu_model"
		-kernel "$1/arch/x86/boot/bzImage" -initrd "$2" -append "$(kernel_args)")
	time_args
	shape_args
	device_args
}
