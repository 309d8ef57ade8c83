// What programs are asked for in the upkeep of a repository.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/upkeep/upkeep.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFewSnapshots = 3;
constexpr std::uint64_t kManySnapshots = 12;
const char* const kPatience = "5m";

}  // namespace

// Few seeds and sizes, so that content comes again that forgotten snapshots had.
void Upkeep::change_source() {
  const std::uint64_t changes = 1 + below(6);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const fs::path folder = source_ / std::to_string(below(3));
    fs::create_directories(folder);
    const fs::path file = folder / ("file " + std::to_string(below(8)));
    if (below(5) == 0) {
      fs::remove(file);
    } else if (below(3) == 0) {
      write_file(file, std::string(1 + below(200 * kKiB), static_cast<char>('a' + below(26))));
    } else {
      write_random_file(file, below(40), 1 + below(300) * kKiB);
    }
  }
}

Kept Upkeep::keep_source() {
  Kept kept{.content = dir_.path() / "contents" / std::to_string(++backups_), .number = backups_};
  run_ok({.argv = {"cp", "-aT", source_.string(), kept.content.string()}});
  return kept;
}

Command Upkeep::by_restic(std::vector<std::string> words) const {
  words.insert(words.begin(), "restic");
  return {.argv = std::move(words), .env = restic_.environment()};
}

Command Upkeep::by_restree(std::vector<std::string> words) {
  words.insert(words.begin(), {"--retry-lock", kPatience});
  if (below(2) == 0) {
    words.insert(words.begin(), {"-r", sshd_.location_behind(line_.port(), restic_.repository()),
                                 "-o", sshd_.mount_options()});
  }
  return restree_.command(std::move(words));
}

Command Upkeep::by_either(std::vector<std::string> words) {
  return below(3) == 0 ? by_restic(std::move(words)) : by_restree(std::move(words));
}

Operation Upkeep::backup() {
  change_source();
  std::vector<std::string> words{"backup", source_.string()};
  if (below(4) == 0) words.insert(words.end(), {"--compression", "off"});
  if (below(2) == 0) words.insert(words.end(), {"--pack-size", "4"});
  if (below(4) == 0) words.emplace_back("--force");
  return {.name = "backup", .command = by_either(words), .makes = keep_source()};
}

Operation Upkeep::forget() {
  std::set<std::string> goes;
  const std::uint64_t count = 1 + below(2);
  for (std::uint64_t i = 0; i < count; ++i) goes.insert(any_snapshot());
  std::vector<std::string> words{"forget"};
  words.insert(words.end(), goes.begin(), goes.end());
  if (below(4) == 0) words.emplace_back("--prune");
  return {.name = "forget", .command = by_either(words), .goes = goes};
}

Operation Upkeep::forget_by_policy() {
  const std::uint64_t kept = 1 + below(5);
  std::vector<std::pair<unsigned, std::string>> newest_last;
  for (const auto& [id, snapshot] : snapshots_) newest_last.emplace_back(snapshot.number, id);
  std::ranges::sort(newest_last);
  std::set<std::string> goes;
  for (std::size_t i = 0; i + kept < newest_last.size(); ++i) goes.insert(newest_last[i].second);
  std::vector<std::string> words{"forget", "--group-by", "", "--keep-last", std::to_string(kept)};
  const bool is_restics = below(3) == 0;
  if (!is_restics) words.insert(words.end(), {"--max-remove", "100%"});
  return {.name = "forget by policy",
          .command = is_restics ? by_restic(words) : by_restree(words),
          .goes = goes};
}

Operation Upkeep::undo() {
  return {.name = "undo",
          .command = by_restree({"forget", "--undo"}),
          .may_put_back = true,
          .may_fail = true};
}

