#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The five placements come about with huge pages.
source "$(dirname "$0")/../lib.sh"
source "$tests/placement.sh"

check_placements "huge pages" --thp
finish
