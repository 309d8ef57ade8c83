// Small files that the kernel gets before programs ask for them: what programs see is the same, and
// they ask less.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fs/fuse/kernel_version.h"
#include "repo/base/unique_fd.h"
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
  static constexpr std::size_t kPage = 4096;

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
  static bool kernel_takes_files() {
    utsname kernel{};
    return ::uname(&kernel) == 0 && zeroes_ends_of_files(kernel.release, kernel.version);
  }
  // All bytes of the pages that a file lies in.
  static std::string mapped_pages(const fs::path& file) {
    const std::size_t size = fs::file_size(file);
    if (size == 0) return {};
    const std::size_t pages = (size + kPage - 1) / kPage * kPage;
    const UniqueFd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    void* const mapped = ::mmap(nullptr, pages, PROT_READ, MAP_PRIVATE, opened.get(), 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file.string());
    const std::string bytes(static_cast<const char*>(mapped), pages);
    ::munmap(mapped, pages);
    return bytes;
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
  if (!kernel_takes_files()) {
    EXPECT_EQ(number("given_files"), 0U);
    return;
  }
  EXPECT_LT(number("reads"), kFolders * kFiles * 2 / 3);
  EXPECT_GT(number("given_files"), kFolders * kFiles / 3);
}

// Not what the memory held before.
TEST_P(GivenFiles, BehindTheEndOfAFileAreZeros) {
  copy_to(dir_.path() / "copy");
  for (const fs::path& file : files_below(shown())) {
    const std::string content = mapped_pages(shown() / file);
    const std::size_t size = fs::file_size(shown() / file);
    EXPECT_TRUE(std::all_of(content.begin() + static_cast<std::ptrdiff_t>(size), content.end(),
                            [](char byte) { return byte == 0; }))
        << file;
  }
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
