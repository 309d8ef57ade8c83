#!/usr/bin/perl
# Reads SIZE bytes at COUNT places of a file, the same places each time, for LIMIT seconds at most.
# Prints how many it has read, and how many bytes the blobs under them have in their packs, each blob
# counted once. BLOBS is what file_blobs.pl prints.
#
#   bench/random_reads.pl FILE BLOBS SIZE COUNT LIMIT
use strict;
use warnings;
use Time::HiRes qw(time);

my ($path, $blobs, $size, $count, $limit) = @ARGV;
open(my $list, "<", $blobs) or die "$blobs: $!";
my @blobs = map { [split ' '] } <$list>;
my $end = $blobs[-1][0] + $blobs[-1][1];

my $state = 7;
sub uniform { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return $state / 2147483648; }

my %wanted;    # number of a blob: its bytes in the pack
open(my $file, "<:raw", $path) or die "$path: $!";
my ($begin, $done) = (time, 0);
while ($done < $count && time - $begin < $limit) {
  my $at = int(uniform() * ($end - $size) / $size) * $size;
  sysseek $file, $at, 0 or die "$path: $!";
  my $got = sysread($file, my $bytes, $size);
  die "$path: " . ($! || "short read") . " at $at\n" if !defined $got || $got != $size;
  for my $i (0 .. $#blobs) {
    my ($offset, $plain, $packed) = @{$blobs[$i]};
    $wanted{$i} = $packed if $offset < $at + $size && $at < $offset + $plain;
  }
  $done++;
}
my $sum = 0;
$sum += $_ for values %wanted;
print "$done $sum\n";