std::vector<std::string> Upkeep::prune_words() {
  static const std::vector<std::string> kLimits = {"0", "5%", "30%", "unlimited"};
  std::vector<std::string> words{"prune", "--max-unused", kLimits[below(kLimits.size())]};
  if (below(2) == 0) words.insert(words.end(), {"--pack-size", "4"});
  if (below(4) == 0) words.emplace_back("--repack-uncompressed");
  if (below(5) == 0) words.emplace_back("--repack-small");
  return words;
}

Operation Upkeep::prune() {
  std::vector<std::string> words = prune_words();
  if (below(4) == 0) {
    std::erase(words, "--repack-small");  // Debian's restic does not know it
    return {.name = "restic's prune", .command = by_restic(words)};
  }
  if (below(3) == 0) words.emplace_back("--exclusive");
  if (below(3) != 0) return {.name = "prune", .command = by_restree(words)};
  // All that is free but a few packs' worth: then it repacks in rounds, or finds that to be too little.
  const std::uint64_t free_bytes = disk_.free_bytes();
  const std::uint64_t room = std::min(free_bytes, below(16 * kMiB));
  words.insert(words.end(), {"--keep-free", std::to_string(free_bytes - room)});
  return {.name = "prune with little space",
          .command = by_restree(words),
          .may_fail = true,
          .failing_says = "there is too little free space"};
}

Operation Upkeep::tag() {
  const std::string id = any_snapshot();
  const std::string mark = "mark-" + std::to_string(steps_);
  return {.name = "tag",
          .command = by_either({"tag", "--add", mark, id}),
          .makes = snapshots_.at(id),
          .goes = {id}};
}

// Leaves out all files of one name.
Operation Upkeep::rewrite() {
  const std::string id = any_snapshot();
  const Kept before = snapshots_.at(id);
  const std::vector<fs::path> files = files_below(before.content);
  if (files.empty()) return backup();
  const std::string name = files[below(files.size())].filename().string();
  Kept after{.content = before.content.string() + "-" + std::to_string(steps_),
             .number = before.number,
             .first_id = id};
  // Unlike a removal, this leaves the times of the folders as they are.
  run_ok({.argv = {"rsync", "-a", "--exclude", name, before.content.string() + "/",
                   after.content.string()}});
  return {.name = "rewrite",
          .command = by_restree({"rewrite", "--forget", "--exclude", name, id}),
          .makes = after,
          .goes = {id}};
}

Operation Upkeep::copy() {
  Command command = restree_.command({"-r", twin_.repository().string(), "copy", "--from-repo",
                                      restic_.repository().string(), "--retry-lock", kPatience});
  command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
  return {.name = "copy", .command = std::move(command)};
}

// Of an index file that is gone, cut off or damaged.
Operation Upkeep::repair_index() {
  const auto indexes = stored_in(restic_.repository(), "index");
  const fs::path index = restic_.repository() / indexes[below(indexes.size())];
  const std::uint64_t damage = below(3);
  if (damage == 0) {
    fs::remove(index);
  } else if (damage == 1) {
    fs::resize_file(index, fs::file_size(index) / 2);
  } else {
    flip_byte(index, below(fs::file_size(index)));
  }
  return {
      .name = "repair index", .command = by_restree({"repair", "index"}), .has_to_end_well = true};
}

Operation Upkeep::any_operation() {
  if (snapshots_.size() < kFewSnapshots && below(4) != 0) return backup();
  if (snapshots_.size() > kManySnapshots) return forget_by_policy();
  switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return backup();
    case 5:
      return forget_by_policy();
    case 6:
      if (!snapshots_.empty()) return forget();
      return backup();
    case 7:
      return undo();
    case 8:
      if (!snapshots_.empty()) return tag();
      return backup();
    case 9:
      if (!snapshots_.empty()) return rewrite();
      return backup();
    case 10:
    case 11:
      return copy();
    case 12:
      if (!stored_in(restic_.repository(), "index").empty()) return repair_index();
      return backup();
    default:
      return prune();
  }
}

}  // namespace restree::testing
