// `restree repair index` and `restree repair packs` beside the real restic: what one has damaged, the other finds whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Repair : public ::testing::Test {
 protected:
  Repair() {
    restic_.init();
    fs::create_directories(source_);
    for (std::uint64_t i = 0; i < 3; ++i) {
      write_random_file(source_ / std::to_string(i), i, 6 * kMiB);
      restic_.backup({source_.string()});
    }
  }
  Finished repair() const { return RestreeProgram(restic_).run({"repair", "index"}); }
  fs::path some(const std::string& folder) const {
    return restic_.repository() / stored_in(restic_.repository(), folder).front();
  }

  fs::path largest_pack() const {
    std::vector<fs::path> packs = stored_in(restic_.repository(), "data");
    for (fs::path& one : packs) one = restic_.repository() / one;
    return *std::ranges::max_element(packs, {},
                                     [](const fs::path& one) { return fs::file_size(one); });
  }
  static void flip_middle(const fs::path& file) {
    std::string content = read_file(file);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    fs::permissions(file, fs::perms::owner_all);
    write_file(file, content);
  }
  // `program` repairs a copy of the repository, in a folder of its own.
  Finished repair_packs_of_copy(const std::string& program, const std::string& pack) const {
    const fs::path folder = dir_.path() / fs::path(program).filename();
    fs::create_directories(folder);
    run_ok({.argv = {"cp", "-aT", restic_.repository().string(), (folder / "r").string()}});
    Command command{.argv = {program, "-r", (folder / "r").string(), "repair", "packs", pack},
                    .env = restic_.environment(),
                    .folder = folder};
    command.env.emplace_back("XDG_CACHE_HOME", (folder / "cache").string());
    return run(command);
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  const fs::path source_ = dir_.path() / "source";
};

TEST_F(Repair, AnIndexThatIsGoneIsMadeAnewAndResticFindsAllRight) {
  for (const fs::path& file : stored_in(restic_.repository(), "index")) {
    fs::remove(restic_.repository() / file);
  }
  const Finished done = repair();
  EXPECT_TRUE(done.ok()) << done.report();
  restic_.run_ok({"check", "--read-data"});
}

TEST_F(Repair, ADamagedIndexFileIsReplacedAndResticFindsAllRight) {
  const fs::path file = some("index");
  flip_middle(file);
  const Finished done = repair();
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.err, HasSubstr("removing invalid index " + file.filename().string()));
  restic_.run_ok({"check", "--read-data"});
}

// One with chunks: the trees of older snapshots are not stored again by a backup.
TEST_F(Repair, APackThatIsGoneIsTakenOutSoThatABackupStoresItAgain) {
  const fs::path pack = largest_pack();
  fs::remove(pack);
  const Finished done = repair();
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.err, HasSubstr("removing not found pack file " + pack.filename().string()));
  restic_.backup({"--force", source_.string()});
  restic_.run_ok({"check", "--read-data"});
}

TEST_F(Repair, WhatIsWholeInADamagedPackIsSavedAndABackupBringsBackTheRest) {
  const fs::path pack = largest_pack();
  const std::string id = pack.filename().string();
  flip_middle(pack);
  const std::string damaged = read_file(pack);
  Command command = RestreeProgram(restic_).command({"repair", "packs", id});
  command.folder = dir_.path();
  const Finished done = run(command);
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_EQ(read_file(dir_.path() / ("pack-" + id)), damaged);
  EXPECT_FALSE(fs::exists(pack));
  // The one chunk that is damaged is missing, and nothing else is wrong.
  const Finished checked = restic_.run({"check", "--read-data"});
  EXPECT_EQ(checked.exit_code, 1) << checked.report();
  EXPECT_THAT(checked.err, ::testing::Not(HasSubstr("pack "))) << checked.report();
  restic_.backup({"--force", source_.string()});
  restic_.run_ok({"check", "--read-data"});
}

TEST_F(Repair, OfPacksSaysWhatResticSays) {
  const char* newer = std::getenv("RESTREE_NEW_RESTIC");
  std::vector<std::string> programs{restree_path()};
  if (newer != nullptr) programs.emplace_back(newer);
  const fs::path pack = largest_pack();
  const std::string id = pack.filename().string();
  flip_middle(pack);
  for (const std::string& program : programs) {
    Finished done = repair_packs_of_copy(program, id);
    EXPECT_TRUE(done.ok()) << done.report();
    // What it counts of the index depends on how many files there are.
    done.out = std::regex_replace(done.out, std::regex(R"(\d+ / \d+ (indexes|old))"), "N / N $1");
    EXPECT_EQ(std::regex_replace(done.out, std::regex(R"(\[\d+:\d+\])"), "[T]"),
              "saving backup copies of pack files to current folder\n"
              "salvaging intact data from specified pack files\n"
              "[T] 100.00%  1 / 1 pack files\n"
              "rebuilding index\n"
              "[T] 100.00%  N / N indexes processed\n"
              "[T] 100.00%  N / N old indexes deleted\n"
              "removing salvaged pack files\n"
              "[T] 100.00%  1 / 1 files deleted\n")
        << done.report();
    EXPECT_THAT(done.err, StartsWith("failed to load blob ")) << program;
    EXPECT_THAT(done.err,
                EndsWith("\n\nUse `restic repair snapshots --forget` to remove the corrupted data "
                         "blobs from all snapshots\n"))
        << program;
    const Finished again = repair_packs_of_copy(program, id);
    EXPECT_EQ(again.exit_code, 1);
  }
}

}  // namespace
}  // namespace restree::testing
