// `restree salvage` beside `restic restore`, from repositories that have lost packs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

// More than five packs: restic ends a pack of --pack-size 4 once it has 4 MiB, and a chunk has 8 at most.
constexpr std::uint64_t kBigSize = 64 * kMiB;
constexpr int kSmallFiles = 40;

class Salvaging : public ::testing::Test {
 protected:
  // Each part has packs of its own: the first half of the small files, their other half, the big one.
  Salvaging() {
    restic_.init();
    fs::create_directories(app() / "small");
    for (int i = 0; i < kSmallFiles; ++i) {
      write_random_file(app() / "small" / std::to_string(i), static_cast<std::uint64_t>(i), 20'000);
      if (i == kSmallFiles / 2 - 1) backup();
    }
    const std::vector<fs::path> small = packs();
    small_pack_ = *std::ranges::max_element(
        small, {}, [](const fs::path& pack) { return fs::file_size(pack); });
    backup();
    write_random_file(app() / "big", 77, kBigSize);
    backup();
    id_ = restic_.run_ok({"snapshots", "latest", "--json"});
    id_ = id_.substr(id_.find("\"short_id\":\"") + 12, 8);
  }
  void backup() const { restic_.run_ok({"backup", "--pack-size", "4", "app"}, dir_.path()); }
  fs::path app() const { return dir_.path() / "app"; }
  fs::path target() const { return dir_.path() / "target"; }
  fs::path salvaged(const std::string& name) const { return target() / id_ / "app" / name; }
  Finished salvage(Strings words) const {
    words.insert(words.begin(), {"salvage", "--target", target().string()});
    return RestreeProgram(restic_).run(std::move(words));
  }
  std::vector<fs::path> packs() const { return files_below(restic_.repository() / "data"); }
  // Those with parts of the big file: all others are small.
  std::vector<fs::path> big_packs() const {
    std::vector<fs::path> big = packs();
    std::erase_if(big, [](const fs::path& pack) { return fs::file_size(pack) <= kMiB; });
    return big;
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
  fs::path small_pack_;  // with the first half of the small files
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
  const auto packs = big_packs();
  ASSERT_GT(packs.size(), 5U);
  fs::remove(packs[1]);
  fs::remove(packs[3]);
  fs::remove(small_pack_);
  const Finished done = salvage({"--partial", "latest"});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  const std::uint64_t lost = lost_bytes_of_big();
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, kBigSize / 2);
  const std::string list = read_file(target() / (id_ + ".lost.txt"));
  EXPECT_THAT(list, HasSubstr("/app/big: filled with zeros: bytes "));
  EXPECT_THAT(read_file(target() / (id_ + ".lost.json")), HasSubstr(R"("path":"/app/big")"));
  for (int i = 0; i < kSmallFiles; ++i) {
    const std::string name = "small/" + std::to_string(i);
    if (i < kSmallFiles / 2) {
      EXPECT_THAT(list, HasSubstr("/app/" + name + ": left out"));
    } else {
      EXPECT_EQ(read_file(salvaged(name)) == read_file(app() / name), true) << name;
    }
  }
}

TEST_F(Salvaging, LeavesOutWhatIsNotWholeUnlessPartsAreWanted) {
  fs::remove(big_packs()[2]);
  const Finished done = salvage({"latest"});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  EXPECT_FALSE(fs::exists(salvaged("big")));
  EXPECT_THAT(read_file(target() / (id_ + ".lost.txt")), HasSubstr("/app/big: left out: bytes "));
  EXPECT_THAT(names_in(salvaged("small")), SizeIs(kSmallFiles));
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
