// Commands that read, while the storage cannot be reached and there is a cache.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using testing::TempDir;
using testing::TwoSnapshots;

class OfflineCommands : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) {
    words.insert(words.end(), {"--cache-dir", (dir_.path() / "cache").string()});
    return repository_.run(words);
  }
  std::string out(const std::vector<std::string>& words) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
    return outcome.out;
  }
  void switch_off() {
    const auto refuse = [](const FileName&) -> Status {
      return Error(ErrorKind::kUnavailable, "nas port 22: nobody there");
    };
    repository_.memory.storage().watch(refuse);
    repository_.memory.storage().watch_sizes(refuse);
    repository_.memory.storage().watch_writes(refuse);
  }
  fs::path target() const { return dir_.path() / "target"; }

  TempDir dir_;
  TwoSnapshots repository_;
};

TEST_F(OfflineCommands, PrintTheSameAsOnline) {
  const std::vector<std::vector<std::string>> commands = {
      {"snapshots"},
      {"ls", "latest", "--recursive"},
      {"ls", repository_.older},
      {"find", "g.txt"},
      {"dump", "latest", "/srv/f"},
      {"diff", repository_.older, repository_.newer},
      {"stats", "latest"},
  };
  std::vector<std::string> online;
  for (const auto& words : commands) online.push_back(out(words));
  switch_off();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Outcome offline = run(commands[i]);
    EXPECT_EQ(offline.code, ExitCode::kSuccess) << commands[i].front() << ": " << offline.err;
    EXPECT_EQ(offline.out, online[i]) << commands[i].front();
    EXPECT_THAT(offline.err, HasSubstr("only what the cache holds")) << commands[i].front();
  }
}

TEST_F(OfflineCommands, RestoreFromTheCache) {
  out({"dump", "latest", "/srv/f"});
  out({"ls", "latest", "--recursive"});
  switch_off();
  out({"restore", "latest", "--target", target().string()});
  EXPECT_EQ(testing::read_file(target() / "srv/g.txt"), "contentcontent");
}

TEST_F(OfflineCommands, FailIfTheCacheLacksTheData) {
  out({"ls", "latest"});
  switch_off();
  const Outcome outcome = run({"dump", "latest", "/srv/f"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("the server is away"));
}

TEST_F(OfflineCommands, ThatWriteNeedTheStorage) {
  out({"ls", "latest", "--recursive"});
  switch_off();
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"tag", "--add", "x", "latest"}, {"forget", repository_.older}, {"unlock"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << words.front();
    EXPECT_THAT(outcome.err, HasSubstr("nobody there")) << words.front();
    EXPECT_THAT(outcome.err, Not(HasSubstr("only what the cache holds"))) << words.front();
  }
}

TEST_F(OfflineCommands, KnowAWrongPassword) {
  out({"ls", "latest"});
  switch_off();
  const fs::path file = dir_.path() / "wrong";
  testing::write_file(file, "wrong");
  const Outcome outcome =
      testing::RestreeRunner(
          std::shared_ptr<Storage>(&repository_.memory.storage(), [](Storage*) {}))
          .run_bare({"-r", "memory", "--password-file", file.string(), "--cache-dir",
                     (dir_.path() / "cache").string(), "snapshots"});
  EXPECT_EQ(outcome.code, ExitCode::kWrongPassword) << outcome.err;
}

TEST_F(OfflineCommands, DoWithoutWhenTheCacheIsSwitchedOff) {
  out({"ls", "latest"});
  switch_off();
  const Outcome outcome = run({"snapshots", "--no-cache"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.out, IsEmpty());
}

}  // namespace
}  // namespace restree
