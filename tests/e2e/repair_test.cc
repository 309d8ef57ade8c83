// `restree repair` beside the real restic: what one has damaged, the other finds whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/programs.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

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

// The cache has it whole from before.
TEST_F(Repair, ADamagedIndexFileIsSeenThoughTheCacheHasIt) {
  const Sshd sshd;
  const RestreeProgram far(restic_, sshd);
  EXPECT_TRUE(far.run({"ls", "latest"}).ok());
  const fs::path file = some("index");
  flip_byte(file, fs::file_size(file) / 2);
  const Finished done = far.run({"repair", "index"});
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_FALSE(fs::exists(file));
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
                EndsWith("\n\nUse `" + fs::path(program).filename().string() +
                         " repair snapshots --forget` to remove the corrupted data blobs from all "
                         "snapshots\n"))
        << program;
    const Finished again = repair_packs_of_copy(program, id);
    EXPECT_EQ(again.exit_code, 1);
  }
}

// Snapshots of which packs are lost, after `repair index`.
class RepairSnapshots : public ::testing::TestWithParam<std::string> {
 protected:
  RepairSnapshots() {
    restic_.init();
    fs::create_directories(source_ / "folder" / "deep");
    write_random_file(source_ / "large", 1, 4 * kMiB);
    write_file(source_ / "folder" / "small", "small");
    write_file(source_ / "folder" / "deep" / "f", "f");
    backup("2026-01-01 00:00:00");
    write_file(source_ / "folder" / "more", "more");
    backup("2026-01-02 00:00:00");
  }
  void backup(const std::string& time) const {
    restic_.backup({source_.string(), "--host", "h", "--time", time});
  }
  // A copy of the repository without one of its packs, all of whose blobs are out of the index.
  Restic without(const fs::path& pack, const std::string& name) const {
    Restic other(dir_.path() / name, GetParam());
    fs::create_directories(other.repository().parent_path());
    testing::run_ok(
        {.argv = {"cp", "-aT", restic_.repository().string(), other.repository().string()}});
    fs::remove(other.repository() / fs::relative(pack, restic_.repository()));
    EXPECT_TRUE(RestreeProgram(other).run({"repair", "index"}).ok());
    return other;
  }
  // The trees of the snapshots with their times and tags.
  static std::vector<std::string> trees_of(const Restic& restic) {
    const std::string json = restic.run_ok({"snapshots", "--json", "--no-lock"});
    const std::regex wanted(R"json("(time|tree|original)":"[^"]*"|"tags":[^\]]*\])json");
    std::vector<std::string> all;
    for (auto at = std::sregex_iterator(json.begin(), json.end(), wanted);
         at != std::sregex_iterator(); ++at) {
      if (at->str(1) == "time") all.emplace_back();
      all.back() += at->str();
    }
    std::ranges::sort(all);
    return all;
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
  const fs::path source_ = dir_.path() / "source";
};

// The lines of the output without ids, sorted: restic takes the snapshots in any order, and names what
// is lost where it meets it first.
std::vector<std::string> comparable(const std::string& output) {
  std::istringstream stream(
      std::regex_replace(output, std::regex("\\b[0-9a-f]{8}\\b|at 2026-01-0[12]"), "ID"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

TEST_P(RepairSnapshots, MakesWhatResticMakesWhicheverPackIsLost) {
  int number = 0;
  for (const fs::path& pack : stored_in(restic_.repository(), "data")) {
    for (const bool forget : {false, true}) {
      ++number;
      const Restic mine = without(pack, "mine" + std::to_string(number));
      std::vector<std::string> call{"repair", "snapshots"};
      if (forget) call.emplace_back("--forget");
      const Finished done = RestreeProgram(mine).run(call);
      ASSERT_TRUE(done.ok()) << done.report();
      EXPECT_THAT(done.out, HasSubstr("\nmodified "));
      if (forget) mine.run_ok({"check", "--read-data"});
      if (GetParam() == "restic") continue;  // it has no such command
      const Restic theirs = without(pack, "theirs" + std::to_string(number));
      const std::string expected = theirs.run_ok(call);
      EXPECT_EQ(trees_of(mine), trees_of(theirs));
      EXPECT_EQ(comparable(done.out), comparable(expected));
    }
  }
  EXPECT_GE(number, 8) << "two packs of data and two of trees";
}

TEST_P(RepairSnapshots, ADryRunAndARepositoryThatIsWholeChangeNothing) {
  const Finished whole = RestreeProgram(restic_).run({"repair", "snapshots"});
  EXPECT_THAT(whole.out, HasSubstr("\nno snapshots were modified\n"));
  const auto packs = stored_in(restic_.repository(), "data");
  const Restic damaged = without(packs.front(), "damaged");
  const auto before = files_below(damaged.repository());
  const Finished dry = RestreeProgram(damaged).run({"repair", "snapshots", "-n", "--forget"});
  EXPECT_THAT(dry.out, HasSubstr("\nwould modify "));
  EXPECT_EQ(files_below(damaged.repository()), before);
}

TEST_P(RepairSnapshots, KilledAtAnyMomentTheNextRunDoesTheRest) {
  const auto packs = stored_in(restic_.repository(), "data");
  const fs::path largest =
      *std::ranges::max_element(packs, {}, [](const fs::path& one) { return fs::file_size(one); });
  const Restic damaged = without(largest, "damaged");
  for (const char* folder : {"data", "index", "snapshots"}) {
    const auto before = stored_in(damaged.repository(), folder);
    // Slow enough for the moment to be met.
    Process process = Process::start(RestreeProgram(damaged).command(
        {"repair", "snapshots", "--forget", "--limit-upload", "1"}));
    holds_within(std::chrono::seconds(patient(60)), [&] {
      return stored_in(damaged.repository(), folder) != before || !process.running();
    });
    process.signal(SIGKILL);
    process.wait(std::chrono::seconds(60));
    EXPECT_GE(stored_in(damaged.repository(), "snapshots").size(), 2U);
    damaged.run_ok({"unlock", "--remove-all"});
  }
  const Finished rest = RestreeProgram(damaged).run({"repair", "snapshots", "--forget"});
  ASSERT_TRUE(rest.ok()) << rest.report();
  damaged.run_ok({"check", "--read-data"});
  EXPECT_GE(stored_in(damaged.repository(), "snapshots").size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Restic, RepairSnapshots, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
