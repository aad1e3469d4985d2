#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Bad input: every parameter with values that are below, above, not what is asked for, empty or followed by more, when
# loading and at run time; then several writers change all of them at once, at random, while programs run.
#
# The parameters are those that the module has; what each one takes is what README.md says of it.
source "$(dirname "$0")/../lib.sh"

writers=4
seconds=$(long_or_short 600 20)
writes=$((seconds * 50))	# the most that each writer can come to
seed=${AUTONUMA_SEED:-$RANDOM}
RANDOM=$seed

# "NAME BOUNDS" of each line of the table in README.md.
documented() {
	sed -n '/^## Parameters/,/^## /p' "$top/README.md" |
		awk -F ' *\\| *' '/^\| `/ { gsub("`", "", $2); gsub("`", "", $4); print $2, $4 }'
}

# What one parameter takes, from its bounds: words, or the least and the most.
least() { echo "${1%%..*}"; }
most() { echo "${1##*..}"; }

# good_values BOUNDS, bad_values BOUNDS: one per line, for printf %b.
good_values() {
	case $1 in
	*..*) printf '%s\n' "$(least "$1")" "$(most "$1")" ;;
	'0, 1') printf '%s\n' 0 1 N Y ;;
	*) tr ' ' '\n' <<<"$1" ;;
	esac
}

bad_values() {
	local low high word
	case $1 in
	*..*)
		low=$(least "$1") high=$(most "$1")
		printf '%s\n' '' x - -1 $((low - 1)) $((high + 1)) $((low + (1 << 32))) 9223372036854775808 \
			"$(printf '9%.0s' {1..300})" "${low}x" "$high." "$low $low" "$low\\n$low" 0x "-$high" '\t' ;;
	'0, 1') printf '%s\n' '' x 2 -1 01 10 1x 'Y ' 'on and on' '1\n0' '1\n\n' 4294967297 yes true ;;
	*)
		word=${1%% *}
		printf '%s\n' '' x 0 "${word}x" "${word%?}" "${word^^}" "$word $word" "$word\\n$word" "$1" ;;
	esac
}

# "NAME good|bad VALUE" for all parameters.
all_values() {
	local name bounds
	while read -r name bounds; do
		good_values "$bounds" | sed "s/^/$name good /"
		bad_values "$bounds" | sed "s/^/$name bad /"
	done < <(documented)
}

all_values >"$work/values"
nr_bad=$(grep -c '^[a-z_]* bad ' "$work/values")
nr_good=$(grep -c '^[a-z_]* good ' "$work/values")

