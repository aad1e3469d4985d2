#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# Prints "FUNCTION BYTES ADDRESS" for every site in a built x86-64 kernel that the key of the core hooks can patch:
#	hook-sites.pl VMLINUX
# Read from the jump table itself: {s32 code, s32 target, s64 key}, each relative to its own address; the low two bits
# of the key are flags.
# Kernel addresses are taken as signed numbers: negative, and exact.
use strict;
use warnings;
use integer;
no warnings 'portable';

my $vmlinux = shift or die "usage: hook-sites.pl VMLINUX\n";
my (%address, @functions);

open my $nm, '-|', 'nm', '-n', $vmlinux or die "nm: $!\n";
while (<$nm>) {
	my ($hex, $type, $name) = split;
	next unless defined $name;
	my $value = hex $hex;
	$address{$name} = $value;
	push @functions, [$value, $name] if $value < 0 && $type =~ /^[tTwW]$/;
}
close $nm or die "nm $vmlinux failed\n";
for ('__start___jump_table', '__stop___jump_table', 'autonuma_hooks_key') {
	die "$vmlinux has no $_\n" unless $address{$_};
}

# The bytes of [first, first + size), as the file has them.
sub bytes {
	my ($first, $size) = @_;
	my $hex = '';
	open my $dump, '-|', 'objdump', '-s', sprintf('--start-address=0x%x', $first),
		sprintf('--stop-address=0x%x', $first + $size), $vmlinux or die "objdump: $!\n";
	while (<$dump>) {
		next unless /^ [0-9a-f]{8,} ((?:[0-9a-f]{2,8} ){1,4})/;
		(my $line = $1) =~ tr/ //d;
		$hex .= $line;
	}
	close $dump or die "objdump $vmlinux failed\n";
	my $data = pack 'H*', $hex;
	die sprintf("%s: %d bytes at %x, not %d\n", $vmlinux, length $data, $first, $size) unless length $data == $size;
	return $data;
}

sub function_at {
	my $where = shift;
	my ($low, $high) = (0, $#functions);
	while ($low < $high) {
		my $middle = int(($low + $high + 1) / 2);
		if ($functions[$middle][0] <= $where) { $low = $middle } else { $high = $middle - 1 }
	}
	return $functions[$low][1];
}

my $start = $address{__start___jump_table};
my $table = bytes($start, $address{__stop___jump_table} - $start);
for (my $at = 0; $at < length $table; $at += 16) {
	my ($code, $target, $key) = unpack 'l<l<q<', substr $table, $at, 16;
	next unless (($start + $at + 8 + $key) & ~3) == $address{autonuma_hooks_key};
	my $site = $start + $at + $code;
	printf "%s %s %x\n", function_at($site), unpack("H*", bytes($site, 5)), $site;
}
