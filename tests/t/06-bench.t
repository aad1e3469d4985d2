#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The evaluation of measurements: unit tests of tests/bench.
source "$(dirname "$0")/../lib.sh"

for file in "$tests"/bench/test_*.py; do
	module=${file##*/}
	check "${module%.py}" env -C "$tests/bench" PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -q "${module%.py}"
done
finish
