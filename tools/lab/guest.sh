# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by numalab: what is inside the guest, as cpio archives that the kernel unpacks one after another.

# Programs of the host that every guest has; those marked ? only if installed.
guest_programs=(numactl numastat migratepages taskset chrt ?numad)

# Builds the project's own programs for the guest, and the plugins: prints their directory.
lab_tools() {
	local dir source tmp
	dir=$build/lab-$(cat "$lab"/*.c "$lab"/*.h <(gcc --version) | hash_of)
	if [[ ! -e $dir ]]; then
		tmp=$(mktemp -d "$build/lab.XXXXXX")
		for source in mark drain probe pages ticks; do
			gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$tmp/$source" "$lab/$source.c" ||
				die "$source.c does not compile"
		done
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -pthread \
			-o "$tmp/meter.so" "$lab"/meter*.c || die "the meter does not compile"
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
			-o "$tmp/count.so" "$lab/count.c" || die "count.c does not compile"
		publish "$tmp" "$dir"
	fi
	echo "$dir"
}

# The libraries and the loader of a dynamic program, each at its own path.
bring_libraries() {
	local root=$1 program=$2 library
	while read -r library; do
		[[ -e $root$library ]] || install -D "$library" "$root$library"
	done < <(ldd "$program" 2>/dev/null | grep -oE '/[^ ]+' || true)
}

bring_program() {
	local root=$1 program=$2 target=$3
	install -D -m 755 "$program" "$root$target"
	bring_needs "$root" "$program"
}

# The same content makes the same archive, or --deterministic would not be.
pack() {
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet)
}

fill_base() {
	local root=$1 tools=$2 program path
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,usr/local/bin,proc,sys,dev,tmp,run,root,work,etc,lab,lib/modules,var/log}
	ln -s ../run "$root/var/run"
	install -m 755 "$(command -v busybox)" "$root/bin/busybox"
	for program in $(busybox --list); do
		[[ $program = busybox ]] || ln -s busybox "$root/bin/$program"
	done
	for program in "${guest_programs[@]}"; do
		path=$(command -v "${program#\?}") || { [[ $program = \?* ]] && continue; die "no $program: run tools/lab/deps.sh"; }
		rm -f "$root/bin/${program#\?}"
		bring_program "$root" "$path" "/usr/bin/${program#\?}"
	done
	install -m 755 "$tools"/{mark,drain,probe,pages,ticks} "$root/bin/"
	install -m 755 "$lab/init" "$root/init"
	ln -s /bin/busybox "$root/usr/bin/env"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
}

# Prints the archive all guests share.
base_archive() {
	local tools=$1 archive tmp key
	key=$({ cat "$lab/init" "$lab/guest.sh"; basename "$tools"; dpkg-query -W busybox-static numactl numad libc6 2>&1; } | hash_of)
	archive=$build/guest-$key.cpio
	if [[ ! -e $archive ]]; then
		tmp=$(mktemp -d "$build/guest.XXXXXX")
		fill_base "$tmp/root" "$tools"
		pack "$tmp/root" >"$tmp/cpio"
		mv "$tmp/cpio" "$archive"
		rm -rf "$tmp"
	fi
	echo "$archive"
}

# What a script's first line names, at the path it is named by; sh and env are busybox's.
bring_interpreter() {
	local root=$1 first interpreter argument
	IFS= read -r first < <(tr -d '\0' <"$2") || return 0
	[[ $first = '#!'* ]] || return 0
	read -r interpreter argument <<<"${first#\#!}"
	if [[ ${interpreter##*/} = env ]]; then interpreter=$(command -v "${argument%% *}") || return 0; fi
	case $interpreter in
	/bin/sh | /bin/busybox) ;;
	*) if [[ -x $interpreter ]]; then bring_program "$root" "$interpreter" "$interpreter"; fi ;;
	esac
}

bring_needs() {
	if is_elf "$2"; then bring_libraries "$@"; else bring_interpreter "$@"; fi
}

is_elf() { [[ $(head -c 4 "$1" | tr -d '\0') = $'\177ELF' ]]; }

# --file HOST[:GUEST]
bring_file() {
	local root=$1 host=$2 guest=
	if [[ ! -e $host && $host = *:* ]]; then
		guest=${host##*:}
		host=${host%:*}
		[[ $guest = /* ]] || die "--file: $guest is not an absolute path"
	fi
	[[ -e $host ]] || die "--file: $host does not exist"
	if [[ -d $host ]]; then
		mkdir -p "$root${guest:-/work}"
		cp -a "$host" "$root${guest:-/work/}"
		return
	fi
	if [[ -z $guest ]]; then
		guest=/work/${host##*/}
		if [[ -x $host ]]; then guest=/usr/local/bin/${host##*/}; fi
	fi
	install -D -m "$(stat -L -c %a "$host")" "$host" "$root$guest"
	if [[ -x $host ]]; then bring_needs "$root" "$host"; fi
}

quote() { printf "'%s' " "${1//\'/\'\\\'\'}"; }

# The program: a file of the host if there is one by that path, else something the guest has.
write_program() {
	local root=$1 arg
	shift
	if [[ $1 = */* && -f $1 && ! -e $root$1 ]]; then
		bring_program "$root" "$1" "/usr/local/bin/${1##*/}"
		set -- "/usr/local/bin/${1##*/}" "${@:2}"
	fi
	{
		printf 'exec '
		for arg; do quote "$arg"; done
		echo
	} >"$root/lab/program"
}

write_conf() {
	{
		printf 'BALANCER='; quote "$balancer"; echo
		printf 'MODULE_ARGS='; quote "$module_args"; echo
		printf 'NUMALAB_NOLOAD='; quote "${NUMALAB_NOLOAD:-}"; echo
		# With time counted in instructions it would come at any time.
		echo "TIMEOUT=$([[ $deterministic = yes ]] || echo "$timeout")"
	} >"$1"
}

# Modules that need no other one.
bring_modules() {
	local root=$1 kernel=$2 dir ko
	dir=$root/lib/modules/$(<"$kernel/include/config/kernel.release")
	for ko in "${@:3}"; do
		install -D -m 644 "$ko" "$dir/extra/${ko##*/}"
		echo "extra/${ko##*/}:" >>"$dir/modules.dep"
	done
}

# make_initramfs TARGET KERNEL PROGRAM...: prints nothing; writes the initramfs of this run, with the modules of kos[].
make_initramfs() {
	local target=$1 kernel=$2 tools root=$run_dir/root file
	shift 2
	tools=$(lab_tools)
	rm -rf "$root"
	mkdir -p "$root/lab"
	write_conf "$root/lab/conf"
	for file in "${files[@]}"; do bring_file "$root" "$file"; done
	if [[ -n $init_script ]]; then install -m 644 "$init_script" "$root/lab/script"; fi
	if ((${#kos[@]})); then bring_modules "$root" "$kernel" "${kos[@]}"; fi
	write_program "$root" "$@"
	pack "$root" | cat "$(base_archive "$tools")" - >"$target"
	rm -rf "$root"
}
