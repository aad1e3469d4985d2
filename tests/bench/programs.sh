# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2046,SC2086 # lists of nodes, CPUs and processes are words
# Programs from Debian's archive, unmodified, as one contender's turn: sourced in the guest (busybox sh) after guest.sh.
# tests/bench/programs.py says which files they need.
#
#	run_redis BIND, run_postgres_one BIND, run_postgres_many BIND, run_compile BIND, run_compress BIND
#
# BIND:
#	none	nothing has a memory policy. What a program has before the measured part is born on the first node, because
#		all its threads may run on the CPUs of that node alone until then; then they may run anywhere.
#	hard	each program has the CPUs and the memory of a node of its own.
#	inverse	each has the CPUs of one node and the memory of another.
# The environment has NODES (those with CPUs, the first one first), NODE_OF_CPU (0:0:1:1) and MIB (of each node).
#
# "mark 1" when everything is loaded, "mark 2" when the work is done; between them the work is the same for everybody.
# The last line of standard output is JSON. The status is 0 only if the programs did what they should. Each function
# runs in a subshell, leaves no process behind, and no file but what tests/bench/programs.py brought.

where=/tmp/programs
programs_user=65534	# postgres refuses root

# --- nodes ---

cpus_of() { cat "/sys/devices/system/node/node$1/cpulist"; }

first_of() { echo "$1"; }

how_many() { echo $#; }

all_cpus() { echo "$NODE_OF_CPU" | tr : '\n' | wc -l; }

cpus_on() { echo "$NODE_OF_CPU" | tr : '\n' | grep -cx "$1"; }

# next_node NODE: the one after it, in a ring
next_node() {
	found=
	for candidate in $NODES $NODES; do
		if [ "$found" ]; then break; fi
		if [ "$candidate" = "$1" ]; then found=yes; fi
	done
	echo "$candidate"
}

# The first half of the nodes (first), or the others (second); all of them if that would be none.
half() {
	size=$(($(how_many $NODES) / 2)) i=0
	[ $size -gt 0 ] || echo "$NODES"
	for node in $NODES; do
		i=$((i + 1))
		case $1 in
		first) [ $i -gt $size ] || echo "$node" ;;
		second) [ $i -le $size ] || [ $size = 0 ] || echo "$node" ;;
		esac
	done
}

commas() { echo "$*" | tr ' ' ','; }

cpus_of_all() { commas $(for of in "$@"; do cpus_of "$of"; done); }

# placed NODES OTHERS COMMAND...: becomes the command, bound to these nodes (hard), or with the memory of these and the
# CPUs of the others (inverse). A list of nodes is one word.
placed() {
	place=$(commas $1) others=$(commas $2)
	shift 2
	case $bind in
	hard) exec numactl --cpunodebind="$place" --membind="$place" "$@" ;;
	inverse) exec numactl --cpunodebind="$others" --membind="$place" "$@" ;;
	esac
	exec "$@"
}

# As placed, but unbound programs may run on the first node only, until they are freed.
born() {
	[ "$bind" != none ] || taskset -cp "$(cpus_of "$(first_of $NODES)")" "$(exec sh -c 'echo $PPID')" >/dev/null
	placed "$@"
}

# free_threads PID...: they may run anywhere now, if they are not bound.
free_threads() {
	[ "$bind" = none ] || return 0
	for pid; do taskset -acp "$(cat /sys/devices/system/cpu/online)" "$pid" >/dev/null || return 1; done
}

# --- a turn ---

