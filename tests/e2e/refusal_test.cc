// Under each command and the mount, the system refuses one call: every run ends with a message, without
// a lock, and not by a signal or never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
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

constexpr const char* kKinds[] = {"open", "write", "fsync", "rename", "mmap", "thread", "malloc"};
// A run that takes so long hangs: it takes tenths of a second otherwise.
constexpr std::chrono::seconds kHang{100};

struct CommandCase {
  std::string name;
  std::vector<std::string> words;
  bool changes = false;  // each run gets a repository of its own
};

// `source`, `target`: folders; `backup_id`: of a snapshot. Every command that opens a repository.
std::vector<CommandCase> all_cases(const std::string& source, const std::string& target,
                                   const std::string& backup_id) {
  return {{"backup", {"backup", source}, true},
          {"restore", {"restore", "latest", "--target", target}, true},
          {"forget", {"forget", "latest"}, true},
          {"tag", {"tag", "--add", "new", "latest"}, true},
          {"unlock", {"unlock"}, true},
          {"check", {"check", "--read-data"}},
          {"dump", {"dump", "latest", "/"}},
          {"ls", {"ls", "latest"}},
          {"find", {"find", "*"}},
          {"diff", {"diff", backup_id, backup_id}},
          {"stats", {"stats"}},
          {"snapshots", {"snapshots"}},
          {"list", {"list", "blobs"}},
          {"cat", {"cat", "config"}},
          {"key", {"key", "list"}}};
}

// Which of `count` calls to refuse: the first ones, where programs begin, and some of the rest.
std::vector<long> some_of(long count, long most) {
  std::set<long> calls;
  for (long i = 1; i <= std::min(count, most / 2); ++i) calls.insert(i);
  for (long i = 0; i < most - most / 2; ++i) {
    if (count > 0) calls.insert(count - i * count / (most - most / 2));
  }
  return {calls.begin(), calls.end()};
}

class Refusals : public ::testing::Test {
 protected:
  Refusals() {
    restic_.init();
    fs::create_directories(path("source/folder"));
    write_random_file(path("source/large"), 1, 3 << 20);
    for (unsigned i = 0; i < 20; ++i) {
      write_random_file(path("source/folder/" + std::to_string(i)), 2 + i, 5000);
    }
    backup_id_ = restree_.backup({path("source")});
    write_random_file(path("source/new"), 99, 2 << 20);
    fs::rename(restic_.repository(), path("pristine"));
  }

  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }

  void renew_repository() const {
    fs::remove_all(path("target"));
    fs::remove_all(restic_.repository());
    fs::copy(path("pristine"), restic_.repository(), fs::copy_options::recursive);
  }
  Command refusing(Command command, const std::string& what) const {
    command.env.emplace_back("LD_PRELOAD", built_library());
    command.env.emplace_back("RESTREE_REFUSE", what);
    command.env.emplace_back("RESTREE_REFUSE_COUNT", path("count"));
    return command;
  }
  static std::string built_library() { return built_program("librefusing.so"); }
  std::map<std::string, long> counted() const {
    std::map<std::string, long> counts;
    std::ifstream file(path("count"));
    std::string kind;
    for (long count = 0; file >> kind >> count;) counts[kind] = count;
    return counts;
  }
  bool has_locks() const { return !fs::is_empty(restic_.repository() / "locks"); }

  Finished run_refused(const CommandCase& one, const std::string& what) const {
    return Process::start(refusing(restree_.command(one.words), what)).wait(kHang);
  }

  // Whether the run ended as it must; else how.
  ::testing::AssertionResult ended_well(const Finished& done, const std::string& what) const {
    const auto wrong = [&](const std::string& why) {
      return ::testing::AssertionFailure() << what << ": " << why << "\n" << done.report();
    };
    if (done.timed_out) return wrong("it hangs");
    static const std::set<int> codes = {0, 1, 3, 10, 11, 12};
    if (!codes.contains(done.exit_code)) return wrong("it crashed");
    if (done.exit_code != 0 && done.err.empty()) return wrong("not a word was said");
    if (has_locks()) return wrong("its lock is left");
    return ::testing::AssertionSuccess();
  }

  void refuse_each(const CommandCase& one, long most) {
    renew_repository();
    ASSERT_TRUE(run_refused(one, "nothing:0").ok()) << one.name;
    const auto counts = counted();
    ASSERT_EQ(counts.size(), std::size(kKinds));
    for (const std::string kind : kKinds) {
      for (const long call : some_of(counts.at(kind), most)) {
        if (one.changes || has_locks()) renew_repository();
        const std::string what = kind + ":" + std::to_string(call);
        const Finished done = run_refused(one, what);
        EXPECT_TRUE(ended_well(done, one.name + " " + what));
        if (one.name == "backup" && done.exit_code == 0) {
          EXPECT_EQ(snapshots(), 2) << what << done.report();
        }
        if (one.name == "backup" && call % 4 == 0) {
          EXPECT_TRUE(restree_.run({"check"}).ok()) << what;
        }
      }
    }
  }
  std::ptrdiff_t snapshots() const {
    const fs::directory_iterator files(restic_.repository() / "snapshots");
    return std::distance(fs::begin(files), fs::end(files));
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
  const RestreeProgram restree_{restic_};
  std::string backup_id_;
};

