# SPDX-License-Identifier: GPL-2.0
# What people run. Both commands install what is missing by apt, and build the
# kernel once. The module alone is built by Kbuild:
#	make -C /lib/modules/$(uname -r)/build M=$PWD modules

.PHONY: all demo test torture fuzz policy-scale bench bench-full bench-here deps \
	kernel module tools install clean

BUILD = $(abspath $(or $(AUTONUMA_BUILD),build))
PREFIX = /usr/local

all: module

# The same real programs without balancing, with in-tree balancing, with
# autonuma and bound by hand, side by side.
demo: deps
	tools/demo

# Unit tests, whole machines, hooks, style. One line at the end counts them.
test: deps
	tests/run

# The long form of what the test has on debug kernels: an hour or so.
torture: deps
	AUTONUMA_LONG=1 tests/run tests/t/4*.t tests/t/5*.t

# A search for snapshots that the policy does not stand, for FUZZ_SECONDS (60).
# Needs clang and its sanitizers, and none of what deps installs.
fuzz:
	tests/fuzz/fuzz

# How the time of a pass of gear 4 grows with nodes and tasks: a table, and a
# plot if gnuplot is there.
policy-scale:
	tests/unit/scale

# Autonuma beside no balancing, in-tree balancing, numad and binding by hand:
# half an hour at most; results, plots and a page in build/bench. RESUME=1 goes
# on with a run of the same commit that was interrupted.
bench: deps
	tests/bench/bench $(if $(RESUME),--resume)

# All workloads on all machines: 12 hours at most.
bench-full: deps
	tests/bench/bench --set full $(if $(RESUME),--resume)

# The benchmark's workloads on this very machine, if it has NUMA nodes.
bench-here:
	tests/bench/here

deps:
	tools/lab/deps.sh

kernel: deps
	tools/numalab kernel

module: deps
	tools/numalab module

# autonumactl, as build/autonumactl: needs pkg-config, libnl-genl-3-dev and
# libjson-c-dev, and none of what deps installs besides.
tools:
	$(MAKE) -C tools/ctl OUT=$(BUILD)

# autonumactl and the man pages, to PREFIX in DESTDIR.
install: tools
	install -D -m 755 $(BUILD)/autonumactl $(DESTDIR)$(PREFIX)/sbin/autonumactl
	for page in $(notdir $(wildcard docs/man/*.[1-8])); do \
		install -D -m 644 docs/man/$$page \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page || exit; \
	done

# All that was built, the kernel too.
clean:
	rm -rf build
