// `restree repair index` beside the real restic: what one has damaged, the other finds whole.
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
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

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

TEST_F(Repair, ADamagedIndexFileIsReplacedAndResticFindsAllRight) {
  const fs::path file = some("index");
  std::string content = read_file(file);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  fs::permissions(file, fs::perms::owner_all);
  write_file(file, content);
  const Finished done = repair();
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.err, HasSubstr("removing invalid index " + file.filename().string()));
  restic_.run_ok({"check", "--read-data"});
}

// One with chunks: the trees of older snapshots are not stored again by a backup.
TEST_F(Repair, APackThatIsGoneIsTakenOutSoThatABackupStoresItAgain) {
  std::vector<fs::path> packs = stored_in(restic_.repository(), "data");
  for (fs::path& one : packs) one = restic_.repository() / one;
  const fs::path pack =
      *std::ranges::max_element(packs, {}, [](const fs::path& one) { return fs::file_size(one); });
  fs::remove(pack);
  const Finished done = repair();
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.err, HasSubstr("removing not found pack file " + pack.filename().string()));
  restic_.backup({"--force", source_.string()});
  restic_.run_ok({"check", "--read-data"});
}

}  // namespace
}  // namespace restree::testing
