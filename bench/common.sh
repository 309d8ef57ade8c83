# What the comparisons share: the data, an sshd, mounts, measured times, tables. Sourced, with `work`,
# `restic`, `repository` and `results` set, and `mount_point` where mounts are made; sets `sshd_pid`,
# `sshd_port` and `pid`, the mount's process.
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by whoever sources this

# ---------------------------------------------------------------------------------------------
# The data: the same bytes on every machine

# Sizes are log-normal (median 2 KiB, mean 10 KiB) and contents are words, as in /usr/share; 25
# files lie in a folder, ten folders in each above it.
make_small_files() {
  perl -e '
    use strict; use warnings;
    my ($root, $count) = @ARGV;
    my $state = 42;
    sub uniform { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return ($state + 1) / 2147483649; }
    my @words = map { join "", map { chr(97 + int(uniform() * 26)) } 1 .. 2 + int(uniform() * 9) } 1 .. 5000;
    my $text = join " ", map { $words[int(5000 * uniform() ** 2)] } 1 .. 400_000;
    my ($made, $folder) = (0, 0);
    while ($made < $count) {
      my $path = sprintf "%s/%d/%02d/%02d", $root, $folder / 1000, $folder / 10 % 100, $folder % 10;
      my $so_far = "";
      for my $level (split m{/}, $path) { $so_far .= "$level/"; mkdir $so_far; }
      for (my $i = 0; $i < 25 && $made < $count; $i++, $made++) {
        my $normal = sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform());
        my $size = int(exp(log(2048) + 1.794 * $normal));
        $size = 4194304 if $size > 4194304;
        open my $file, ">", "$path/file-$made.txt" or die;
        print $file "$made\n";
        for (my $left = $size; $left > 0; ) {
          my $at = int(uniform() * (length($text) - 65536));
          my $piece = $left < 65536 ? $left : 65536;
          print $file substr($text, $at, $piece);
          $left -= $piece;
        }
        close $file;
      }
      $folder++;
    }' "$1" "$2"
}

make_repository() { # bytes of the large file, number of small ones
  [[ -e $work/complete ]] && return
  echo "making the data and the repository in $work …" >&2
  rm -rf "$work/source" "$repository"
  mkdir -p "$work/source/big" "$work/source/small"
  head -c "$1" /dev/zero |
    openssl enc -aes-256-ctr -nosalt -K "$(printf '%064d' 1)" -iv "$(printf '%032d' 1)" \
      >"$work/source/big/random"
  make_small_files "$work/source/small" "$2"
  "$restic" init -q -r "$repository"
  "$restic" -q -r "$repository" backup --tag big "$work/source/big"
  "$restic" -q -r "$repository" backup --tag small "$work/source/small"
  touch "$work/complete"
}

# ---------------------------------------------------------------------------------------------
# A server

# The ssh_config by which both programs reach the sshd, or a line before it, as host `bench`.
write_ssh_config() { # port
  local dir=$work/ssh
  echo "[127.0.0.1]:$1 $(cat "$dir/host_key.pub")" >"$dir/known_hosts"
  cat >"$dir/ssh_config" <<END
Host bench
  HostName 127.0.0.1
  Port $1
  User $(id -un)
  IdentityFile $dir/user_key
  IdentitiesOnly yes
  UserKnownHostsFile $dir/known_hosts
  StrictHostKeyChecking yes
END
}

# An sshd of our own on loopback.
start_sshd() {
  local dir=$work/ssh
  [[ -z $sshd_pid ]] || return 0
  sshd_port=$((20000 + RANDOM % 20000))
  rm -rf "$dir" && mkdir -p "$dir" /run/sshd && chmod 700 "$dir"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/user_key"
  cp "$dir/user_key.pub" "$dir/authorized_keys"
  write_ssh_config "$sshd_port"
  cat >"$dir/sshd_config" <<END
Port $sshd_port
ListenAddress 127.0.0.1
HostKey $dir/host_key
PidFile none
AuthorizedKeysFile $dir/authorized_keys
PasswordAuthentication no
StrictModes no
PermitRootLogin yes
Subsystem sftp internal-sftp
END
  /usr/sbin/sshd -D -e -f "$dir/sshd_config" 2>"$dir/log" &
  sshd_pid=$!
  for _ in $(seq 200); do
    ssh -F "$dir/ssh_config" bench true 2>/dev/null && return
    sleep 0.05
  done
  cat "$dir/log" >&2
  return 1
}

# ---------------------------------------------------------------------------------------------
# Mounts

# In the foreground as our child; it is there once the mount point is a mount.
start_mount() { # command…
  "$@" >"$work/mount.log" 2>&1 &
  pid=$!
  until mountpoint -q "$mount_point"; do
    kill -0 "$pid" 2>/dev/null || { echo "no mount: $*" >&2; cat "$work/mount.log" >&2; exit 1; }
    sleep 0.005
  done
}

unmount() {
  # A program that was killed while it read may need a moment to let go of it.
  for _ in $(seq 50); do
    fusermount3 -u "$mount_point" 2>"$work/unmount.log" && break
    sleep 0.2
  done
  ! mountpoint -q "$mount_point" || { cat "$work/unmount.log" >&2; exit 1; }
  wait "$pid" || true
  pid=
}

peak_kib() { awk '/^VmHWM:/ { print $2 }' "/proc/$pid/status"; }

shown() { # tag: where the snapshot's folder is in the mount
  echo "$mount_point/tags/$1/latest$work/source/$1"
}

# ---------------------------------------------------------------------------------------------
# Measuring

now() { echo "${EPOCHREALTIME/[.,]/}"; }

record() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results"; } # item, program, value

timed() { # item, program, command…
  local item=$1 program=$2 begin end
  shift 2
  begin=$(now)
  "$@" >/dev/null
  end=$(now)
  record "$item" "$program" $((end - begin))
}

median() { # item, program
  awk -F'\t' -v item="$1" -v program="$2" '$1 == item && $2 == program { print $3 }' "$results" |
    sort -n | awk '{ value[NR] = $1 } END { if (NR) print value[int((NR + 1) / 2)] }'
}

highest() {
  awk -F'\t' -v program="$1" '$1 == "peak" && $2 == program && $3 > most { most = $3 } END { print most }' "$results"
}

row() { # title, unit divisor, unit, target, restic, restree
  awk -v title="$1" -v divisor="$2" -v unit="$3" -v target="$4" -v theirs="$5" -v ours="$6" 'BEGIN {
    their_text = theirs == "" ? "–" : sprintf("%.2f %s", theirs / divisor, unit)
    our_text = ours == "" ? "–" : sprintf("%.2f %s", ours / divisor, unit)
    ratio = theirs == "" || ours == "" ? "–" : sprintf("%.2f×", ours / theirs)
    verdict = ratio == "–" ? "" : (ours / theirs <= target ? "met" : "missed")
    printf "| %s | %s | %s | %s | ≤ %s× | %s |\n", title, their_text, our_text, ratio, target, verdict
  }'
}
