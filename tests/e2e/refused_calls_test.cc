// Kernels of 4.19 lack system calls of later ones, and filters of containers refuse some: every command
// and the mount have another way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

// A run takes tenths of a second.
constexpr std::chrono::seconds kHang{100};

struct NewCall {
  const char* name;
  long number;  // the same for every processor where the headers may not have it yet
};
const std::vector<NewCall> kNewCalls = {{"renameat2", SYS_renameat2},
                                        {"getrandom", SYS_getrandom},
                                        {"memfd_create", SYS_memfd_create},
                                        {"copy_file_range", SYS_copy_file_range},
                                        {"preadv2", SYS_preadv2},
                                        {"pwritev2", SYS_pwritev2},
                                        {"statx", SYS_statx},
                                        {"pidfd_send_signal", 424},
                                        {"io_uring_setup", 425},
                                        {"pidfd_open", 434},
                                        {"close_range", 436},
                                        {"openat2", 437},
                                        {"faccessat2", 439},
                                        {"epoll_pwait2", 441},
                                        {"fchmodat2", 452},
                                        {"setxattrat", 463},
                                        {"getxattrat", 464},
                                        {"listxattrat", 465},
                                        {"removexattrat", 466}};
// With EPERM no program can start a thread: the C library goes on only if it is not there.
const NewCall kClone3{"clone3", 435};

std::string all_numbers() {
  std::string numbers;
  for (const NewCall& call : kNewCalls) {
    numbers += (numbers.empty() ? "" : ",") + std::to_string(call.number);
  }
  return numbers;
}

class RefusedCalls : public ::testing::Test {
 protected:
  RefusedCalls() {
    restic_.init();
    fs::create_directories(path("source/folder"));
    write_random_file(path("source/large"), 1, 3 << 20);
    for (unsigned i = 0; i < 5; ++i) {
      write_random_file(path("source/folder/" + std::to_string(i)), 2 + i, 5000);
    }
    fs::create_symlink("large", path("source/link"));
    const std::string large = path("source/large");
    EXPECT_EQ(::setxattr(large.c_str(), "user.note", "kept", 4, 0), 0);
    restree_.backup({path("source")});
    fs::create_directory(path("mnt"));
  }

  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }

  static Command refused(Command command, int error, const std::string& numbers) {
    command.argv.insert(command.argv.begin(),
                        {built_program("refusing_calls"), std::to_string(error), numbers});
    command.timeout = kHang;
    return command;
  }
  void expect_right(const std::vector<std::string>& words, int error, const std::string& numbers) {
    const Finished done = run(refused(restree_.command(words), error, numbers));
    EXPECT_TRUE(done.ok()) << words[0] << ", errno " << error << " for " << numbers << "\n"
                           << done.report();
  }
  // Commands whose work goes beyond reading the repository.
  void expect_most_work_done(int error, const std::string& numbers) {
    expect_right({"backup", path("source"), "--force"}, error, numbers);
    fs::remove_all(path("target"));
    expect_right({"restore", "latest:" + path("source"), "--target", path("target")}, error,
                 numbers);
    expect_same_files(path("target"));
    expect_right({"backup", "--stdin-from-command", "--", "echo", "hello"}, error, numbers);
    expect_right({"forget", "latest"}, error, numbers);  // of those, the last
    expect_right({"--password-command", std::string("echo ") + kPassword, "snapshots"}, error,
                 numbers);
  }
  void expect_mount_reads_all(int error, const std::string& numbers) {
    Command command = restree_.command({});
    command.argv = {restreefs_path(), restic_.repository().string(), path("mnt"), "-f"};
    command.env.emplace_back("RESTIC_PASSWORD", kPassword);
    Process process = Process::start(refused(std::move(command), error, numbers));
    EXPECT_TRUE(holds_within(
        kHang, [&] { return !mount_line(path("mnt")).empty() || !process.running(); }));
    expect_same_files(path("mnt/snapshots/latest") + path("source"));
    run({.argv = {"fusermount3", "-u", "-q", path("mnt")}});
    const Finished done = process.wait(kHang);
    EXPECT_TRUE(done.ok()) << "errno " << error << " for " << numbers << "\n" << done.report();
    run({.argv = {"fusermount3", "-u", "-z", "-q", path("mnt")}});
  }
  void expect_same_files(const std::string& copy) {
    const Finished same =
        run({.argv = {"diff", "-r", "--no-dereference", path("source"), copy}, .timeout = kHang});
    EXPECT_TRUE(same.ok()) << same.report();
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
  const RestreeProgram restree_{restic_};
};

TEST_F(RefusedCalls, EachAloneIsDoneWithout) {
  for (const NewCall& call : kNewCalls) {
    SCOPED_TRACE(call.name);
    for (const int error : {ENOSYS, EPERM}) {
      expect_most_work_done(error, std::to_string(call.number));
      expect_mount_reads_all(error, std::to_string(call.number));
    }
  }
  expect_most_work_done(ENOSYS, std::to_string(kClone3.number));
  expect_mount_reads_all(ENOSYS, std::to_string(kClone3.number));
}

TEST_F(RefusedCalls, EveryCommandDoesWithoutAllOfThem) {
  const std::vector<std::vector<std::string>> commands = {{"check", "--read-data"},
                                                          {"ls", "latest"},
                                                          {"dump", "latest", path("source")},
                                                          {"find", "large"},
                                                          {"stats"},
                                                          {"tag", "--add", "new", "latest"},
                                                          {"unlock"},
                                                          {"list", "blobs"},
                                                          {"cat", "config"},
                                                          {"key", "list"},
                                                          {"cache"},
                                                          {"version"}};
  for (const int error : {ENOSYS, EPERM}) {
    for (const auto& words : commands) expect_right(words, error, all_numbers());
    expect_most_work_done(error, all_numbers());
    expect_mount_reads_all(error, all_numbers());
  }
}

}  // namespace
}  // namespace restree::testing
