// Where a mount takes the repository and its password from, how fast it reads, and where the
// password does not show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/mounting_fixture.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Mounting, ThePasswordCanComeFromFilesAndCommands) {
  const std::string file = password_file();
  const std::vector<MountRequest> requests = {
      {.location = {},
       .options = {"password_file=" + file},
       .env = {},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {"password_command=cat " + file},
       .env = {},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {},
       .env = {{"RESTIC_PASSWORD_FILE", file}},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {},
       .env = {{"RESTIC_PASSWORD_COMMAND", "cat '" + file + "'"}},
       .mount_point = {},
       .cache = {}},
  };
  for (MountRequest request : requests) {
    request.location = restic().repository().string();
    request.env.emplace_back("RESTIC_PASSWORD", std::nullopt);
    const Mounted mounted(request);
    expect_works(mounted);
  }
}

TEST_F(Mounting, WithoutPasswordAndTerminalItSaysSo) {
  MountRequest request = mount_of(restic());
  request.env = {{"RESTIC_PASSWORD", std::nullopt}};
  const Finished refused = try_mount(request);
  EXPECT_FALSE(refused.timed_out);
  EXPECT_THAT(refused.exit_code, ::testing::AnyOf(1, 12)) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("password"));
}

TEST_F(Mounting, AFailingPasswordCommandIsNamed) {
  MountRequest request = mount_of(restic(), {"password_command=false"});
  request.env = {{"RESTIC_PASSWORD", std::nullopt}};
  const Finished refused = try_mount(request);
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("false"));
}

TEST_F(Mounting, TheRepositoryCanComeFromTheEnvironment) {
  write_file(dir_->path() / "location", restic().repository().string() + "\n");
  const std::vector<std::pair<std::string, std::string>> places = {
      {"RESTIC_REPOSITORY", restic().repository().string()},
      {"RESTIC_REPOSITORY_FILE", (dir_->path() / "location").string()}};
  for (const auto& place : places) {
    SCOPED_TRACE(place.first);
    const TempDir here;
    const fs::path on = mount_point();
    Command command = mount_command(mount_of(restic()), here.path(), on);
    command.argv.erase(command.argv.begin() + 1);
    command.env.emplace_back(place.first, place.second);
    adopt_daemons();
    const Finished started = run(command);
    ASSERT_TRUE(started.ok()) << started.report();
    expect_works(*Mounted::by_others(on));
  }
}

TEST_F(Mounting, LocalPathsMayBeWrittenAsResticWritesThem) {
  MountRequest request = mount_of(restic());
  request.location = "local:" + restic().repository().string();
  const Mounted mounted(request);
  expect_works(mounted);
}

TEST_F(Mounting, ReadsNoFasterThanItsLimit) {
  const Mounted mounted(restic(), {"limit_download=4096"});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(errno_of_reading(mounted / "apps/a/latest/large"), 0);  // 8 MiB
  EXPECT_GT(std::chrono::steady_clock::now() - begin, seconds(1));
}

TEST_F(Mounting, ThePasswordIsNotOnTheCommandLineNorInTheLog) {
  const Mounted mounted(restic(), {"password_file=" + password_file()});
  const std::string proc = "/proc/" + std::to_string(mounted.pid());
  EXPECT_THAT(read_file(proc + "/cmdline"), Not(HasSubstr("battery")));
  EXPECT_THAT(mounted.log(), Not(HasSubstr("battery")));
}

}  // namespace
}  // namespace restree::testing
