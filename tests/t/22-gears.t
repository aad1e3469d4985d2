#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What each gear adds: the placements with a gear switched off. Where that gear is needed the very same condition has
# to be broken, and where it is not it has to hold still. Small pages.
#
# scan=0 is the whole module at rest, and with migrate=off no page moves: both are needed wherever a page has to leave
# node 0. balance=0 leaves tasks where they are: threads that share are never gathered (a and d). Memory still follows a
# thread that has its own (b and c); how far it gets depends on how often the load balancer moves threads that gear 4 no
# longer speaks for. A table that all threads read stays where it is without any gear (e).
source "$(dirname "$0")/../lib.sh"
source "$tests/placement.sh"

gears=(scan=0 migrate=off balance=0)
declare -A needed=(
	[a]="scan=0 migrate=off balance=0"
	[b]="scan=0 migrate=off"
	[c]="scan=0 migrate=off"
	[d]="scan=0 migrate=off balance=0"
	[e]=""
)
declare -A uncertain=([b]="balance=0" [c]="balance=0")

cases=()
for which in a b c d e; do
	for gear in "${gears[@]}"; do cases+=("${#cases[@]}=$which:$gear"); done
done
# The faulting task moves the pages itself: the same placement.
cases+=("${#cases[@]}=b:migrate=fault")
run_placements "${cases[@]}"
guest_ended_well

for case in "${cases[@]}"; do
	number=${case%%=*} gear=${case#*:} which=${case#*=}
	which=${which%%:*}
	describe "$number"
	check "$which with $gear: memory as expected" is "$(said_in "$number" load)" 0
	if [[ " ${needed[$which]} " = *" $gear "* ]]; then
		check "$which with $gear: does not come about" fails holds "$number" "$which"
	elif [[ ${uncertain[$which]:-} = "$gear" ]]; then
		check "$which with $gear: memory follows all the same" at_least "$(migrated "$number")" 40000
	else
		check "$which with $gear: comes about all the same" holds "$number" "$which"
	fi
	case $gear in
	scan=0)		check "$which with $gear: nothing is planted" is "$(json "$number" '.numa_pte_updates | .[-1] - .[0]')" 0 ;;
	migrate=off)	check "$which with $gear: no page moves" is "$(migrated "$number")" 0 ;;
	balance=0)	check "$which with $gear: no task is moved" is "$(task_steps "$number")" 0 ;;
	esac
done
finish
