#!/usr/bin/perl
# Prints, for each blob of a file in a restic repository, in order: offset in the file, length there,
# length in the pack. Asks restic, so RESTIC_REPOSITORY and RESTIC_PASSWORD are set.
#
#   bench/file_blobs.pl RESTIC TAG PATH
use strict;
use warnings;
use JSON::PP;

my ($restic, $tag, $path) = @ARGV;

sub restic {
  open my $out, "-|", $restic, "-q", "--no-lock", @_ or die "$restic: $!";
  my $text = do { local $/; <$out> };
  close $out or die "$restic @_ failed\n";
  return $text;
}

my %length;    # id: in the file, in the pack
for my $index (split ' ', restic("list", "index")) {
  for my $pack (@{decode_json(restic("cat", "index", $index))->{packs}}) {
    for my $blob (@{$pack->{blobs}}) {
      # What is not compressed has 32 bytes around it.
      $length{$blob->{id}} = [$blob->{uncompressed_length} // $blob->{length} - 32, $blob->{length}];
    }
  }
}

my $snapshots = decode_json(restic("snapshots", "--json", "--tag", $tag));
my $tree = decode_json(restic("cat", "snapshot", $snapshots->[-1]{id}))->{tree};
my @levels = grep { length } split m{/}, $path;
my $file = pop @levels;
sub node {
  my ($name) = @_;
  my ($node) = grep { $_->{name} eq $name } @{decode_json(restic("cat", "blob", $tree))->{nodes}};
  return $node // die "$path: there is no $name\n";
}
$tree = node($_)->{subtree} for @levels;

my $offset = 0;
for my $id (@{node($file)->{content}}) {
  my ($plain, $packed) = @{$length{$id} // die "the index lacks blob $id\n"};
  print "$offset $plain $packed\n";
  $offset += $plain;
}
