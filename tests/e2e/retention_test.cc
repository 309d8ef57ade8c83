// restree and restic judge the same snapshots by the same policies, in several time zones: each group
// has to be judged alike, snapshot by snapshot and reason by reason.
//
// Each group is a random set of snapshots; all of them lie in one repository, so that one run of a
// program judges all by one policy. RESTREE_RETENTION_SEED makes the sets and policies of a seed again,
// which each run prints. RESTREE_NEW_RESTIC names a restic to ask instead of Debian's.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "repo/text/timestamp.h"
#include "tests/support/files.h"
#include "tests/support/forget_answer.h"
#include "tests/support/need.h"
#include "tests/support/programs.h"
#include "tests/support/repository_builder.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using Strings = std::vector<std::string>;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

// The zones of the programs' processes. Lord Howe's clocks change by half an hour.
const Strings& zones() {
  static const Strings all = {"UTC", "Europe/Berlin", "Australia/Lord_Howe"};
  return all;
}

std::uint64_t chosen_seed() {
  const char* const given = std::getenv("RESTREE_RETENTION_SEED");
  if (given != nullptr) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : next_(seed) {}

  // 0 to `count` - 1.
  std::uint64_t below(std::uint64_t count) { return next_() % count; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  bool once_in(std::uint64_t count) { return below(count) == 0; }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  SplitMix64 next_;
};

// Makes up snapshots. No two are of the same moment: their order would be restic's secret.
class RandomSnapshots {
 public:
  RandomSnapshots(Chance& chance, Timestamp now) : chance_(chance), now_(now) {
    for (const char* day : {"2024-12-30T12:00:00Z", "2024-02-29T12:00:00Z", "2025-03-30T01:00:00Z",
                            "2025-10-26T01:00:00Z", "2025-04-05T15:00:00Z", "2025-10-04T15:30:00Z",
                            "2026-01-01T00:00:00Z", "2016-08-31T10:00:00Z"}) {
      newest_.push_back(need_time(day).seconds);
    }
    newest_.push_back(now.seconds - 2 * kDay);
  }

  // As many as a group has, newer ones later.
  std::vector<BuiltSnapshot> group(const std::string& host) {
    static const std::vector<std::int64_t> kPaces = {600,      kHour,     5 * kHour, kDay,
                                                     3 * kDay, 12 * kDay, 45 * kDay, 200 * kDay};
    const std::int64_t pace = chance_.of(kPaces);
    const TimeZone zone = TimeZone::named(chance_.of(zones()));
    std::int64_t time = chance_.of(newest_) + chance_.between(-40, 40) * chance_.of(kPaces) / 20;
    std::vector<BuiltSnapshot> made;
    for (auto left = chance_.between(1, 13); left > 0; --left) {
      if (chance_.once_in(60)) time = now_.seconds + chance_.between(2, 900) * kDay;
      made.push_back(snapshot(host, time, zone));
      time -= chance_.once_in(4) ? chance_.between(1, 90) : chance_.between(pace / 3, pace * 2);
    }
    return made;
  }

 private:
  static Timestamp need_time(const std::string& text) { return parse_timestamp(text).value(); }

  BuiltSnapshot snapshot(const std::string& host, std::int64_t seconds, const TimeZone& zone) {
    Timestamp time{seconds, 0};
    if (chance_.once_in(3))
      time.nanoseconds = static_cast<std::uint32_t>(chance_.below(1'000'000'000));
    // Far from now, so that it is the future, or the past, for both programs.
    if (std::abs(time.seconds - now_.seconds) < kDay) time.seconds = now_.seconds - 2 * kDay;
    while (!taken_.insert(time).second) ++time.seconds;
    ZonedTimestamp zoned = in_zone(time, zone);
    if (chance_.once_in(6)) {
      static const std::vector<std::int32_t> kOthers = {0, -5 * 3600, 19800, 13 * 3600 + 2700};
      zoned.offset_seconds = chance_.of(kOthers);
    }
    Strings tags;
    for (const char* tag : {"a", "b", "keep"}) {
      if (chance_.once_in(4)) tags.emplace_back(tag);
    }
    return {.time = format_zoned_timestamp(zoned),
            .paths = {"/srv/data"},
            .tags = tags,
            .hostname = host};
  }

  Chance& chance_;
  const Timestamp now_;
  std::vector<std::int64_t> newest_;
  std::set<Timestamp> taken_;
};

class RandomPolicies {
 public:
  RandomPolicies(Chance& chance, bool knows_unlimited)
      : chance_(chance), knows_unlimited_(knows_unlimited) {}

  // At least one rule that keeps something of every group.
  Strings next() {
    Strings words;
    while (words.empty()) {
      for (const char* rule : {"last", "hourly", "daily", "weekly", "monthly", "yearly"}) {
        if (chance_.once_in(3)) add(words, "--keep-" + std::string(rule), count());
      }
      for (const char* rule : {"", "-hourly", "-daily", "-weekly", "-monthly", "-yearly"}) {
        if (chance_.once_in(6)) add(words, "--keep-within" + std::string(rule), span());
      }
    }
    for (const char* list : {"a", "keep,b", ""}) {
      if (chance_.once_in(6)) add(words, "--keep-tag", list);
    }
    if (chance_.once_in(4)) {
      add(words, "--group-by", chance_.of(Strings{"host", "tags", "host,tags", ""}));
    }
    return words;
  }

 private:
  static void add(Strings& words, const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  }
  std::string count() {
    if (knows_unlimited_ && chance_.once_in(6)) return "unlimited";
    return std::to_string(chance_.between(1, 6));
  }
  std::string span() {
    std::string text;
    while (text.empty()) {
      if (chance_.once_in(3)) text += fmt::format("{}y", chance_.between(1, 2));
      if (chance_.once_in(3)) text += fmt::format("{}m", chance_.between(1, 13));
      if (chance_.once_in(2)) text += fmt::format("{}d", chance_.between(1, 40));
      if (chance_.once_in(3)) text += fmt::format("{}h", chance_.between(1, 60));
    }
    return text;
  }

  Chance& chance_;
  const bool knows_unlimited_;
};

// Two programs and a repository with `group_count` random groups.
class Retention : public ::testing::Test {
 protected:
  Retention() { std::cout << "RESTREE_RETENTION_SEED=" << seed_ << "\n"; }

  static std::string restic_program() {
    const char* const newer = std::getenv("RESTREE_NEW_RESTIC");
    return newer == nullptr ? "restic" : newer;
  }

  void make_repository(std::uint64_t group_count) {
    const auto memory = std::make_shared<MemoryStorage>();
    RepositoryBuilder builder(memory);
    const BlobId tree = builder.add_tree({});
    RandomSnapshots snapshots(chance_, now_);
    for (std::uint64_t i = 0; i < group_count; ++i) {
      for (const BuiltSnapshot& one : snapshots.group(fmt::format("h{}", i))) {
        builder.add_sealed(FileType::kSnapshot, json_of(one, tree));
      }
    }
    builder.finish();
    write_out(*memory);
  }

  // As restic writes it, without a list of tags if there are none.
  static std::string json_of(const BuiltSnapshot& one, const BlobId& tree) {
    const std::string tags =
        one.tags.empty() ? "" : fmt::format(R"(,"tags":["{}"])", fmt::join(one.tags, R"(",")"));
    return fmt::format(
        R"({{"time":"{}","tree":"{}","paths":["{}"],"hostname":"{}","username":"u"{}}})", one.time,
        tree.hex(), one.paths.front(), one.hostname, tags);
  }

  // Without the syncs to the disk that a storage takes care of.
  void write_out(MemoryStorage& memory) const {
    const auto copy = [&](const FileName& file) {
      const fs::path path = restic_.repository() / relative_path(file);
      fs::create_directories(path.parent_path());
      write_file(path, as_text(need(memory.read_all(file, Deadline::never()))));
    };
    copy({FileType::kConfig, ""});
    for (const FileType type :
         {FileType::kKey, FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
      for (const ListedFile& file : need(memory.list(type, Deadline::never()))) {
        copy({type, file.name});
      }
    }
    fs::create_directories(restic_.repository() / "locks");
  }

  static std::string answer_of(Command command, const Strings& policy, const std::string& zone) {
    const Strings call = {"forget", "--dry-run", "--no-lock", "--no-cache", "--json"};
    command.argv.insert(command.argv.end(), call.begin(), call.end());
    command.argv.insert(command.argv.end(), policy.begin(), policy.end());
    command.env.emplace_back("TZ", zone);
    return run_ok(command);
  }
  std::string restics(const Strings& policy, const std::string& zone) const {
    return answer_of({.argv = {restic_program()}, .env = restic_.environment()}, policy, zone);
  }
  std::string restrees(const Strings& policy, const std::string& zone) const {
    return answer_of(RestreeProgram(restic_).command({}), policy, zone);
  }

  // 14 of "restic 0.14.0 compiled with".
  static int minor_version() {
    const std::string said = run_ok({.argv = {restic_program(), "version"}});
    static constexpr std::string_view kBegin = "restic 0.";
    if (!said.starts_with(kBegin)) throw std::runtime_error("not a version: " + said);
    return std::atoi(said.c_str() + kBegin.size());
  }
  // Debian's 0.14 knows neither `unlimited` nor the rule for the oldest snapshot.
  static bool is_old(int minor) { return minor <= 14; }

  void expect_same(const Strings& policy, const std::string& zone) const {
    SCOPED_TRACE(fmt::format("TZ={} forget {}", zone, fmt::join(policy, " ")));
    const std::string ours = restrees(policy, zone);
    const std::string theirs = restics(policy, zone);
    const auto by_restree = parse_forget_answer(ours);
    const auto by_restic = parse_forget_answer(theirs);
    ASSERT_EQ(by_restree.size(), by_restic.size());
    for (const auto& [group, judged] : by_restree) {
      ASSERT_TRUE(by_restic.contains(group)) << group;
      const JudgedByProgram& expected = by_restic.at(group);
      const JudgedByProgram& found = is_old(minor_) ? without_oldest(judged) : judged;
      ASSERT_EQ(found.reasons, expected.reasons) << group;
      ASSERT_EQ(found.kept, expected.kept) << group;
      ASSERT_EQ(found.removed, expected.removed) << group;
    }
    if (minor_ >= 19) {
      EXPECT_EQ(sorted_elements(ours), sorted_elements(theirs)) << "byte for byte";
    }
  }

  const int minor_ = minor_version();
  const std::uint64_t seed_ = chosen_seed();
  Chance chance_{seed_};
  const Timestamp now_{std::time(nullptr), 0};
  TempDir dir_;
  Restic restic_{dir_.path()};
};

TEST_F(Retention, JudgesRandomGroupsAsResticDoes) {
  make_repository(scaled(2000, 200));
  RandomPolicies policies(chance_, !is_old(minor_));
  for (const std::string& zone : zones()) {
    for (int i = 0; i < 4; ++i) ASSERT_NO_FATAL_FAILURE(expect_same(policies.next(), zone));
  }
}

// Snapshots of restic's that are forgotten, and put back before and after a prune has taken their data.
class ForgottenOfRestic : public ::testing::Test {
 protected:
  ForgottenOfRestic() {
    restic_.init();
    for (int i = 0; i < 2; ++i) {
      write_random_file(source_ / "file", static_cast<std::uint64_t>(i), 100 * kKiB);
      ids_.push_back(restic_.backup({source_.string()}));
    }
  }
  bool is_listed(const std::string& id) const {
    return restic_.run_ok({"snapshots", "--json"}).find("\"short_id\":\"" + id) !=
           std::string::npos;
  }
  Finished restree(Strings words) const { return RestreeProgram(restic_).run(std::move(words)); }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  const fs::path source_ = made(dir_.path() / "source");
  Strings ids_;

 private:
  static fs::path made(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
  }
};

TEST_F(ForgottenOfRestic, AreWholeToResticOnceTheyArePutBack) {
  ASSERT_TRUE(restree({"forget", "--keep-last", "1"}).ok());
  ASSERT_FALSE(is_listed(ids_[0]));
  const Finished undone = restree({"forget", "--undo"});
  ASSERT_TRUE(undone.ok()) << undone.report();
  EXPECT_TRUE(is_listed(ids_[0]));
  restic_.check();
  restic_.restore(ids_[0], dir_.path() / "restored");
}

TEST_F(ForgottenOfRestic, StayAwayOnceAPruneHasTakenTheirData) {
  ASSERT_TRUE(restree({"forget", "--keep-last", "1"}).ok());
  restic_.prune();
  const Finished undone = restree({"forget", "--undo"});
  EXPECT_EQ(undone.exit_code, 1) << undone.report();
  EXPECT_THAT(undone.err, HasSubstr("cannot be put back"));
  EXPECT_FALSE(is_listed(ids_[0]));
  restic_.check();
}

}  // namespace
}  // namespace restree::testing