NUMALAB_NOLOAD=1 guest --nodes 2 --cpus 2 --mem 256 --balancer autonuma --file "$work/values:/work/values" <<'GUEST'
loaded() { [ -e /sys/module/autonuma ]; }
all_parameters() { cat $parameters/* | tr '\n' ' '; }

# same VALUE NAME: does the parameter have it? 0 and 1 may read N and Y.
same() {
	case $1$(cat $parameters/$2) in
	0N | 1Y) ;;
	*) [ "$1" = "$(cat $parameters/$2)" ] ;;
	esac
}

# Prints "run NAME good|bad VERDICT VALUE"
at_run_time() {
	before=$(all_parameters)
	said=$(sh -c 'printf "%b\n" "$0" | cat >"$1"' "$3" "$parameters/$1" 2>&1)
	case $2$said in
	good) if same "$3" "$1"; then verdict=ok; else verdict="ends as $(cat $parameters/$1)"; fi ;;
	bad*Invalid\ argument) if [ "$before" = "$(all_parameters)" ]; then verdict=ok; else verdict="changed"; fi ;;
	*) verdict="${said:-accepted}" ;;
	esac
	echo "run $verdict: $1 $2 $3"
}

# refused_at_load NAME VALUE
refused_at_load() {
	said=$(modprobe autonuma "$1=$2" 2>&1)
	case $said in
	*Invalid\ argument) if loaded; then verdict="loaded"; else verdict=ok; fi ;;
	*) verdict="${said:-accepted}" ;;
	esac
	! loaded || rmmod autonuma
	echo "load $verdict: $1 bad $2"
}

# taken_at_load K: the Kth good value of every parameter that has so many, all at once
taken_at_load() {
	awk -v k="$1" '$2 == "good" && ++n[$1] == k { print $1 "=" $3 }' /work/values >/tmp/good
	# shellcheck disable=SC2046 # words
	said=$(modprobe autonuma $(cat /tmp/good) 2>&1)
	while IFS== read -r name value; do
		if ! loaded; then verdict="${said:-not loaded}"; elif same "$value" "$name"; then verdict=ok; else
			verdict="ends as $(cat $parameters/$name)"; fi
		echo "load $verdict: $name good $value"
	done </tmp/good
	! loaded || rmmod autonuma
}

modprobe autonuma || exit 1
ls $parameters | sed 's/^/parameter /'
defaults=$(all_parameters)
while IFS= read -r line; do
	rest=${line#* }
	at_run_time "${line%% *}" "${rest%% *}" "${rest#* }"
done </work/values
echo "writable $(find $parameters -type f -perm 644 | wc -l)"
rmmod autonuma
for k in 1 2 3 4; do taken_at_load $k; done
while IFS= read -r line; do
	rest=${line#* }
	case $line in
	*\\*) ;;	# modprobe cannot hand over a newline
	*\ bad\ *) refused_at_load "${line%% *}" "${rest#* }" ;;
	esac
done </work/values
modprobe autonuma || exit 1
[ "$defaults" = "$(all_parameters)" ] && echo "defaults again"
rmmod autonuma
GUEST

guest_ended_well
check "every parameter of the module is documented, and no other" is "$(said parameter)" "$(documented | cut -d' ' -f1 | sort)"
check "all can be written" is "$(said writable)" "$(documented | wc -l)"
check "run time: $nr_bad bad values are refused and change nothing, $nr_good good ones are taken" \
	unlike "$(grep '^run ' "$work/out" | cut -c1-120)" '^run [^:]*[^k]:'
check "run time: all of them were tried" is "$(grep -c '^run ' "$work/out")" $((nr_bad + nr_good))
check "loading: the same" unlike "$(grep '^load ' "$work/out" | cut -c1-160)" '^load [^:]*[^k]:'
check "loading: all of them were tried" is "$(grep -c '^load ' "$work/out")" "$(grep -cv '\\' "$work/values")"
check "nothing of it remains" is "$(said defaults)" again

# --- several writers at once ---

# Good values more often than bad ones.
mapfile -t lines < <(cat "$work/values" <(grep ' good ' "$work/values") <(grep ' good ' "$work/values"))
for ((w = 1; w <= writers; w++)); do
	for ((i = 0; i < writes; i++)); do printf '%s\n' "${lines[RANDOM % ${#lines[@]}]}"; done |
		sed 's/^\([a-z_]*\) [a-z]* /\1 /' >"$work/writes$w"
done

NUMALAB_NOLOAD=1 guest --config debug --nodes 2 --cpus 2 --mem 512 --balancer autonuma \
	--file "$work/writes1:/work/writes1" --file "$work/writes2:/work/writes2" --file "$work/writes3:/work/writes3" \
	--file "$work/writes4:/work/writes4" <<GUEST
seconds=$seconds writers=$writers
$(cat <<'SCRIPT'
# Until the time is over, or rather all has been written.
writer() {
	written=0
	while IFS= read -r line && [ -e /tmp/writing ]; do
		printf '%b\n' "${line#* }" >"$parameters/${line%% *}"
		written=$((written + 1))
	done <"/work/writes$1" 2>/dev/null
	echo "writer $1 $written"
}

reader() {
	while [ -e /tmp/writing ]; do
		cat /sys/kernel/debug/autonuma/* $parameters/* >/dev/null
	done
}

start_load private --mem 16 --threads 2 --stride 4096 --sweeps 100000000 --born 0 --fork
first=$load_pid
start_load procs --mem 16 --stride 4096 --sweeps 100000000 --born 0 --spread
second=$load_pid
modprobe autonuma min_process_cpu_ms=0 min_process_mb=1 || exit 1
: >/tmp/writing
reader &
reader=$!
n=0 all=
while [ $n -lt $writers ]; do
	n=$((n + 1))
	writer $n &
	all="$all $!"
done
sleep $seconds
rm /tmp/writing
wait $all $reader

grep . $parameters/* | sed 's|.*/|end |; s/:/ /'
gear enabled 1
gear scan 1
echo "running $(status running)"
rmmod autonuma
echo "unloaded $?"
echo "left none$(ps -o comm | grep knuma)"
end_load $first
end_load $second
SCRIPT
)
GUEST

note "seed $seed; writes: $(said writer | tr '\n' ' ')"
guest_ended_well
check "several writers: each of them wrote" is "$(said writer | awk '$2 >= 10' | wc -l)" $writers
# in_bounds NAME VALUE, as it is read
in_bounds() {
	local bounds
	bounds=$(documented | sed -n "s/^$1 //p")
	case $bounds in
	*..*) (($2 >= $(least "$bounds") && $2 <= $(most "$bounds"))) ;;
	'0, 1') [[ $2 = [YN] ]] ;;
	*) [[ " $bounds " = *" $2 "* ]] ;;
	esac
}
out_of_bounds() {
	local name value
	while read -r name value; do
		in_bounds "$name" "$value" || echo "$name is $value"
	done < <(said end)
}
check "several writers: every parameter is within its bounds" is "$(out_of_bounds)" ""
check "several writers: all parameters can be read" is "$(said end | wc -l)" "$(documented | wc -l)"
check "several writers: the module runs again" is "$(said running)" 1
check "several writers: it can be unloaded" is "$(said unloaded)" 0
check "several writers: nothing is left" is "$(said left)" none
check "several writers: memory as expected in all programs" is "$(said load | tr '\n' ' ')" "0 0 "
finish
