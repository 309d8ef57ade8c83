// `restree migrate` on repositories that restic has made, beside restic's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

class Migrating : public ::testing::TestWithParam<std::string> {
 protected:
  Migrating() {
    restic_.init(1);
    write_random_file(dir_.path() / "file", 1, kMiB);
    restic_.backup({(dir_.path() / "file").string()});
  }
  Finished migrate(Strings words) const {
    words.insert(words.begin(), "migrate");
    return RestreeProgram(restic_).run(std::move(words));
  }
  int version() const {
    const std::string config = restic_.run_ok({"cat", "config"});
    return std::regex_search(config, std::regex("\"version\": *2")) ? 2 : 1;
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
};

TEST_P(Migrating, ListsTheMigrationAndAppliesIt) {
  EXPECT_EQ(migrate({}).out,
            "available migrations:\n  upgrade_repo_v2\tupgrade a repository to version 2\n");
  const Finished done = migrate({"upgrade_repo_v2"});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_EQ(done.out,
            "checking repository integrity...\nload indexes\ncheck all packs\n"
            "check snapshots, trees and blobs\nno errors were found\n"
            "applying migration upgrade_repo_v2...\nmigration upgrade_repo_v2: success\n");
  EXPECT_EQ(version(), 2);
  EXPECT_EQ(migrate({}).out, "available migrations:\nno migrations found\n");
  restic_.check();
  EXPECT_THAT(stored_in(restic_.repository(), "locks"), IsEmpty());
  EXPECT_THAT(strays_in(restic_.repository()), IsEmpty());
  // Both go on in the new version.
  RestreeProgram(restic_).backup({(dir_.path() / "file").string()});
  restic_.backup({(dir_.path() / "file").string()});
  restic_.check();
}

TEST_P(Migrating, SaysWhatResticSays) {
  if (GetParam() == "restic") GTEST_SKIP() << "older restics have other words";
  const auto plain = [](Finished finished) {
    // What restic says of its cache and of its progress.
    finished.out = std::regex_replace(finished.out,
                                      std::regex("(using temporary cache|\\[[0-9:]+\\]) .*\n"), "");
    return finished;
  };
  const Restic other(dir_.path() / "other", GetParam());
  other.init(1);
  const std::vector<Strings> calls = {{},
                                      {"--json"},
                                      {"-q"},
                                      {"nosuch"},
                                      {"upgrade_repo_v2", "nosuch"},
                                      {"upgrade_repo_v2"},
                                      {"upgrade_repo_v2", "--json"},
                                      {},
                                      {"-q", "upgrade_repo_v2"}};
  for (const Strings& words : calls) {
    Strings call{"migrate"};
    call.insert(call.end(), words.begin(), words.end());
    const Finished theirs = plain(other.run(call));
    const Finished ours = plain(migrate(words));
    EXPECT_EQ(ours.out, theirs.out);
    EXPECT_EQ(ours.err, theirs.err);
    EXPECT_EQ(ours.exit_code, theirs.exit_code);
  }
  const Finished forced = migrate({"upgrade_repo_v2", "--force"});
  EXPECT_EQ(forced.exit_code, 1);
  EXPECT_THAT(forced.err,
              HasSubstr("check for migration upgrade_repo_v2 failed, continuing anyway\n"
                        "migration upgrade_repo_v2 failed: repository has version 2, "
                        "only upgrades from version 1 are supported\n"));
}

TEST_P(Migrating, ADamagedRepositoryIsLeftAlone) {
  fs::remove(stored_in(restic_.repository(), "data").front());
  const std::string before = read_file(restic_.repository() / "config");
  const Finished refused = migrate({"upgrade_repo_v2"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("repository contains errors"));
  EXPECT_EQ(read_file(restic_.repository() / "config"), before);
}

TEST_P(Migrating, WaitsForNobody) {
  Process holder =
      RestreeProgram(restic_).start({"backup", "--stdin-from-command", "--", "sleep", "60"});
  ASSERT_TRUE(holds_within(std::chrono::seconds(30),
                           [&] { return !stored_in(restic_.repository(), "locks").empty(); }));
  EXPECT_EQ(migrate({"--no-lock"}).exit_code, 11);
  EXPECT_EQ(migrate({"upgrade_repo_v2"}).exit_code, 11);
  holder.signal(SIGINT);
  holder.wait(std::chrono::seconds(60));
  EXPECT_EQ(version(), 1);
}

INSTANTIATE_TEST_SUITE_P(Restic, Migrating, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
