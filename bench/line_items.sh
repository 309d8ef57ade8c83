# What bench/compare-line measures: the data, which part of it each item reads, how it is read by each
# program, and how much that must come to. Sourced, with what bench/common.sh wants, and `scale`,
# `scaled`, `limit` and `program`.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # set, and read, by the script that sources this

# ---------------------------------------------------------------------------------------------
# The data, and what a perfect program would have to fetch of it

# `folder` is five of the folders of ten folders of 25 files: a small part of what lies in the packs.
folders_of() { # item: its folders below small/, or what it reads in big/
  local count
  count=$(scaled 5)
  case $1 in
    cp-large) echo random ;;
    folder | cp-folder) seq -f '0/%02g' 3 $((2 + (count > 0 ? count : 1))) ;;
    copies) seq -f '0/%02g' 0 2 ;;
    tree | cp-tree | cp-all) echo . ;;
  esac
}

make_data() {
  make_repository "$(scaled 1073741824)" "$(scaled 60000)"
  [[ -e $work/line-complete ]] && return
  export RESTIC_REPOSITORY=$repository
  local small=$work/source/small tag
  # A snapshot of the folder alone adds a few trees, and lets restic count its bytes.
  (cd "$small" && folders_of folder | sed "s|^|$small/|" | xargs "$restic" -q backup --tag folder)
  for tag in big small folder; do
    "$restic" --no-lock stats --mode raw-data --json --tag "$tag" |
      grep -o '"total_size":[0-9]*' | cut -d: -f2 >"$work/wanted-$tag"
  done
  perl "$here/bench/file_blobs.pl" "$restic" big "$work/source/big/random" >"$work/big-blobs"
  unset RESTIC_REPOSITORY
  local item copied
  for item in cat folder tree find; do
    read_out "$item" "$work/source/big" "$small" | wc -c >"$work/amount-$item"
  done
  mapfile -t copied < <(folders_of copies | sed "s|^|$small/|")
  bytes_of_files "$work/source/big/random" "${copied[@]}" >"$work/amount-copies"
  touch "$work/line-complete"
}

amount_of() { # item: what a finished one puts out
  case $1 in
    random*) reads_of "$1" ;;
    cp-*) (cd "$work/source/$(tag_of "$1")" && folders_of "$1" | xargs -d '\n' bash -c 'bytes_of_files "$@"' -) ;;
    *) cat "$work/amount-$1" ;;
  esac
}

tag_of() { # item
  case $1 in
    cat | cp-large) echo big ;;
    *) echo small ;;
  esac
}

bytes_of_files() { find "$@" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'; }

reads_of() { # item
  local reads
  reads=$(scaled 200)
  echo $((reads > 20 ? reads : 20))
}

# ---------------------------------------------------------------------------------------------
# What is read

# Everything that an item reads, to stdout, from these two folders.
read_out() { # item, big, small
  case $1 in
    cat) cat "$2/random" ;;
    find) (cd "$3" && find . -ls | awk '{ print $NF }') ;;
    folder | tree) folders_of "$1" | xargs tar cf - -C "$3" ;;
  esac
}
export -f read_out folders_of scaled bytes_of_files
export scale

copy_all() { # four cp at once; to a folder on the disk
  local folder copies=() failed=0
  timeout -k 10 "$limit" cp "$(shown big)/random" "$work/copies" & copies+=($!)
  for folder in $(folders_of copies); do
    timeout -k 10 "$limit" cp -r "$(shown small)/$folder" "$work/copies" & copies+=($!)
  done
  for copy in "${copies[@]}"; do wait "$copy" || failed=$?; done
  amount=$(bytes_of_files "$work/copies")
  return "$failed"
}

# To a fresh file system in memory: how fast a disk makes files anew where it has just removed as many is
# another matter.
fresh_target() {
  mountpoint -q "$work/target" && umount "$work/target"
  mkdir -p "$work/target"
  mount -t tmpfs tmpfs "$work/target"
}

copy_one() { # item: by one process
  local also=() how=-r paths status=0 tag
  tag=$(tag_of "$1")
  [[ $1 != cp-all ]] || { how=-a; also=(-AX); }
  mapfile -t paths < <(folders_of "$1")
  if [[ $program == rsync ]]; then
    timeout -k 10 "$limit" rsync -aR "${also[@]}" -e "ssh -F $work/ssh/ssh_config" \
      "${paths[@]/#/bench:$work/source/$tag/./}" "$work/target" || status=$?
  else
    (cd "$(shown "$tag")" && exec timeout -k 10 "$limit" cp "$how" --parents "${paths[@]}" "$work/target") || status=$?
  fi
  amount=$(bytes_of_files "$work/target")
  return "$status"
}

# Sets `amount`, what it has put out, and `wanted`, the bytes in packs that it needs ("": not known).
# Fails with 124 when the limit has cut it.
act() { # item
  local size=4096 status=0
  wanted=
  case $1 in
    cat | cp-large) wanted=$(<"$work/wanted-big") ;;
    folder | cp-folder) wanted=$(<"$work/wanted-folder") ;;
    tree | cp-tree | cp-all) wanted=$(<"$work/wanted-small") ;;
  esac
  case $1 in
    cp-*) copy_one "$1" || return $? ;;
    copies) copy_all || return $? ;;
    random*)
      [[ $1 == random4k ]] || size=131072
      read -r amount wanted < <(perl "$here/bench/random_reads.pl" "$(shown big)/random" \
        "$work/big-blobs" "$size" "$(reads_of "$1")" "$limit")
      [[ -n $amount ]] || return 1
      ((amount == $(reads_of "$1"))) || return 124 ;;
    *)
      # GNU tar reads no data when it sees that its output is /dev/null, hence the pipe.
      amount=$(timeout -k 10 "$limit" bash -o pipefail -c 'read_out "$@"' - \
        "$1" "$(shown big)" "$(shown small)" | wc -c) || status=$?
      return "$status" ;;
  esac
}
