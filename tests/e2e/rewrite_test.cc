// `restree rewrite` beside restic's: the same trees, snapshots and words, in repositories that restic
// has made and finds right afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/awkward_tree.h"
#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

// Older restics have no rewrite.
bool can_rewrite(const std::string& restic) { return restic != "restic"; }

// The output with the same text in place of every short id.
std::string without_ids(const std::string& output) {
  return std::regex_replace(output, std::regex("\\b[0-9a-f]{8}\\b"), "ID");
}

class Rewriting : public ::testing::TestWithParam<std::string> {
 protected:
  Rewriting() {
    restic_.init();
    fs::create_directories(files());
  }
  fs::path files() const { return dir_.path() / "files"; }
  std::string backup(const std::string& time) const {
    return restic_.backup({files().string(), "--host", "h", "--tag", "t", "--time", time});
  }
  // The same repository once more, below another home.
  Restic copy(const std::string& name) const {
    Restic other(dir_.path() / name, GetParam());
    fs::create_directories(other.repository().parent_path());
    testing::run_ok(
        {.argv = {"cp", "-aT", restic_.repository().string(), other.repository().string()}});
    return other;
  }
  // Each snapshot as JSON without its own id, sorted: what is left is to be the same for both
  // programs.
  static Strings snapshots_of(const Restic& restic) {
    const std::string json = restic.run_ok({"snapshots", "--json", "--no-lock"});
    const std::regex own_id(R"json(,"id":"[0-9a-f]*","short_id":"[0-9a-f]*"})json");
    Strings all;
    auto at = std::sregex_token_iterator(json.begin(), json.end(), own_id, -1);
    for (; at != std::sregex_token_iterator(); ++at) {
      const std::string one = *at;
      if (one.size() > 2) all.push_back(one.substr(1));  // behind the comma or bracket
    }
    std::ranges::sort(all);
    return all;
  }
  static std::size_t count(const Restic& restic) {
    return names_in(restic.repository() / "snapshots").size();
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
};

TEST_P(Rewriting, GivesTheSnapshotsThatResticGives) {
  make_awkward_tree(files() / "tree", {.big_file_bytes = 2 * kMiB, .beyond_restic_0_14 = true});
  backup("2026-01-01 00:00:00");
  write_file(files() / "Changed", "x");
  backup("2026-01-02 00:00:00");
  const Strings before = snapshots_of(restic_);
  int number = 0;
  for (const Strings& words : {Strings{"-e", "sizes"},
                               {"-e", "sizes", "-e", "*[aeiou]*", "--forget"},
                               {"--iexclude", "changed"},
                               {"-e", "*"},
                               {"-e", "nothing like this"},
                               {"-i", "sizes"},
                               {"-i", "big", "-i", "special", "--forget"},
                               {"-i", "nothing like this"},
                               {"-s"},
                               {"--new-host", "n", "--new-time", "2020-02-03 04:05:06"},
                               {"--new-host", "n", "-e", "links", "--forget", "--tag", "t"}}) {
    const Restic mine = copy("mine" + std::to_string(++number));
    Strings call{"rewrite"};
    call.insert(call.end(), words.begin(), words.end());
    const Finished done = RestreeProgram(mine).run(call);
    ASSERT_TRUE(done.ok()) << done.report();
    mine.check();
    if (!can_rewrite(GetParam())) continue;
    const Restic theirs = copy("theirs" + std::to_string(number));
    theirs.run_ok(call);
    EXPECT_THAT(snapshots_of(mine), ElementsAreArray(snapshots_of(theirs))) << words[0] << words[1];
  }
  EXPECT_THAT(snapshots_of(restic_), ElementsAreArray(before));
}

TEST_P(Rewriting, SaysWhatResticSays) {
  if (!can_rewrite(GetParam())) GTEST_SKIP() << "it has no rewrite";
  fs::create_directories(files() / "folder");
  write_file(files() / "folder" / "a \"b\"", "1");
  write_file(files() / "c", "22");
  fs::create_directories(files() / "empty");
  backup("2026-01-01 00:00:00");
  int number = 0;
  for (const Strings& words : {Strings{"-e", "c"},
                               {"-vv", "-e", "a *"},
                               {"-q", "-e", "c"},
                               {"--json", "-e", "c"},
                               {"-n", "-e", "c"},
                               {"-vv", "-i", "folder"},
                               {"-vv", "-i", "empty"},
                               {"-i", "none"},
                               {"--forget", "-e", "c"},
                               {"--forget", "-n", "-e", "c", "--new-host", "n"},
                               {"--new-host", "n", "--new-time", "2020-02-03 04:05:06"},
                               {"-s"},
                               {"-n", "-e", "nothing"},
                               {"--new-host", "n", "latest:folder"}}) {
    Strings call{"rewrite"};
    call.insert(call.end(), words.begin(), words.end());
    const Restic mine = copy("mine" + std::to_string(++number));
    const Restic theirs = copy("theirs" + std::to_string(number));
    const Finished done = RestreeProgram(mine).run(call);
    const Finished expected = theirs.run(call);
    EXPECT_EQ(without_ids(done.out), without_ids(expected.out));
    EXPECT_EQ(without_ids(done.err), without_ids(expected.err));
    EXPECT_EQ(done.exit_code, expected.exit_code);
  }
}

TEST_P(Rewriting, KilledAtAnyMomentItLosesNothingAndTheNextRunDoesTheRest) {
  constexpr std::size_t kSnapshots = 5;
  write_file(files() / "secret", "secret");
  for (std::size_t i = 1; i <= kSnapshots; ++i) {
    write_file(files() / "changes", "round " + std::to_string(i));
    backup("2026-01-0" + std::to_string(i) + " 00:00:00");
  }
  const fs::path repository = restic_.repository();
  std::size_t kills = 0;
  const auto kill_once = [&](const auto& is_time) {
    // Slow enough for the moment to be met.
    Process process = Process::start(RestreeProgram(restic_).command(
        {"rewrite", "--forget", "-e", "secret", "--limit-upload", "1"}));
    holds_within(seconds(patient(60)), [&] { return is_time() || !process.running(); });
    process.signal(SIGKILL);
    process.wait(seconds(60));
    restic_.run_ok({"check", "--read-data", "--no-lock"});
    EXPECT_GE(count(restic_), kSnapshots);
    EXPECT_LE(count(restic_), kSnapshots + ++kills) << "each may leave one in both forms";
  };
  for (const char* folder : {"data", "index", "snapshots"}) {
    const auto before = stored_in(repository, folder);
    kill_once([&] { return stored_in(repository, folder) != before; });
    restic_.run_ok({"unlock", "--remove-all"});
  }
  const Finished rest = RestreeProgram(restic_).run({"rewrite", "--forget", "-e", "secret"});
  ASSERT_TRUE(rest.ok()) << rest.report();
  restic_.check();
  const std::string ids = restic_.run_ok({"list", "snapshots"});
  for (std::size_t at = 0; at < ids.size(); at += 65) {
    EXPECT_THAT(restic_.run_ok({"ls", ids.substr(at, 64)}), ::testing::Not(HasSubstr("secret")));
  }
}

INSTANTIATE_TEST_SUITE_P(Restic, Rewriting, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
