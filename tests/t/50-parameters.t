#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Loading: parameters, the take-over of in-tree balancing, machines with nothing to do.
source "$(dirname "$0")/../lib.sh"

NUMALAB_NOLOAD=1 guest --nodes 2 --cpus 2 --mem 256 --balancer autonuma <<'GUEST'
sysctl_file=/proc/sys/kernel/numa_balancing

# attempt NAME COMMAND...: prints "NAME STATUS MESSAGE"
attempt() {
	name=$1
	shift
	message=$(sh -c "$*" 2>&1)
	echo "$name $? $message"
}
write() { attempt "$1" "echo $3 >$2"; }
threads() { ps -o comm | grep -E '^knuma_|^\[knuma_' | tr -d '[]' | sort | tr '\n' ' '; }

# Refused when loading
attempt load-migrate modprobe autonuma migrate=sideways
attempt load-scan modprobe autonuma scan=perhaps
attempt load-batch modprobe autonuma migrate_batch=0
attempt load-big-batch modprobe autonuma migrate_batch=513
attempt load-tiering "echo 2 >$sysctl_file; modprobe autonuma; status=\$?; echo 0 >$sysctl_file; exit \$status"
echo "dmesg-tiering $(dmesg | grep -c 'autonuma: memory tiering')"
echo "after-refusals $(ls -d /sys/module/autonuma 2>/dev/null)"

attempt load-unknown modprobe autonuma no_such_parameter=1
rmmod autonuma

# Threads, one per node for migration
attempt load modprobe autonuma
echo "threads $(threads)"
values() { cat $parameters/* | tr '\n' ' '; }
echo "before $(values)"
write bad-migrate $parameters/migrate sideways
write bad-balance $parameters/balance perhaps
write bad-batch $parameters/migrate_batch 513
write bad-percent $parameters/scan_budget_pct 0
write bad-number $parameters/scan_period_min_ms x
echo "kept $(values)"
for mode in off fault async thread; do
	gear migrate $mode
	echo "mode-$mode $(cat $parameters/migrate)"
done
gear scan 0
echo "threads-at-rest $(threads)"
gear scan 1
echo "threads-again $(threads)"

# The sysctl while loaded; what is written is what comes back
echo "reads $(cat $sysctl_file)"
write busy $sysctl_file 1
write zero $sysctl_file 0
echo "dmesg $(dmesg | grep -c 'numa_balancing: autonuma')"
rmmod autonuma
echo "off-before $(cat $sysctl_file)"
echo "threads-after $(threads)"
echo 1 >$sysctl_file
modprobe autonuma
echo "reads-with-on-before $(cat $sysctl_file)"
rmmod autonuma
echo "on-before $(cat $sysctl_file)"
modprobe autonuma
echo 0 >$sysctl_file
rmmod autonuma
echo "zero-written $(cat $sysctl_file)"

# scan=0 from the start: the module is there, and nothing else
attempt load-at-rest modprobe autonuma scan=0
echo "at-rest-threads $(threads)"
write at-rest-sysctl $sysctl_file 1
echo "at-rest-reads $(cat $sysctl_file)"
echo 0 >$sysctl_file
rmmod autonuma
GUEST

guest_ended_well
for name in load-migrate load-scan load-batch load-big-batch load-tiering bad-migrate bad-balance bad-batch bad-percent bad-number; do
	check "$name is refused" like "$(said $name)" '^[1-9]'
done
check "tiering: no module stays" is "$(said after-refusals)" ""
check "tiering: says why" at_least "$(said dmesg-tiering)" 1
check "an unknown parameter is only warned of" like "$(said load-unknown)" '^0'
check "loads" like "$(said load)" '^0'
check "its threads" is "$(said threads)" "knuma_balanced knuma_migrated0 knuma_migrated1 knuma_scand "
check "refused values change nothing" is "$(said kept)" "$(said before)"
for mode in off fault async thread; do check "migrate=$mode" is "$(said mode-$mode)" $mode; done
check "scan=0: no thread" is "$(said threads-at-rest)" ""
check "scan=1: all back" is "$(said threads-again)" "$(said threads)"
check "loaded, the sysctl reads 0" is "$(said reads)" 0
check "writing 1: EBUSY" like "$(said busy)" '^[1-9].*busy'
check "writing 0 succeeds" like "$(said zero)" '^0'
check "the kernel's log names autonuma" at_least "$(said dmesg)" 1
check "unloaded: no thread" is "$(said threads-after)" ""
check "in-tree off before: off" is "$(said off-before)" 0
check "in-tree on before: reads 0 meanwhile" is "$(said reads-with-on-before)" 0
check "in-tree on before: on" is "$(said on-before)" 1
check "0 written meanwhile: off" is "$(said zero-written)" 0
check "scan=0 from the start: no thread" is "$(said at-rest-threads)" ""
check "scan=0: the sysctl is free" like "$(said at-rest-sysctl)" '^0'
check "scan=0: and acts" is "$(said at-rest-reads)" 1

NUMALAB_NOLOAD=1 guest --nodes 1 --cpus 1 --mem 256 --balancer autonuma <<'GUEST'
modprobe autonuma
echo "loaded $?"
echo "threads $(ps -o comm | grep -c knuma)"
echo "dmesg $(dmesg | grep -c 'autonuma: .*nothing to do')"
rmmod autonuma
echo "unloaded $?"
GUEST
guest_ended_well
check "one node: loads" is "$(said loaded)" 0
check "one node: starts no thread" is "$(said threads)" 0
check "one node: says that there is nothing to do" is "$(said dmesg)" 1
check "one node: unloads" is "$(said unloaded)" 0
finish