failed() {
	echo "$*" >&2
	tail -n 20 "$where"/*.log >&2
	exit 1
}

uptime_cs() { awk '{ printf "%d\n", $1 * 100 }' /proc/uptime; }

# Of all CPUs.
idle_ms() { awk '$1 == "cpu" { print ($5 + $6) * 10 }' /proc/stat; }

# begin BIND
begin() {
	bind=$1 feeders=''
	case $bind in none | hard | inverse) ;; *) echo "what bind is '$bind'?" >&2; exit 1 ;; esac
	rm -rf $where
	mkdir -p $where
	chmod 777 $where
	trap end EXIT
}

# Whatever has happened: nothing goes on running, and its memory is free.
end() {
	kill $feeders 2>/dev/null
	killall -q -9 redis-server redis-benchmark postgres pgbench zstd xargs gcc cc1 as
	while pidof redis-server postgres zstd cc1 >/dev/null; do usleep 20000; done
	rm -rf $where
}

measured_begin() {
	mark 1
	began=$(uptime_cs) idle=$(idle_ms)
}

# measured_end WORK UNIT
measured_end() {
	took=$(($(uptime_cs) - began)) idle=$(($(idle_ms) - idle))
	mark 2
	json=$(printf '{"work": %d, "unit": "%s", "wall_ms": %d, "idle_ms": %d}' "$1" "$2" $((took * 10)) $idle)
}

# wait_for PID...: all of them, and all succeeded.
wait_for() {
	for pid; do wait "$pid" || return 1; done
}

# until_true WHAT COMMAND...
until_true() {
	what=$1 tries=600
	shift
	until "$@" >/dev/null 2>$where/until.log; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || failed "$what: it took too long"
		usleep 50000
	done
}

# --- redis: a server for each node, each with a load generator of its own ---

redis_keys=40000	# of 4000 bytes, in all
redis_requests=120000	# in all

redis_cli() { redis-cli -s "$where/redis$1" "$2" ${3+"$3"} ${4+"$4"} ${5+"$5"}; }

redis_answers() {
	kill -0 "${servers##* }" || failed "redis-server $1 does not start"
	[ "$(redis_cli "$1" ping)" = PONG ]
}

start_redis() {
	(born "$1" "$(next_node "$1")" redis-server --port 0 --unixsocket "$where/redis$1" --save '' --appendonly no) \
		>"$where/redis$1.log" 2>&1 &
	servers="$servers $!"
	until_true "redis-server $1" redis_answers "$1"
	fill="local value = string.rep('x', 4000)
		for i = 0, $keys - 1 do redis.call('set', string.format('key:%012d', i), value) end"
	redis_cli "$1" eval "$fill" 0 >/dev/null
	[ "$(redis_cli "$1" dbsize)" = "$keys" ] || failed "redis-server $1 was not filled"
}

redis_counted() { redis_cli "$1" info stats | tr -d '\r' | sed -n "s/^$2://p"; }

check_redis() {
	[ "$(redis_counted "$1" keyspace_hits)" = "$requests" ] || failed "redis-server $1 did not answer all requests"
	[ "$(redis_counted "$1" keyspace_misses)" = 0 ] || failed "redis-server $1 did not know all keys"
}

run_redis() (
	begin "$1"
	servers='' clients=''
	keys=$((redis_keys / $(how_many $NODES))) requests=$((redis_requests / $(how_many $NODES)))
	for node in $NODES; do start_redis "$node"; done
	free_threads $servers || failed "a redis-server is gone"
	measured_begin
	for node in $NODES; do
		(placed "$node" "$(next_node "$node")" redis-benchmark -s "$where/redis$node" -t get -r "$keys" -n "$requests" \
			-P 50 -c 8 -q) >"$where/client$node.log" 2>&1 &
		clients="$clients $!"
	done
	wait_for $clients || failed "a redis-benchmark failed"
	measured_end "$((requests * $(how_many $NODES)))" requests
	for node in $NODES; do check_redis "$node"; done
	echo "$json"
)

# --- postgres: one server, with a cluster that programs.py made ---

# Each transaction sums a column of 200 rows in a row, somewhere in the table: a lookup of one row (pgbench -S) would
# mostly measure how two processes wake each other.
#
# postgres_one: a backend and pgbench, together on a node. postgres_many: two backends for each CPU. All of them read
# all of the shared buffers, so where these are makes no difference as long as backends run everywhere. Bound by hand,
# the server therefore has half of the nodes, with an equal part of the buffers on each, and pgbench the other half: of
# the accesses to the buffers, one in two is local on four nodes instead of one in four, and all else is local.

postgres_data=/work/postgres
postgres_rows=1000000
postgres_one_transactions=3200
postgres_many_transactions=3200	# in all

sql() { psql -X -A -t -q -U postgres -h $where -c "$1" postgres; }

postgres_answers() {
	kill -0 "$server" || failed "postgres does not start"
	[ "$(sql 'select 1')" = 1 ]
}

# start_postgres NODES OTHERS (busybox has a setpriv of its own, which cannot do this)
start_postgres() {
	chown -R $programs_user:$programs_user $postgres_data
	chmod 700 $postgres_data
	rm -f $postgres_data/postmaster.pid
	(born "$1" "$2" /usr/bin/setpriv --reuid $programs_user --regid $programs_user --clear-groups \
		/usr/lib/postgresql/*/bin/postgres -D $postgres_data -k $where) >$where/postgres.log 2>&1 &
	server=$!
	until_true postgres postgres_answers
}

