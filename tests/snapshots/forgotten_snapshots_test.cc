#include "repo/snapshots/forgotten_snapshots.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "repo/crypto/sha256.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::read_file;
using ::testing::SizeIs;
using testing::TempDir;
using testing::value_of;
using testing::write_file;

class ForgottenSnapshots : public ::testing::Test {
 protected:
  static ForgottenSnapshot sealed(std::string_view content) {
    ForgottenSnapshot snapshot{{}, Bytes::copy_of(as_bytes(content))};
    snapshot.id.bytes = sha256(snapshot.sealed);
    return snapshot;
  }
  static ForgottenRun run_of(const std::string& time, std::vector<std::string> contents) {
    ForgottenRun run{forgotten_run_name(value_of(parse_timestamp(time))), {}};
    for (const std::string& content : contents) run.snapshots.push_back(sealed(content));
    return run;
  }
  std::vector<std::string> contents_of(const std::string& name) const {
    std::vector<std::string> contents;
    const ForgottenRun run = value_of(read_forgotten_run(folder_, name));
    for (const ForgottenSnapshot& one : run.snapshots) {
      contents.emplace_back(as_text(one.sealed.view()));
    }
    return contents;
  }
  static unsigned mode_of(const std::string& path) {
    struct stat attributes {};
    EXPECT_EQ(::stat(path.c_str(), &attributes), 0) << path;
    return attributes.st_mode & 07777;
  }

  TempDir dir_;
  const std::string folder_ = (dir_.path() / "state" / "forgotten").string();
};

TEST_F(ForgottenSnapshots, AreReadAsTheyWereWritten) {
  const ForgottenRun run =
      run_of("2026-11-30T12:03:04.000000005Z", {"one\n", "", std::string("\0two\n64 1\n", 10)});
  EXPECT_EQ(run.name, "20261130T120304.000000005Z");
  ASSERT_OK(write_forgotten_run(folder_, run));
  EXPECT_THAT(value_of(list_forgotten_runs(folder_)), ElementsAre(run.name));
  EXPECT_THAT(contents_of(run.name), ElementsAre("one\n", "", std::string("\0two\n64 1\n", 10)));
  EXPECT_EQ(value_of(read_forgotten_run(folder_, run.name)).snapshots[0].id, run.snapshots[0].id);
}

TEST_F(ForgottenSnapshots, AreTheirOwnersAlone) {
  const ForgottenRun run = run_of("2026-11-30T12:03:04Z", {"one"});
  ASSERT_OK(write_forgotten_run(folder_, run));
  EXPECT_EQ(mode_of(folder_), 0700U);
  EXPECT_EQ(mode_of(folder_ + "/" + run.name), 0600U);
}

TEST_F(ForgottenSnapshots, OfARunWithoutAnyAreNoFile) {
  ForgottenRun run = run_of("2026-11-30T12:03:04Z", {"one", "two"});
  ASSERT_OK(write_forgotten_run(folder_, run));
  run.snapshots.pop_back();
  ASSERT_OK(write_forgotten_run(folder_, run));
  EXPECT_THAT(contents_of(run.name), ElementsAre("one"));
  run.snapshots.clear();
  ASSERT_OK(write_forgotten_run(folder_, run));
  EXPECT_THAT(value_of(list_forgotten_runs(folder_)), IsEmpty());
  EXPECT_OK(write_forgotten_run(folder_, run));
}

TEST_F(ForgottenSnapshots, ComeInTheOrderOfTheirRuns) {
  for (const char* time : {"2026-11-30T12:03:04.5Z", "2026-11-30T12:03:04.05Z",
                           "2025-01-01T00:00:00Z", "2026-11-30T12:03:05Z"}) {
    ASSERT_OK(write_forgotten_run(folder_, run_of(time, {"one"})));
  }
  write_file(folder_ + "/notes", "not a run");
  EXPECT_THAT(value_of(list_forgotten_runs(folder_)),
              ElementsAre("20250101T000000.000000000Z", "20261130T120304.050000000Z",
                          "20261130T120304.500000000Z", "20261130T120305.000000000Z"));
}

TEST_F(ForgottenSnapshots, AreDroppedBeforeATime) {
  for (const char* time :
       {"2026-10-30T12:00:00Z", "2026-10-31T12:00:00Z", "2026-11-30T12:00:00Z"}) {
    ASSERT_OK(write_forgotten_run(folder_, run_of(time, {"one"})));
  }
  const Timestamp time = value_of(parse_timestamp("2026-10-31T12:00:00Z"));
  EXPECT_EQ(value_of(drop_forgotten_before(folder_, time)), 1U);
  EXPECT_THAT(value_of(list_forgotten_runs(folder_)), SizeIs(2));
  EXPECT_EQ(value_of(drop_forgotten_before(folder_ + "/nowhere", time)), 0U);
}

TEST_F(ForgottenSnapshots, ThatAreDamagedAreRefused) {
  const ForgottenRun run = run_of("2026-11-30T12:03:04Z", {"a snapshot", "another one"});
  ASSERT_OK(write_forgotten_run(folder_, run));
  const std::string path = folder_ + "/" + run.name;
  const std::string whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(path, whole.substr(0, length));
    const auto read = read_forgotten_run(folder_, run.name);
    // Cut off behind the head or a snapshot, a file is whole.
    if (read) {
      EXPECT_LT(read->snapshots.size(), 2U) << length;
      continue;
    }
    EXPECT_THAT(read, FailsWith(ErrorKind::kCorrupt)) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write_file(path, damaged);
    EXPECT_THAT(read_forgotten_run(folder_, run.name), FailsWith(ErrorKind::kCorrupt)) << at;
  }
}

}  // namespace
}  // namespace restree
