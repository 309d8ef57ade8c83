// A repository in a folder whose server hangs, as of NFS or sshfs: here the folder lies in another
// mount, whose program is stopped.
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>

#include "repo/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::uint64_t kFileBytes = 3 * kMiB;

// The errno that reading the first bytes of a file ends with, 0 if they can be read.
int failure_of_reading(const fs::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno;
  char byte = 0;
  return ::read(fd.get(), &byte, 1) == 1 ? 0 : errno;
}

bool has_stopped(pid_t pid) {
  for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    const std::string stat = read_file(thread.path() / "stat");
    // The state comes after the name, which may hold anything.
    if (stat.substr(stat.rfind(')'), 3) != ") T") return false;
  }
  return true;
}

class HungFolder : public ::testing::Test {
 protected:
  HungFolder() {
    fs::create_directories(dir_.path() / "source");
    write_file(dir_.path() / "source/file", random_bytes(1, kFileBytes));
    inside_.init();
    inside_.backup({"--tag", "app=inside", (dir_.path() / "source").string()});
    outside_.init();
    outside_.backup({"--tag", "app=outside", inside_.repository().string()});
    server_ = std::make_unique<Mounted>(outside_);
  }
  ~HungFolder() override { thaw(); }

  fs::path folder() const { return *server_ / "apps/outside/latest"; }
  // Only when all threads have stopped: on a busy machine others answer for a while yet.
  void freeze() const {
    server_->signal(SIGSTOP);
    ASSERT_TRUE(holds_within(60s, [&] { return has_stopped(server_->pid()); }));
  }
  void thaw() const { server_->signal(SIGCONT); }

  TempDir dir_;
  Restic inside_{dir_.path() / "inside"};
  Restic outside_{dir_.path() / "outside"};
  std::unique_ptr<Mounted> server_;
};

TEST_F(HungFolder, AReadOfAMountEndsByItsTimeLimit) {
  MountRequest request = mount_of(inside_, {"no_cache", "timeout=2"});
  request.location = folder().string();
  const Mounted mounted(request);
  const fs::path file = mounted / "apps/inside/latest/file";
  ASSERT_EQ(fs::file_size(file), kFileBytes);
  freeze();
  EXPECT_EQ(failure_of_reading(file), EIO);
  thaw();
  EXPECT_TRUE(holds_within(60s, [&] { return failure_of_reading(file) == 0; }));
  // Which call it was that got no answer, the read's own or one that was made ahead, is chance.
  EXPECT_THAT(mounted.log(), HasSubstr(folder().string() + ": no answer for "));
}

// Its message has to be there while the server hangs. The process itself ends with the kernel's own
// wait, which nothing can end where the folder is one of FUSE.
TEST_F(HungFolder, ACommandSaysWhatItWaitsForAndFails) {
  const fs::path complaints = dir_.path() / "complaints";
  Command command{.argv = {"sh", "-c", R"(exec "$0" "$@" 2>"$COMPLAINTS")", restree_path(), "-r",
                           folder().string(), "--no-lock", "--no-cache", "snapshots"},
                  .env = inside_.environment()};
  command.env.emplace_back("COMPLAINTS", complaints.string());
  freeze();
  Process process = Process::start(command);
  EXPECT_TRUE(holds_within(120s, [&] {
    return fs::exists(complaints) &&
           read_file(complaints).find("Its server may be away") != std::string::npos;
  }));
  thaw();
  EXPECT_EQ(process.wait(60s).exit_code, 1);
  EXPECT_THAT(read_file(complaints),
              HasSubstr("no answer in time from the file system of " + folder().string()));
}

}  // namespace
}  // namespace restree::testing
