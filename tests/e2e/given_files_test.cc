// Small files that the kernel gets before programs ask for them: what programs see is the same, and
// they ask less.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/process.h"
#include "tests/support/restic.h"
#include "tests/support/sshd.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

enum class Place { kLocal, kSftp };

class GivenFiles : public ::testing::TestWithParam<Place> {
 protected:
  static constexpr std::uint64_t kFolders = 20;
  static constexpr std::uint64_t kFiles = 30;

  GivenFiles() {
    for (std::uint64_t folder = 0; folder < kFolders; ++folder) {
      const fs::path path = source_ / ("folder " + std::to_string(folder));
      fs::create_directories(path);
      for (std::uint64_t file = 0; file < kFiles; ++file) {
        // Of all lengths around a page, and a few that are larger.
        const std::uint64_t size = file % 10 == 7 ? 70 * kKiB + file : file * 397 % 9000;
        write_random_file(path / ("file " + std::to_string(file)), folder * kFiles + file, size);
      }
    }
    restic_.init();
    restic_.backup({"--tag", "app=a", source_.string()});
    if (GetParam() == Place::kSftp) {
      sshd_ = std::make_unique<Sshd>();
      mounted_ = std::make_unique<Mounted>(mount_over_ssh(restic_, *sshd_, SshTransport::kBuiltIn));
    } else {
      mounted_ = std::make_unique<Mounted>(restic_);
    }
  }
  fs::path shown() const { return *mounted_ / "apps/a/latest"; }
  std::uint64_t number(const std::string& name) const {
    return std::stoull(status_fields(read_file(*mounted_ / ".restree/status")).at(name));
  }
  void copy_to(const fs::path& target) const {
    const Finished copied = run({.argv = {"cp", "-aT", (shown() / ".").string(), target.string()}});
    EXPECT_TRUE(copied.ok()) << copied.report();
  }

  TempDir dir_;
  const fs::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home"};
  std::unique_ptr<Sshd> sshd_;
  std::unique_ptr<Mounted> mounted_;
};

INSTANTIATE_TEST_SUITE_P(Places, GivenFiles, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

TEST_P(GivenFiles, ACopyIsRightAndAsksForFewOfThem) {
  copy_to(dir_.path() / "copy");
  EXPECT_EQ(differences(dir_.path() / "copy", source_), "");
  EXPECT_LT(number("reads"), kFolders * kFiles * 2 / 3);
  EXPECT_GT(number("given_files"), kFolders * kFiles / 3);
}

TEST_P(GivenFiles, CopiesAtTheSameTimeAreRight) {
  constexpr int kCopies = 6;
  {
    std::vector<std::jthread> copies;
    for (int i = 0; i < kCopies; ++i) {
      copies.emplace_back([this, i] { copy_to(dir_.path() / ("copy " + std::to_string(i))); });
    }
  }
  for (int i = 0; i < kCopies; ++i) {
    EXPECT_EQ(differences(dir_.path() / ("copy " + std::to_string(i)), source_), "");
  }
}

}  // namespace
}  // namespace restree::testing