# backends_on NODE...: where new ones run
backends_on() { taskset -cp "$(cpus_of_all "$@")" "$server" >/dev/null || failed "backends cannot be placed"; }

# load_part TABLE PART PARTS
load_part() {
	pages="pg_relation_size('$1') / 8192"
	sql "select pg_prewarm('$1', 'buffer', 'main', $pages * $2 / $3, $pages * ($2 + 1) / $3 - 1)" \
		>>$where/load.log 2>&1 || failed "the buffers cannot be loaded"
}

# load_buffers NODE...: the whole table into the shared buffers. If bound hard, each node's CPUs touch an equal part
# first; else whoever may run does.
load_buffers() {
	part=0
	for loader; do
		[ "$bind" != hard ] || backends_on "$loader"
		load_part pgbench_accounts $part $#
		load_part pgbench_accounts_pkey $part $#
		part=$((part + 1))
	done
	[ "$bind" != hard ] || backends_on "$@"
}

# pgbench's own count of what was answered.
check_pgbench() {
	grep -qx "number of transactions actually processed: $1/$1" $where/pgbench.log &&
		grep -q '^number of failed transactions: 0 ' $where/pgbench.log
}

stop_postgres() {
	kill -INT "$server"
	wait "$server"
}

# run_pgbench SERVER_NODES CLIENT_NODES OTHERS CLIENTS TRANSACTIONS: so many for each client; the inverse bind gives the
# server the CPUs of OTHERS.
run_pgbench() {
	start_postgres "$1" "$3"
	load_buffers $1
	free_threads $(pidof postgres) || failed "postgres is gone"
	back=$1
	[ "$1" != "$2" ] || back=$3
	cat >$where/query <<-END
		\set first random(1, $((postgres_rows - 199)))
		select sum(abalance) from pgbench_accounts where aid between :first and :first + 199;
	END
	measured_begin
	(placed "$2" "$back" pgbench -n -f $where/query -M prepared -U postgres -h $where -c "$4" -j "$4" -t "$5" \
		postgres) >$where/pgbench.log 2>&1 || failed "pgbench failed"
	measured_end $(($4 * $5)) transactions
	check_pgbench $(($4 * $5)) || failed "pgbench: not all was answered"
	stop_postgres || failed "postgres failed"
	echo "$json"
}

run_postgres_one() (
	begin "$1"
	node=$(first_of $NODES)
	run_pgbench "$node" "$node" "$(next_node "$node")" 1 $postgres_one_transactions
)

run_postgres_many() (
	begin "$1"
	backends=$((2 * $(all_cpus)))
	run_pgbench "$(half first)" "$(half second)" "$(half second)" $backends $((postgres_many_transactions / backends))
)

# --- compile: as many compilers as there are CPUs ---

# Nothing can be born on the first node here but the files: each compiler lives for a moment, and its memory is what it
# touches first, where it runs. So there is little to win, and a balancer should lose nothing.

compile_files=/work/compile
compile_rounds=1

# compile_list PART PARTS: "OBJECT SOURCE" in lines
compile_list() {
	for round in $(seq $compile_rounds); do
		for source in "$compile_files"/*.i; do
			object=${source##*/}
			echo "$where/$round-${object%.i}.o $source"
		done
	done | awk -v part="$1" -v parts="$2" 'NR % parts == part'
}

