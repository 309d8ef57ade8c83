// A second repository, which restic has made and filled: mounts and commands read from it what the first
// one has lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/line_ends.h"
#include "tests/support/mounted.h"
#include "tests/support/quick_key.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/status_fields.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Strings = std::vector<std::string>;

constexpr const char* kOtherPassword = "another password";

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++found;
  return found;
}

class SecondRepository : public ::testing::Test {
 protected:
  // Both repositories are made once, and each test damages a copy of the first.
  static void SetUpTestSuite() {
    made_ = std::make_unique<TempDir>();
    fs::create_directories(app() / "small" / "deep" / "deeper");
    for (int i = 0; i < 40; ++i) {
      write_random_file(app() / "small" / std::to_string(i), static_cast<std::uint64_t>(i), 20'000);
    }
    write_file(app() / "small" / "deep" / "deeper" / "file", "deep");
    // More than five packs: restic ends one once it has 4 MiB, and a chunk has 8 at most.
    write_random_file(app() / "large", 77, 64 * kMiB);
    fs::create_hard_link(app() / "large", app() / "small" / "linked");
    fs::create_symlink("../large", app() / "small" / "link");
    const Restic first(made_->path() / "home");
    first.init();
    first.run_ok({"backup", "--pack-size", "4", "app"}, made_->path());
    const Restic second(made_->path() / "second");
    fs::create_directories(second.repository().parent_path());
    write_file(password_file(), kOtherPassword);
    for (const Strings& words :
         {Strings{"restic", "init", "--copy-chunker-params"}, Strings{"restic", "copy"}}) {
      Command command{.argv = words, .env = second.environment()};
      command.argv.insert(command.argv.end(), {"--from-repo", first.repository().string()});
      command.env.emplace_back("RESTIC_PASSWORD", kOtherPassword);
      command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
      run_ok(command);
    }
    make_key_quick(second.repository(), kOtherPassword);
  }
  static void TearDownTestSuite() { made_.reset(); }

  SecondRepository() {
    fs::copy(made_->path() / "home", dir_.path() / "home", fs::copy_options::recursive);
  }

  static fs::path app() { return made_->path() / "app"; }
  static fs::path password_file() { return made_->path() / "other-password"; }
  static std::string second() { return Restic(made_->path() / "second").repository().string(); }

  // Of four packs one is deleted and one has a flipped byte in each of its parts. The smallest packs
  // have the trees.
  void damage_packs() const {
    std::vector<fs::path> packs = files_below(first_.repository() / "data");
    std::ranges::sort(packs, {}, [](const fs::path& pack) { return fs::file_size(pack); });
    ASSERT_GT(packs.size(), 5U);
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (i % 4 == 0) fs::remove(packs[i]);
      if (i % 4 != 1) continue;
      for (std::uint64_t at = 100; at < fs::file_size(packs[i]); at += 300'000) {
        flip_byte(packs[i], at);
      }
    }
  }
  void lose(const std::string& folder) const {
    for (const fs::path& file : files_below(first_.repository() / folder)) fs::remove(file);
  }

  Mounted mount(const std::string& second, Strings options = {}) const {
    options.insert(options.end(),
                   {"second=" + second, "second_password_file=" + password_file().string()});
    return Mounted(first_, std::move(options));
  }
  Finished run_with(const std::string& second, Strings words) const {
    words.insert(words.end(),
                 {"--second", second, "--second-password-file", password_file().string()});
    return RestreeProgram(first_).run(std::move(words));
  }
  Finished restore(const std::string& second) const {
    return run_with(second, {"restore", "latest", "--target", target().string()});
  }
  fs::path target() const { return dir_.path() / "target"; }
  // What `cp -a` makes of the snapshot in a mount.
  std::string differences_of_copy(const Mounted& mounted) const {
    const fs::path copy = dir_.path() / "copy";
    run_ok({.argv = {"cp", "-a", (mounted / "snapshots/latest/app").string(), copy.string()}});
    return differences(copy, app());
  }

  static inline std::unique_ptr<TempDir> made_;
  TempDir dir_;
  Restic first_{dir_.path() / "home"};
};

TEST_F(SecondRepository, IsNotAskedForAnythingWhileTheFirstIsWhole) {
  const std::string nowhere = (dir_.path() / "nowhere").string();
  const Mounted mounted = mount(nowhere);
  EXPECT_EQ(differences_of_copy(mounted), "");
  EXPECT_EQ(status_fields(read_file(mounted / ".restree/status")).at("second_blobs"), "0");
  EXPECT_THAT(mounted.log(), IsEmpty());
  const Finished restored = restore(nowhere);
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_THAT(restored.err, IsEmpty());
  EXPECT_EQ(differences(target() / "app", app()), "");
}

