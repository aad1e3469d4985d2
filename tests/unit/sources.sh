# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by what builds the policy in user space; $top is the top directory. Gear 4 with what it works with; all that
# the unit tests test; how tests are compiled.
policy_sources=("$top"/module/{policy,policy_fault,berth,homes,homeset,usable,spread,weigh}.c
	"$top"/module/{nearby,partners,policy_work,reason}.c)
pure_sources=("${policy_sources[@]}" "$top"/module/{ballot,lead,batch,forecast,policy_pace,watch}.c)
warnings=(-std=gnu11 -g -Wall -Wextra -Werror -I "$top/module")
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)
