// `restree salvage` beside `restic restore`, from repositories that have lost packs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

constexpr std::uint64_t kBigSize = 40 * kMiB;

class Salvaging : public ::testing::Test {
 protected:
  Salvaging() {
    restic_.init();
    fs::create_directories(app() / "small");
    for (int i = 0; i < 40; ++i) {
      write_random_file(app() / "small" / std::to_string(i), static_cast<std::uint64_t>(i), 20'000);
    }
    write_random_file(app() / "big", 77, kBigSize);
    restic_.run_ok({"backup", "--pack-size", "4", "app"}, dir_.path());
    id_ = restic_.run_ok({"snapshots", "--json"});
    id_ = id_.substr(id_.find("\"short_id\":\"") + 12, 8);
  }
  fs::path app() const { return dir_.path() / "app"; }
  fs::path target() const { return dir_.path() / "target"; }
  fs::path salvaged(const std::string& name) const { return target() / id_ / "app" / name; }
  Finished salvage(Strings words) const {
    words.insert(words.begin(), {"salvage", "--target", target().string()});
    return RestreeProgram(restic_).run(std::move(words));
  }
  // Packs with data in them: those that hold trees are small.
  std::vector<fs::path> data_packs() const {
    std::vector<fs::path> packs;
    for (const fs::path& pack : files_below(restic_.repository() / "data")) {
      if (fs::file_size(pack) > kMiB) packs.push_back(pack);
    }
    return packs;
  }
  // Every byte is either the original's or zero; returns how many differ.
  std::uint64_t lost_bytes_of_big() const {
    const std::string is = read_file(salvaged("big"));
    const std::string was = read_file(app() / "big");
    EXPECT_EQ(is.size(), was.size());
    std::uint64_t lost = 0;
    for (std::size_t i = 0; i < std::min(is.size(), was.size()); ++i) {
      if (is[i] == was[i]) continue;
      ++lost;
      if (is[i] == '\0') continue;
      ADD_FAILURE() << "byte " << i << " is neither right nor zero";
      break;
    }
    return lost;
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  std::string id_;
};

TEST_F(Salvaging, OfAWholeSnapshotIsARestore) {
  const Finished done = salvage({"latest"});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("all of it is whole"));
  EXPECT_EQ(read_file(salvaged("big")) == read_file(app() / "big"), true);
  EXPECT_THAT(names_in(target()), SizeIs(1));
}

TEST_F(Salvaging, GivesAllThatIsInThePacksThatAreLeft) {
  const auto packs = data_packs();
  ASSERT_GT(packs.size(), 5U);
  fs::remove(packs[1]);
  fs::remove(packs[3]);
  const Finished done = salvage({"--partial", "latest"});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  const std::uint64_t lost = lost_bytes_of_big();
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, kBigSize / 2);
  const std::string list = read_file(target() / (id_ + ".lost.txt"));
  EXPECT_THAT(list, HasSubstr("/app/big: filled with zeros: bytes "));
  EXPECT_THAT(read_file(target() / (id_ + ".lost.json")), HasSubstr(R"("path":"/app/big")"));
  for (const std::string& name : names_in(app() / "small")) {
    const fs::path copy = salvaged("small/" + name);
    if (fs::exists(copy)) {
      EXPECT_EQ(read_file(copy) == read_file(app() / "small" / name), true) << name;
    } else {
      EXPECT_THAT(list, HasSubstr("/app/small/" + name + ": left out"));
    }
  }
}

TEST_F(Salvaging, LeavesOutWhatIsNotWholeUnlessPartsAreWanted) {
  const auto packs = data_packs();
  fs::remove(packs[2]);
  const Finished done = salvage({"latest"});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  EXPECT_FALSE(fs::exists(salvaged("big")));
  EXPECT_THAT(read_file(target() / (id_ + ".lost.txt")), HasSubstr("/app/big: left out: bytes "));
  EXPECT_THAT(names_in(salvaged("small")), Not(IsEmpty()));
}

TEST_F(Salvaging, WritesIntoNoFolderThatHasFiles) {
  fs::create_directories(target() / id_);
  write_file(target() / id_ / "mine", "mine");
  const Finished refused = salvage({"latest"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("is not empty"));
  EXPECT_THAT(names_in(target() / id_), SizeIs(1));
}

TEST_F(Salvaging, ASnapshotThatIsNotThereDoesNotKeepTheOthersFromIt) {
  const Finished done = salvage({"ffffffff", "latest"});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  EXPECT_THAT(done.err, HasSubstr("ffffffff"));
  EXPECT_EQ(read_file(salvaged("big")) == read_file(app() / "big"), true);
}

}  // namespace
}  // namespace restree::testing