TEST_F(SecondRepository, GivesAMountWhatIsLostAndDamaged) {
  damage_packs();
  const Mounted mounted = mount(second());
  EXPECT_EQ(differences_of_copy(mounted), "");
  EXPECT_NE(status_fields(read_file(mounted / ".restree/status")).at("second_blobs"), "0");
  EXPECT_EQ(count(mounted.log(), second()), 1U) << mounted.log();
}

TEST_F(SecondRepository, GivesARestoreWhatIsLostAndDamaged) {
  damage_packs();
  const Finished restored = restore(second());
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_EQ(differences(target() / "app", app()), "");
  EXPECT_EQ(count(restored.err, second()), 1U) << restored.err;
}

TEST_F(SecondRepository, GivesAllWhereOnlySnapshotsAreLeft) {
  lose("data");
  lose("index");
  const Mounted mounted = mount(second());
  EXPECT_EQ(differences_of_copy(mounted), "");
  const Finished salvaged =
      run_with(second(), {"salvage", "latest", "--target", target().string()});
  EXPECT_TRUE(salvaged.ok()) << salvaged.report();
  const Strings salvages = names_in(target());
  ASSERT_EQ(salvages.size(), 1U);
  EXPECT_EQ(differences(target() / salvages[0] / "app", app()), "");
  const Finished dumped = run_with(second(), {"dump", "latest", "/app/large"});
  EXPECT_TRUE(dumped.out == read_file(app() / "large")) << dumped.err;
  const Finished listed = run_with(second(), {"ls", "latest"});
  EXPECT_THAT(listed.out, HasSubstr("/app/small/deep/deeper/file\n")) << listed.err;
  const std::string snapshot = names_in(first_.repository() / "snapshots").at(0);
  const Finished tree = run_with(second(), {"cat", "tree", snapshot});
  EXPECT_THAT(tree.out, HasSubstr("\"app\"")) << tree.err;
}

TEST_F(SecondRepository, ThatIsAwayLeavesTheFirstErrorAndIsNamedOnce) {
  lose("data");
  const std::string nowhere = (dir_.path() / "nowhere").string();
  {
    const Mounted mounted = mount(nowhere);
    EXPECT_EQ(errno_of_reading(mounted / "snapshots/latest/app"), EIO);
    EXPECT_EQ(errno_of_reading(mounted / "snapshots/latest/app/large"), EIO);
    EXPECT_EQ(count(mounted.log(), "the second repository " + nowhere + " cannot be opened"), 1U)
        << mounted.log();
  }
  const Finished restored = restore(nowhere);
  EXPECT_FALSE(restored.ok());
  EXPECT_THAT(restored.err,
              AllOf(HasSubstr("the second repository " + nowhere + " cannot be opened"),
                    HasSubstr("tree blob ")));
}

TEST_F(SecondRepository, ThatNeverAnswersHoldsUpNoReadAndNotTheEnd) {
  lose("data");
  const Listener silent;
  const std::string where = "sftp://nobody@127.0.0.1:" + std::to_string(silent.port()) + "//b";
  Mounted mounted = mount(where, {"timeout=2"});
  EXPECT_EQ(errno_of_reading(mounted / "snapshots/latest/app"), EIO);
  EXPECT_EQ(errno_of_reading(mounted / "snapshots/latest/app/large"), EIO);
  EXPECT_TRUE(holds_within(std::chrono::seconds(patient(20)), [&] {
    return count(mounted.log(), "the second repository " + where + " cannot be opened") == 1;
  })) << mounted.log();
  mounted.unmount();
}

TEST_F(SecondRepository, NeedsAPasswordThatIsNamed) {
  const Finished refused = RestreeProgram(first_).run(
      {"restore", "latest", "--target", target().string(), "--second", second()});
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, AllOf(HasSubstr("password of the second repository"),
                                 HasSubstr("RESTREE_SECOND_PASSWORD_FILE")));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(SecondRepository, CanBeNamedByVariables) {
  lose("data");
  Command command =
      RestreeProgram(first_).command({"restore", "latest", "--target", target().string()});
  command.env.emplace_back("RESTREE_SECOND_REPOSITORY", second());
  command.env.emplace_back("RESTREE_SECOND_PASSWORD", kOtherPassword);
  const Finished restored = testing::run(command);
  EXPECT_TRUE(restored.ok()) << restored.report();
  EXPECT_EQ(differences(target() / "app", app()), "");
}

}  // namespace
}  // namespace restree::testing
