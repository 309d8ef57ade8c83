// .restree/status, read through the kernel by programs that know nothing of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/process.h"
#include "tests/support/restic.h"
#include "tests/support/sshd.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class StatusFile : public ::testing::Test {
 protected:
  StatusFile() {
    fs::create_directories(dir_.path() / "source");
    write_random_file(dir_.path() / "source/file", 1, 3 * kMiB);
    restic_.init();
    restic_.backup({"--tag", "app=a", (dir_.path() / "source").string()});
    mounted_.emplace(mount_over_ssh(restic_, sshd_, SshTransport::kBuiltIn));
  }

  std::map<std::string, std::string> status() const {
    return status_fields(read_file(*mounted_ / ".restree/status"));
  }
  std::uint64_t number(const std::string& name) const { return std::stoull(status().at(name)); }
  std::string out(std::vector<std::string> words) const {
    const Finished finished = run({.argv = std::move(words)});
    EXPECT_TRUE(finished.ok()) << finished.report();
    return finished.out;
  }
  std::string file() const { return (*mounted_ / ".restree/status").string(); }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  Sshd sshd_;
  std::optional<Mounted> mounted_;
};

TEST_F(StatusFile, FollowsWhatTheMountDoes) {
  EXPECT_EQ(status().at("online"), "true");
  EXPECT_EQ(number("served_bytes"), 0U);
  ASSERT_EQ(errno_of_reading(*mounted_ / "apps/a/latest/file"), 0);
  EXPECT_EQ(number("served_bytes"), 3 * kMiB);
  EXPECT_GE(number("fetched_bytes"), 3 * kMiB);
  EXPECT_GE(number("connections"), 1U);
  EXPECT_GT(number("requests"), 5U);
  EXPECT_GT(number("cache_misses"), 0U);
  EXPECT_EQ(number("errors"), 0U);
  EXPECT_GT(number("index_blobs"), 2U);
  EXPECT_GT(number("memory_bytes"), kMiB);
  EXPECT_THAT(status().at("listed"), HasSubstr("T"));
}

TEST_F(StatusFile, IsOneWholeObjectHoweverItIsRead) {
  // Kept open while the kernel has pages of it, with small and with large buffers, again and again.
  for (int round = 0; round < 20; ++round) {
    EXPECT_NO_THROW(status_fields(out({"cat", file()})));
    EXPECT_NO_THROW(status_fields(out({"dd", "status=none", "bs=64k", "if=" + file()})));
    EXPECT_NO_THROW(
        status_fields(out({"dd", "status=none", "bs=512", "iflag=direct", "if=" + file()})));
    EXPECT_NO_THROW(status_fields(out({"tail", "-c", "+1", file()})));
    ASSERT_EQ(errno_of_reading(*mounted_ / "apps/a/latest/file"), 0);
  }
  const TempDir target;
  out({"cp", file(), (target.path() / "copy").string()});
  EXPECT_NO_THROW(status_fields(read_file(target.path() / "copy")));
}

TEST_F(StatusFile, IsCopiedByNothingThatCopiesTheTree) {
  EXPECT_THAT(names_in(mounted_->path()), Not(Contains(".restree")));
  EXPECT_THAT(out({"find", mounted_->path().string(), "-maxdepth", "2"}),
              Not(HasSubstr("restree/")));
  EXPECT_THAT(out({"sh", "-c", "tar -C '" + mounted_->path().string() + "' -c . | tar -t"}),
              Not(HasSubstr("status")));
  EXPECT_EQ(names_in(*mounted_ / ".restree"), (std::vector<std::string>{"problems", "status"}));
}

TEST_F(StatusFile, CanOnlyBeRead) {
  EXPECT_FALSE(run({.argv = {"sh", "-c", "echo x > '" + file() + "'"}}).ok());
  EXPECT_FALSE(run({.argv = {"rm", "-f", file()}}).ok());
  struct stat attributes {};
  ASSERT_EQ(::stat(file().c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode, S_IFREG | 0444U);
  EXPECT_GT(attributes.st_size, 0);
}

}  // namespace
}  // namespace restree::testing
