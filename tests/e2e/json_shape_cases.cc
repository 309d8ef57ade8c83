#include "tests/e2e/json_shape_cases.h"

#include <algorithm>

namespace restree::testing {

const std::vector<JsonCase>& json_cases() {
  static const std::vector<JsonCase> cases = {
      {"init_new", "-r {fresh} init --json"},
      {"init_version_1", "-r {fresh} init --json --repository-version 1"},
      {"init_existing", "init --json"},

      {"backup_first", "backup --json --host gamma --tag a,b {source}"},
      {"backup_changed", "backup --json --host alpha {source}"},
      {"backup_verbose", "backup --json -v --host alpha {source}"},
      {"backup_very_verbose", "backup --json -vv --host alpha {source}"},
      {"backup_dry_run", "backup --json --dry-run -v --host alpha {source}"},
      {"backup_unchanged", "backup --json --skip-if-unchanged --host beta {other}"},
      {"backup_quiet", "backup --json --quiet --force {source}"},
      {"backup_missing_target", "backup --json {other} {nowhere}"},
      {"backup_no_target", "backup --json {nowhere}"},
      {"backup_unreadable",
       "backup --json --no-cache --pack-size 4 --limit-upload 7000 {unreadable}",
       How::kSlowlyAsNobody},
      {"backup_stdin", "backup --json --stdin --stdin-filename dump.sql", How::kPlainly, "rows"},
      {"backup_command", "backup --json --stdin-from-command -- echo rows"},
      {"backup_command_fails", "backup --json --stdin-from-command -- false"},
      {"backup_unknown_parent", "backup --json --parent 00000000 {source}"},
      {"backup_locked", "-r {locked} backup --json {source}"},

      {"snapshots_all", "snapshots --json"},
      {"snapshots_by_id", "snapshots --json {new} {old}"},
      {"snapshots_by_host_and_tag", "snapshots --json --host alpha --tag app=wiki,version=1.5"},
      {"snapshots_grouped_by_host", "snapshots --json --group-by host", How::kInAnyOrder},
      {"snapshots_grouped", "snapshots --json --group-by tags,paths,host", How::kInAnyOrder},
      {"snapshots_latest", "snapshots --json --latest 1"},
      {"snapshots_none", "snapshots --json --host nobody"},
      {"snapshots_none_grouped", "snapshots --json --host nobody --group-by host"},
      {"snapshots_unknown", "snapshots --json 00000000"},
      {"snapshots_no_repository", "-r {nowhere} snapshots --json"},
      {"snapshots_wrong_password", "--password-command={wrong_password} snapshots --json"},
      {"snapshots_unknown_option", "snapshots --json --no-such-option"},

      {"ls_all", "ls --json {new}"},
      {"ls_old", "ls --json {old}"},
      {"ls_latest", "ls --json latest --host beta"},
      {"ls_folder", "ls --json {new} {source}/docs"},
      {"ls_recursive", "ls --json --recursive {new} {source}/docs"},
      {"ls_subfolder", "ls --json {new}:{source}/docs"},
      {"ls_sorted", "ls --json --sort size --reverse {new}"},
      {"ls_unknown", "ls --json 00000000"},

      {"find_name", "find --json page.md"},
      {"find_long", "find --json --long hard* lin?"},
      {"find_folder", "find --json --snapshot {new} --ignore-case DOCS"},
      {"find_time", "find --json --newest 2020-01-01 *"},
      {"find_none", "find --json no-such-name"},
      {"find_blob", "find --json --blob {blob}"},
      {"find_short_blob", "find --json --blob {short_blob}"},
      {"find_tree", "find --json --tree {tree}"},
      {"find_trees", "find --json --tree {tree} {empty_tree}"},
      {"find_tree_of_several", "find --json --tree {empty_tree}"},
      {"find_pack", "find --json --pack {pack}"},
      {"find_no_blob", "find --json --blob 00000000"},
      {"find_unknown_pack", "find --json --pack 00000000"},

      {"diff_two", "diff --json {old} {new}"},
      {"diff_metadata", "diff --json --metadata {old} {new}"},
      {"diff_same", "diff --json {new} {new}"},
      {"diff_subfolders", "diff --json {old}:{source}/docs {new}:{source}/docs"},
      {"diff_unknown", "diff --json {old} 00000000"},

      {"stats_restore_size", "stats --json"},
      {"stats_latest", "stats --json latest"},
      {"stats_files_by_contents", "stats --json --mode files-by-contents"},
      {"stats_blobs_per_file", "stats --json --mode blobs-per-file"},
      {"stats_raw_data", "stats --json --mode raw-data"},
      {"stats_of_nothing", "stats --json --mode raw-data --host nobody"},

      {"tag_add", "tag --json --add later {old} {new}"},
      {"tag_set", "tag --json --set one,two {small}"},
      {"tag_remove", "tag --json --remove app=wiki", How::kInAnyOrder},
      {"tag_unchanged", "tag --json --add app=wiki {new}"},
      {"tag_nothing", "tag --json {new}"},

      {"forget_id", "forget --json {old}"},
      {"forget_dry_run", "forget --json --dry-run {old} {new}"},
      {"forget_unknown", "forget --json 00000000"},
      {"forget_nothing", "forget --json"},
      {"forget_policy", "forget --json --keep-last 1 --keep-within 20y", How::kInAnyOrder},
      {"forget_policy_dry_run", "forget --json --dry-run --group-by tags,host --keep-last 1",
       How::kInAnyOrder},
      {"forget_policy_of_nothing", "forget --json --keep-last 1 --host nobody"},
      {"forget_refused", "forget --json --keep-tag no-such-tag"},

      {"check_clean", "check --json"},
      {"check_read_data", "check --json --read-data"},
      {"check_damaged", "-r {damaged} check --json --read-data"},
      {"check_packless", "-r {packless} check --json"},
      {"check_locked", "-r {locked} check --json"},

      {"restore_all", "restore --json {new} --target {target}"},
      {"restore_verbose", "restore --json -vv {new} --target {target}"},
      {"restore_dry_run", "restore --json -vv --dry-run {old}:{source}/docs --target {target}"},
      {"restore_included", "restore --json -vv {new} --target {target} --include *.md"},
      {"restore_over",
       "restore --json -vv --delete --overwrite if-changed {old}:{source} "
       "--target {existing}"},
      {"restore_verified", "restore --json --verify {new} --target {target}"},
      {"restore_damaged", "-r {damaged} restore --json latest --target {target}"},
      {"restore_unknown", "restore --json 00000000 --target {target}"},

      {"dump_file", "dump --json {new} {source}/docs/page.md"},
      {"dump_missing", "dump --json {new} {source}/no-such-file"},

      {"cat_config", "cat --json config"},
      {"cat_masterkey", "cat --json masterkey"},
      {"cat_snapshot", "cat --json snapshot {new}"},
      {"cat_index", "cat --json index {index}"},
      {"cat_key", "cat --json key {key}"},
      {"cat_lock", "-r {locked} cat --json --no-lock lock {lock}"},
      {"cat_tree", "cat --json tree {new}:{source}"},
      {"cat_blob", "cat --json blob {tree}"},
      {"cat_unknown", "cat --json snapshot 00000000"},

      {"list_snapshots", "list --json snapshots", How::kInAnyOrder},
      {"list_packs", "list --json packs", How::kInAnyOrder},
      {"list_index", "list --json index", How::kInAnyOrder},
      {"list_keys", "list --json keys"},
      {"list_locks", "-r {locked} list --json locks"},
      {"list_blobs", "list --json blobs", How::kInAnyOrder},

      {"key_list", "key list --json"},
      {"unlock_nothing", "unlock --json"},
      {"unlock_stale", "-r {stale} unlock --json"},
      {"version", "version --json"},
  };
  return cases;
}

const std::string* KnownDifference::beginning_of(const std::string& name) const {
  const auto found = std::find_if(cases.begin(), cases.end(), [&](const std::string& beginning) {
    return name.starts_with(beginning);
  });
  return found == cases.end() ? nullptr : &*found;
}

const std::vector<KnownDifference>& differences_of_0_14() {
  static const std::vector<KnownDifference> differences = {
      {{"init_new", "init_version", "tag_", "check_", "restore_", "unlock_", "version"},
       {"*"},
       "prints words, or knows the option not at all"},
      {{"backup_unchanged", "backup_command", "ls_sorted"}, {"*"}, "has no such option"},
      {{"ls_subfolder", "diff_subfolders", "cat_tree"}, {"*"}, "has no SNAPSHOT:FOLDER"},
      {{"init_existing", "backup_missing_target", "backup_no_target", "backup_unreadable",
        "backup_unknown_parent", "backup_locked", "snapshots_no_repository",
        "snapshots_wrong_password", "snapshots_unknown_option", "ls_unknown", "find_unknown_pack",
        "diff_unknown", "forget_nothing", "dump_missing", "cat_unknown"},
       {"stderr exit_error", "stderr text"},
       "says in words why it ends"},
      {{"backup_locked", "snapshots_no_repository", "snapshots_wrong_password"},
       {"exit code"},
       "ends with 1 where 10, 11 and 12 tell more"},
      {{"backup_missing_target"}, {"exit code"}, "ends with 0 where a target is missing"},
      {{"ls_unknown", "forget_nothing"}, {"exit code"}, "ends with 0 where it had nothing to do"},
      {{"forget_policy", "forget_refused"},
       {"*"},
       "prints counters, knows fewer fields, and forgets all for a tag that no snapshot has"},
      {{"dump_missing"}, {"exit code"}, "ends with 2, which is of its language"},
      {{"backup_"},
       {"stdout summary.data_added_packed", "stdout summary.backup_start",
        "stdout summary.backup_end"},
       "does not know them"},
      {{"backup_verbose", "backup_very_verbose", "backup_dry_run"},
       {"stdout scan_finished"},
       "does not tell it"},
      {{"backup_unreadable"}, {"stderr error.error"}, "prints errors as its language holds them"},
      {{"snapshots_", "ls_", "cat_snapshot"},
       {"stdout [].program_version", "stdout [].summary", "stdout [].snapshots[].program_version",
        "stdout [].snapshots[].summary", "stdout snapshot.program_version",
        "stdout snapshot.summary", "stdout {}.program_version", "stdout {}.summary"},
       "leaves out of a snapshot what it does not know"},
      {{"ls_"},
       {"stdout snapshot.message_type", "stdout node.message_type", "stdout node.inode"},
       "does not print them"},
      {{"find_name", "find_long", "find_folder"}, {"stdout [].matches[].inode"}, "leaves it out"},
      {{"find_"},
       {"order"},
       "goes through the snapshots in the order of their ids, which are random",
       true},
      {{"find_trees"}, {"*"}, "in another order finds as many of them elsewhere", true},
      {{"stats_raw_data"},
       {"stdout {}.total_uncompressed_size", "stdout {}.compression_ratio",
        "stdout {}.compression_progress", "stdout {}.compression_space_saving"},
       "does not count them"},
      {{"stats_raw_data", "stats_of_nothing"},
       {"stdout {}.total_file_count"},
       "prints it where it is nothing, too"},
      {{"cat_masterkey"}, {"stdout {}.mac.r"}, "prints it as the cipher masks it"},
      {{"key_list"}, {"stdout [].id"}, "prints the first digits"},
  };
  return differences;
}

const Parts& parts_that_take_time() {
  static const Parts parts = {"stdout status", "stdout summary.seconds_elapsed"};
  return parts;
}

const Parts& values_of_time_and_chance() {
  // The length of a tree depends on the times in it, that of /tmp among them, since they are
  // written without zeros at the end.
  static const Parts parts = {
      "stdout summary.data_added",      "stdout verbose_status.metadata_size",
      "stdout initialized.id",          "stdout changed.new_snapshot_id",
      "stdout summary.backup_start",    "stdout summary.backup_end",
      "stdout summary.snapshot_id",     "stdout summary.total_duration",
      "stdout verbose_status.duration", "stdout scan_finished.duration",
  };
  return parts;
}

const Parts& values_of_the_program() {
  static const Parts parts = {
      "stderr text",
      "stderr error.message",
      "stderr error.error.message",
      "stderr exit_error.message",
      "stdout version.go_version",
      "stdout summary.data_added_packed",
      "stdout verbose_status.data_size_in_repo",
      "stdout verbose_status.metadata_size_in_repo",
  };
  return parts;
}

}  // namespace restree::testing