# compile_part PART PARTS NODE JOBS
compile_part() {
	compile_list "$1" "$2" | placed "$3" "$(next_node "$3")" xargs -n 2 -P "$4" gcc -O0 -c -o
}

# An object file is what this PC's compiler made of the same source.
check_compile() {
	checked=0
	for round in $(seq $compile_rounds); do
		while read -r sum object; do
			echo "$sum  $where/$round-$object" | sha256sum -c >>$where/check.log 2>&1 || failed "$object is another one"
			checked=$((checked + 1))
		done <$compile_files/sums
	done
	[ $checked = "$(compile_list 0 1 | wc -l)" ] || failed "objects are missing"
}

start_compilers() {
	if [ "$bind" = none ]; then
		compile_part 0 1 "" "$(all_cpus)" >$where/compile.log 2>&1 &
		jobs=$!
		return
	fi
	part=0 parts=$(how_many $NODES) jobs=
	for node in $NODES; do
		compile_part $part "$parts" "$node" "$(cpus_on "$node")" >"$where/compile$node.log" 2>&1 &
		jobs="$jobs $!"
		part=$((part + 1))
	done
}

run_compile() (
	begin "$1"
	measured_begin
	start_compilers
	wait_for $jobs || failed "a compiler failed"
	measured_end "$(compile_list 0 1 | wc -l)" files
	check_compile
	echo "$json"
)

# --- compress: a compressor for each node, with a thread for each of its CPUs ---

# Each gets the first part of its input while it may run on the first node only, enough to make it touch all the memory
# it will use, and the rest when it is free.

compress_input=/work/compress/input
compress_first=48	# MiB of the input, in all
compress_rest=48

# mib_of FROM SIZE
mib_of() { dd if=$compress_input bs=1M skip="$1" count="$2" 2>/dev/null; }

# feed INSTANCE
feed() {
	from=$(($1 * (first + rest)))
	mib_of $from $first
	: >"$where/fed$1"
	until [ -e $where/go ]; do usleep 10000; done
	mib_of $((from + first)) $rest
}

start_zstd() {
	mkfifo "$where/input$1"
	feed "$1" >"$where/input$1" &
	feeders="$feeders $!"
	(born "$2" "$(next_node "$2")" zstd -q -f -3 -T"$(cpus_on "$2")" --long=24 -B2MiB -o "$where/output$1") \
		<"$where/input$1" >"$where/zstd$1.log" 2>&1 &
	compressors="$compressors $!"
}

cpu_ticks() { cat /proc/*/stat 2>/dev/null | awk '$2 == "(zstd)" { n += $14 + $15 } END { print n + 0 }'; }

# All have got their first part, and have nothing more to do.
zstd_idle() {
	for number in $(seq "$(how_many $NODES)"); do [ -e "$where/fed$((number - 1))" ] || return 1; done
	was=$(cpu_ticks)
	usleep 200000
	[ "$(cpu_ticks)" = "$was" ]
}

check_zstd() {
	mib_of $(($1 * (first + rest))) $((first + rest)) >"$where/expected$1"
	zstd -q -dc --long=24 "$where/output$1" | cmp -s - "$where/expected$1" || return 1
	rm "$where/expected$1"
}

run_compress() (
	begin "$1"
	compressors='' instance=0
	first=$((compress_first / $(how_many $NODES))) rest=$((compress_rest / $(how_many $NODES)))
	for node in $NODES; do
		start_zstd $instance "$node"
		instance=$((instance + 1))
	done
	until_true zstd zstd_idle
	free_threads $compressors || failed "a zstd is gone"
	measured_begin
	: >$where/go
	wait_for $compressors || failed "a zstd failed"
	measured_end $((rest * $(how_many $NODES))) MiB
	checks=
	for instance in $(seq 0 $((instance - 1))); do
		check_zstd "$instance" &
		checks="$checks $!"
	done
	wait_for $checks || failed "what was compressed is not what comes out"
	echo "$json"
)
