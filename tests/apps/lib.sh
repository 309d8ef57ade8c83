# Sourced by the scripts beside it, one for each application. Such a script fills a real application with data, backs it up
# with restree, breaks it, brings its files back from the mount with cp -a, starts it again, and asks the
# application's own checker.
#
# Each script runs in its own namespaces of processes, mounts, network and IPC. So its daemons listen where nothing else
# finds them, and whatever ends the script, the kernel ends its daemons and its mounts with it.
#
# RESTREE_PROGRAMS  the folder of restree and restreefs, if not build/release/bin
# shellcheck shell=bash
set -euo pipefail

name=$(basename "$0")
programs=${RESTREE_PROGRAMS:-$(cd "$(dirname "$0")/../.." && pwd)/build/release/bin}

# Outside of the namespaces: makes the folder and the namespaces, waits, and removes the folder.
enter() {
  if ((EUID != 0)); then
    echo "tests/apps/$name: needs root, to run daemons as their own users and to mount" >&2
    exit 1
  fi
  local place inside status=0 tries
  place=$(mktemp -d "${TMPDIR:-/tmp}/restree-apps-$name.XXXXXX")
  chmod 711 "$place"
  # The first process of a namespace of processes takes all the others with it, and unshare takes that one.
  setpriv --pdeathsig=KILL unshare --mount --pid --net --ipc --fork --kill-child --mount-proc \
    env RESTREE_APPS_PLACE="$place" "$0" "$@" &
  inside=$!
  trap 'kill -KILL "$inside" 2>/dev/null || true' EXIT INT TERM HUP
  wait "$inside" || status=$?
  kill -KILL "$inside" 2>/dev/null || true
  trap - EXIT
  # Daemons that are just being killed may still make a file in it.
  for ((tries = 0; tries < 100; tries++)); do
    ! rm -rf --one-file-system "$place" 2>/dev/null || break
    sleep 0.1
  done
  [[ ! -e $place ]] || echo "tests/apps/$name: cannot remove $place: remove it by hand" >&2
  exit "$status"
}
[[ -n ${RESTREE_APPS_PLACE:-} ]] || enter "$@"

place=$RESTREE_APPS_PLACE
app=$place/app # what is backed up
export HOME=$place/home XDG_CACHE_HOME=$place/caches TMPDIR=$place/temporary
export RESTIC_REPOSITORY=$place/repository RESTIC_PASSWORD=apps LC_ALL=C
mkdir -m 755 "$app" "$place/mount"
mkdir "$HOME" "$TMPDIR" "$place/logs"
chmod 1777 "$TMPDIR"
ip link set lo up

declare -A daemons=()

say() { printf '%s: %s\n' "$name" "$1"; }
fail() {
  local log
  printf '%s: %s\n' "$name" "$1" >&2
  for log in "$place"/logs/*; do
    [[ -s $log ]] || continue
    printf -- '--- the end of %s\n' "${log##*/}" >&2
    tail -n 20 "$log" >&2
  done
  exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
set -o errtrace

# wait_for WHAT COMMAND...: until the command succeeds, which needs the daemons that were started.
wait_for() {
  local what=$1 end=$((SECONDS + 300)) daemon
  shift
  until "$@" >/dev/null 2>&1; do
    for daemon in "${!daemons[@]}"; do
      kill -0 "${daemons[$daemon]}" 2>/dev/null || fail "no $what: $daemon has ended"
    done
    ((SECONDS < end)) || fail "after 300 s: still no $what"
    sleep 0.1
  done
}

# start DAEMON COMMAND...: in the background. The command must not fork.
start() {
  local daemon=$1
  shift
  "$@" </dev/null >>"$place/logs/$daemon" 2>&1 &
  daemons[$daemon]=$!
}

# stop DAEMON [SIGNAL]: and waits for its end.
stop() {
  kill -s "${2:-TERM}" "${daemons[$1]}"
  wait "${daemons[$1]}" 2>/dev/null || true
  unset "daemons[$1]"
}

# What cp -a is to bring back: of each file its kind, mode, owner, links, time, target or device, its extended
# attributes and ACLs, its content.
manifest() (
  cd "$app"
  find . \( -type d -printf '%p %y %m %U %G %T@\n' \
    -o -type l -printf '%p %y %U %G %n %T@ %l\n' \
    -o -printf '%p %y %m %U %G %n %T@ %s\n' \) | sort
  find . \( -type b -o -type c \) -exec stat -c '%n device %t:%T' {} + | sort
  find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex --
  find . -type f -print0 | sort -z | xargs -0 sha256sum
)

back_up() {
  [[ -e $RESTIC_REPOSITORY ]] || "$programs/restree" init --quiet
  manifest >"$place/manifest"
  "$programs/restree" backup --quiet --tag "app=$name" "$app"
  say "backed up $(find "$app" -mindepth 1 -printf x | wc -c) files and folders, $(du -sh "$app" | cut -f 1)"
}

# Each third file gets zeros over its head, each third loses its second half, each third is gone.
break_files() {
  local file size turn=0
  while IFS= read -r -d '' file; do
    size=$(stat -c %s "$file")
    case $((turn++ % 3)) in
      0) dd if=/dev/zero of="$file" bs="$((size < 8192 ? size : 8192))" count=1 conv=notrunc status=none ;;
      1) truncate -s "$((size / 2))" "$file" ;;
      2) rm "$file" ;;
    esac
  done < <(find "$app" -type f -size +0 -print0 | sort -z)
}

# As a user would: removes what is left, and copies the newest snapshot into its place.
bring_back() {
  find "$app" -mindepth 1 -delete
  "$programs/restreefs" "$RESTIC_REPOSITORY" "$place/mount" -o "log_file=$place/logs/restreefs"
  cp -a "$place/mount/apps/$name/latest/." "$app"
  fusermount3 -u "$place/mount"
  manifest >"$place/manifest.after"
  if ! diff "$place/manifest" "$place/manifest.after" >"$place/difference"; then
    head -n 20 "$place/difference" >&2
    fail "what came back is not what was backed up"
  fi
  say "brought back from the mount, file for file the same"
}

# same WHAT BEFORE AFTER: two files.
same() {
  cmp -s "$2" "$3" || { diff "$2" "$3" | head -n 20 >&2 || true; fail "$1: not the same as before"; }
}

# must_fail COMMAND...: else nothing was broken, and nothing is shown by what works later. A server is tried with
# timeout(1), whose own status means that the server runs.
must_fail() {
  local status=0
  "$@" >>"$place/logs/broken" 2>&1 || status=$?
  ((status != 0 && status != 124)) || fail "its broken data passed: $*"
}
