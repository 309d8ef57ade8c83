// How often commands ask a storage that is far away.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using testing::Outcome;
using testing::RestreeRunner;

constexpr std::size_t kFolders = 300;

// A backup of a folder of folders, so that its trees lie in one pack.
class FarReading : public ::testing::Test {
 protected:
  FarReading() {
    for (std::size_t i = 0; i < kFolders; ++i) {
      const auto folder = source_ / ("folder " + std::to_string(i));
      std::filesystem::create_directories(folder);
      testing::write_file(folder / "file", std::to_string(i));
    }
    testing::RepositoryBuilder builder(storage_, 2);
    EXPECT_EQ(runner_.run({"--no-cache", "backup", "-q", source_.string()}).code,
              ExitCode::kSuccess);
  }

  // How many times packs are read by a command, for a repository at `location`.
  std::size_t reads_of(const std::string& location, const std::vector<std::string>& command) {
    std::vector<std::string> words = {
        "-r",        location,          "--no-cache",
        "--no-lock", "--password-file", (runner_.folder() / "password").string()};
    words.insert(words.end(), command.begin(), command.end());
    const std::size_t before = storage_->reads(FileType::kPack);
    const Outcome outcome = runner_.run_bare(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
    EXPECT_THAT(outcome.out, ::testing::HasSubstr("folder 7/file"));
    return storage_->reads(FileType::kPack) - before;
  }

  std::shared_ptr<testing::WatchedStorage> storage_ =
      std::make_shared<testing::WatchedStorage>(std::make_shared<MemoryStorage>());
  RestreeRunner runner_{storage_};
  const std::filesystem::path source_ = runner_.folder() / "source";
};

TEST_F(FarReading, TreesThatLieTogetherComeWithFewRequests) {
  const std::vector<std::string> ls = {"ls", "-q", "--recursive", "latest"};
  EXPECT_LT(reads_of("sftp:nowhere:repository", ls), kFolders / 5);
  EXPECT_LT(reads_of("sftp:nowhere:repository", {"find", "-q", "file"}), kFolders / 5);
  EXPECT_GE(reads_of("/near", ls), kFolders);
}

}  // namespace
}  // namespace restree