TEST_F(Refusals, EveryCommandEndsInOrder) {
  for (const CommandCase& one : all_cases(path("source"), path("target"), backup_id_)) {
    refuse_each(one, one.changes ? 6 : 3);
  }
}

TEST_F(Refusals, MakingARepositoryEndsInOrder) {
  const CommandCase init{"init", {"init"}};
  fs::remove_all(restic_.repository());
  ASSERT_TRUE(run_refused(init, "nothing:0").ok());
  const auto counts = counted();
  for (const std::string kind : kKinds) {
    for (const long call : some_of(counts.at(kind), 4)) {
      fs::remove_all(restic_.repository());
      const std::string what = kind + ":" + std::to_string(call);
      const Finished done = run_refused(init, what);
      EXPECT_FALSE(done.timed_out) << what;
      EXPECT_LT(done.exit_code, 4) << what << done.report();
      EXPECT_TRUE(done.exit_code == 0 || !done.err.empty()) << what;
    }
  }
}

// A mount in the foreground under one refusal, from which all is read and which is then unmounted.
class RefusedMount {
 public:
  RefusedMount(const Command& command, fs::path mount_point)
      : mount_point_(std::move(mount_point)), process_(Process::start(command)) {}
  ~RefusedMount() { run({.argv = {"fusermount3", "-u", "-z", "-q", mount_point_.string()}}); }

  // Reads as long as it is mounted; what fails to be read is not looked at here.
  Finished read_and_end() {
    const bool settled = holds_within(
        kHang, [&] { return !mount_line(mount_point_).empty() || !process_.running(); });
    EXPECT_TRUE(settled);
    if (process_.running()) {
      // It ends if the mount answers, with whatever, and else hangs.
      const Finished read = run({.argv = {"tar", "cf", "/dev/null", "-C", mount_point_.string(),
                                          "--ignore-failed-read", "ids"},
                                 .timeout = kHang});
      EXPECT_FALSE(read.timed_out) << read.report();
      run({.argv = {"fusermount3", "-u", "-q", mount_point_.string()}});
    }
    return process_.wait(kHang);
  }

 private:
  const fs::path mount_point_;
  Process process_;
};

TEST_F(Refusals, TheMountEndsInOrder) {
  renew_repository();
  fs::create_directory(path("mnt"));
  const auto mounted = [&](const std::string& what) {
    Command command = restree_.command({});
    command.argv = {
        restreefs_path(), restic_.repository().string(), path("mnt"), "-f", "-o", "lock"};
    command.env.emplace_back("RESTIC_PASSWORD", kPassword);
    RefusedMount mount(refusing(std::move(command), what), path("mnt"));
    return mount.read_and_end();
  };
  ASSERT_TRUE(mounted("nothing:0").ok());
  const auto counts = counted();
  for (const std::string kind : kKinds) {
    for (const long call : some_of(counts.at(kind), 4)) {
      const std::string what = kind + ":" + std::to_string(call);
      EXPECT_TRUE(ended_well(mounted(what), "mount " + what));
      EXPECT_EQ(mount_line(path("mnt")), "") << what;
    }
  }
}

}  // namespace
}  // namespace restree::testing
