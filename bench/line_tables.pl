#!/usr/bin/perl
# Prints what bench/compare-line has noted: for each line a table of times and one of bytes.
#
#   bench/line_tables.pl RESULTS SCALE MIB_OF_THE_LARGE_FILE SMALL_FILES FILES_OF_THE_FOLDER
#
# RESULTS has lines of "LINE ITEM STATE WHAT", program and value, between tabs. A time whose part is
# below 1 was cut by the limit: it is a lower bound, and a ratio to it an upper one.
use strict;
use warnings;
use utf8;
binmode STDOUT, ":utf8";

my ($results, $scale, $mib, $files, $folder_files) = @ARGV;

my (%values, @lines, %seen);
open my $in, "<", $results or die "$results: $!";
while (<$in>) {
  chomp;
  my ($what, $program, $value) = split /\t/;
  push @{$values{$what}{$program}}, $value;
  my ($line) = split ' ', $what;
  push @lines, $line unless $seen{$line}++;
}

sub median {
  my @sorted = sort { $a <=> $b } @{$values{$_[0]}{$_[1]} // return};
  return $sorted[$#sorted / 2];
}
sub least { my @sorted = sort { $a <=> $b } @{$values{$_[0]}{$_[1]} // return}; return $sorted[0]; }
sub most { my @sorted = sort { $b <=> $a } @{$values{$_[0]}{$_[1]} // return}; return $sorted[0]; }

my @titles = (
  [listing => "mount to first listing"],
  [find => "`find -ls`, $files files"],
  [cat => "`cat` of $mib MiB"],
  [folder => "`tar c` of $folder_files small files of them"],
  [tree => "`tar c` of $files files"],
  [random4k => "random reads of 4 KiB"],
  [random128k => "random reads of 128 KiB"],
  [copies => "four `cp` at once: $mib MiB, three folders"],
  ["cp-large" => "`cp -r` of $mib MiB; `rsync -a`"],
  ["cp-folder" => "`cp -r` of $folder_files small files; `rsync -a`"],
  ["cp-tree" => "`cp -r` of $files files; `rsync -a`"],
  ["cp-all" => "`cp -a` of $files files; `rsync -aAX`"]);
my @programs = qw(mount restore rsync restree local);
my @states = ([cold => "cold"], [second => "second"], [remount => "after a remount"]);

# What is wanted of Restree at 1 Gbit/s and 20 ms or more: the most that its time may be of another's.
my %wanted = (
  "listing cold" => {mount => 0.5},
  "cat cold" => {mount => 0.18},
  "folder cold" => {mount => 0.03, restore => 0.6},
  "tree cold" => {restore => 0.6},
  map({("$_ cold" => {rsync => 1})} qw(cp-large cp-folder cp-tree cp-all)),
  map({("$_ second" => {local => 1.25}, "$_ remount" => {local => 1.25})}
    qw(cat folder tree find random4k random128k copies cp-large cp-folder cp-tree cp-all)));
my %wanted_bytes = (cat => 1.15, tree => 1.15, folder => 1.6, random4k => 1.1,
  "cp-large" => 1.15, "cp-tree" => 1.15, "cp-all" => 1.15, "cp-folder" => 1.6);
my @others = ([mount => "restic mount"], [restore => "restic restore"], [rsync => "rsync"], [local => "local copy"]);

sub cut { my $part = least("$_[0] part", $_[1]); return defined $part && $part < 1 ? $part : undef; }

sub time_cell {
  my ($what, $program) = @_;
  my $time = median("$what time", $program) // return "–";
  my $part = cut($what, $program) // return sprintf "%.2f s", $time / 1e6;
  return sprintf "> %.0f s, cut%s", $time / 1e6, $part > 0 ? sprintf(" at %.1f %%", 100 * $part) : "";
}

# The ratio as text, and what it says about `wanted`.
sub ratio_cell {
  my ($what, $program, $wanted) = @_;
  my ($ours, $theirs) = (median("$what time", "restree"), median("$what time", $program));
  return ("–", "") unless defined $ours && defined $theirs;
  my ($ours_cut, $theirs_cut) = (defined cut($what, "restree"), defined cut($what, $program));
  return ("?", "") if $ours_cut && $theirs_cut;
  my $ratio = $ours / $theirs;
  my $text = sprintf "%s%.*f×", $theirs_cut ? "< " : $ours_cut ? "> " : "", $ratio < 0.1 ? 3 : 2, $ratio;
  return ($text, "") unless defined $wanted;
  return ($text, $ratio <= $wanted ? ($ours_cut ? "not known" : "met")
                                   : ($theirs_cut ? "not known" : "missed"));
}

# `cat` at 20 ms has a speed to reach besides.
sub speed_verdict {
  my ($line, $what) = @_;
  my $time = median("$what time", "restree");
  return unless $line eq "20:1000" && $what =~ / cat cold$/ && defined $time;
  my $speed = $mib * 1.048576 / ($time / 1e6);
  return (sprintf("≥ 115 MB/s (%.0f)", $speed), $speed >= 115 ? "met" : "missed");
}

sub time_table {
  my ($line, $judged) = @_;
  print "| | restic mount | restic restore | rsync | Restree | Restree, local copy | to restic mount",
    " | to restic restore | to rsync | to local copy | wanted | |\n|", "---|" x 12, "\n";
  for my $item (@titles) {
    for my $state (@states) {
      my $key = "$item->[0] $state->[0]";
      my $what = "$line $key";
      next unless exists $values{"$what time"};
      my (@ratios, @wanted, @verdicts);
      for my $other (@others) {
        my $wanted = $judged ? $wanted{$key}{$other->[0]} : undef;
        my ($text, $verdict) = ratio_cell($what, $other->[0], $wanted);
        push @ratios, $text;
        push @wanted, "≤ $wanted× $other->[1]" if defined $wanted;
        push @verdicts, $verdict if $verdict;
      }
      if (my ($text, $verdict) = speed_verdict($line, $what)) {
        push @wanted, $text;
        push @verdicts, $verdict;
      }
      print "| ", join(" | ", "$item->[1], $state->[1]",
        map({time_cell($what, $_)} @programs),
        @ratios, join(", ", @wanted), join(", ", @verdicts)), " |\n";
    }
  }
  my @peaks = map { scalar most("$line peak any kib", $_) } @programs;
  print "| ", join(" | ", "peak memory (all items)",
    map({defined ? sprintf("%.0f MiB", $_ / 1024) : "–"} @peaks), ("") x 6), " |\n";
}

sub bytes_table {
  my ($line, $judged) = @_;
  print "\n| bytes over the line, MB | needed | restic mount | restic restore | rsync | Restree",
    " | Restree to needed | wanted | |\n|", "---|" x 9, "\n";
  for my $item (@titles) {
    for my $state (@states) {
      my $what = "$line $item->[0] $state->[0]";
      next unless exists $values{"$what wire"};
      my $needed = median("$what wanted", "restree") // median("$what wanted", "mount");
      my $ours = cut($what, "restree") ? undef : median("$what wire", "restree");
      my $ratio = $needed && defined $ours ? $ours / $needed : undef;
      my $wanted = $judged && $state->[0] eq "cold" ? $wanted_bytes{$item->[0]} : undef;
      print "| ", join(" | ", "$item->[1], $state->[1]", defined $needed ? megabytes($needed) : "–",
        map({
          my $bytes = median("$what wire", $_);
          !defined $bytes ? "–" : megabytes($bytes) . (defined cut($what, $_) ? ", cut" : "")
        } qw(mount restore rsync restree)),
        defined $ratio ? sprintf("%.2f×", $ratio) : "–",
        defined $wanted ? "≤ $wanted×" : "",
        defined $wanted && defined $ratio ? ($ratio <= $wanted ? "met" : "missed") : ""), " |\n";
    }
  }
}

sub megabytes { return sprintf "%.*f", $_[0] < 1e7 ? 2 : 0, $_[0] / 1e6; }

for my $line (@lines) {
  my ($rtt, $rate) = split /:/, $line;
  my $judged = $rate == 1000 && $rtt >= 20;
  print "\n#### $rtt ms, ", ($rate ? "$rate Mbit/s" : "no limit"), "\n\n";
  print "Only a part of the data (--scale $scale): the verdicts are hints.\n\n" if $scale < 1;
  time_table($line, $judged);
  bytes_table($line, $judged);
}
