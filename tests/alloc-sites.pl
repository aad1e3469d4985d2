#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0
# alloc-sites.pl autonuma.ko: every place at which the module allocates, one line each:
#	SECTION OFFSET FUNCTION CALLEE
# where the call returns to SECTION+OFFSET, a hexadecimal number, in FUNCTION. That is what is on the stack while the
# callee allocates. Read from the module itself, so a new site is found without being listed.
use strict;
use warnings;

# What allocates, by name: the allocators proper, which all end in _noprof, and what else ends in one of them.
my $allocators = qr/_noprof$|^(?:
	__alloc_skb | genl_register_family |
	_*k[mvz]alloc | _*kvmalloc | _*vmalloc | _*vzalloc | _*krealloc | _*kvrealloc | kmem_cache_alloc |
	_*kmem_cache_create | kmemdup | kvmemdup | kstrdup | kasprintf | kvasprintf | devm_k |
	bitmap_(?:z?alloc|alloc) | alloc_cpumask_var | zalloc_cpumask_var | pcpu_alloc | _*alloc_percpu |
	_*alloc_pages | _*alloc_page | _*folio_alloc | get_free_page | get_zeroed_page |
	kthread_create | kthread_run_worker | alloc_workqueue | idr_alloc | ida_alloc | xa_store | xa_alloc |
	_*root_device_register | debugfs_create | tracepoint_probe_ | _*mmu_notifier_register | seq_open | single_open
)/x;

die "usage: alloc-sites.pl MODULE\n" unless @ARGV == 1 && -r $ARGV[0];

my ($section, $function, @jumps);	# where the reader is; all calls and jumps between functions
my (%starts, $pending);			# section => offset => function

# A target is NAME-0x4 for what is elsewhere, SECTION+0xN for what is near; N is 4 less than the offset.
sub target {
	my ($text) = @_;
	return $1 if $text =~ /^([A-Za-z_][\w.]*)-0x4$/;
	return $1 . '+' . (hex($2) + 4) if $text =~ /^(\.[\w.]+)\+0x([0-9a-f]+)$/;
	return "$1+0" if $text =~ /^(\.[\w.]+)-0x4$/;
	return $text;
}

open my $dump, '-|', 'objdump', '-dr', '--no-show-raw-insn', '-w', $ARGV[0] or die "objdump: $!\n";
while (<$dump>) {
	if (/^Disassembly of section (\S+):/) {
		$section = $1;
	} elsif (/^([0-9a-f]+) <([^>]+)>:/) {
		$function = $2;
		$starts{$section}{hex $1} = $2;
	} elsif (/^\s*([0-9a-f]+):\s+(call|jmp|j\w+)\s+([0-9a-f]+) <([^>]+)>\s*(?:[0-9a-f]+: R_X86_64_(?:PLT32|PC32)\s+(\S+))?/) {
		my $length = $2 eq 'call' ? 5 : 0;
		my $to = defined $5 ? target($5) : "$section+" . hex $3;
		push @jumps, { section => $section, at => hex($1) + $length, from => $function, call => $2 eq 'call', to => $to };
	}
}
close $dump or die "objdump failed\n";
die "no code in $ARGV[0]\n" unless @jumps;

# Names instead of places; a jump into the middle of a function is not one to a function.
for my $jump (@jumps) {
	my ($where, $offset) = $jump->{to} =~ /^(\.[\w.]+)\+(\d+)$/ or next;
	$jump->{to} = $starts{$where}{$offset} // '';
}

# A function that ends by jumping to an allocator is not on the stack then: whoever calls it is.
my %allocates;
my $more = 1;
while ($more) {
	$more = 0;
	for my $jump (grep { !$_->{call} && !$allocates{$_->{from}} } @jumps) {
		my $callee = $jump->{to} =~ $allocators ? $jump->{to} : $allocates{$jump->{to}} or next;
		$allocates{$jump->{from}} = $callee;
		$more = 1;
	}
}

for my $jump (grep { $_->{call} } @jumps) {
	my $callee = $jump->{to} =~ $allocators ? $jump->{to} : $allocates{$jump->{to}} or next;
	printf "%s %x %s %s\n", $jump->{section}, $jump->{at}, $jump->{from}, $callee;
}
