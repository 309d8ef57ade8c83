// `restree restore` of a snapshot that restic wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <memory>

#include "tests/support/awkward_tree.h"
#include "tests/support/blob_map.h"
#include "tests/support/fidelity.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kNotBackedUp = {kSocketPath};

std::string newest_restic() { return all_restics().back(); }

// One repository with one snapshot of an awkward tree, for all tests.
class Restore : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    make_awkward_tree(shared_->source, {.beyond_restic_0_14 = newest_restic() != "restic"});
    shared_->restic.init();
    shared_->id = shared_->restic.backup({shared_->source.string()});
  }
  static void TearDownTestSuite() { shared_.reset(); }

  // Of the snapshot's one target.
  static std::string snapshot() { return shared_->id + ":" + shared_->source.string(); }
  Finished restore(std::vector<std::string> options, const std::string& what = snapshot()) const {
    std::vector<std::string> words = {"restore", what, "--target", target().string()};
    words.insert(words.end(), options.begin(), options.end());
    return RestreeProgram(restic()).run(std::move(words));
  }
  static const Restic& restic() { return shared_->restic; }
  static const fs::path& source() { return shared_->source; }
  fs::path target() const { return dir_.path() / "target"; }
  // Of everything but the root, which a restore of its content leaves alone.
  std::string differences_of_content() const {
    std::string all;
    for (const std::string& name : names_in(source())) {
      if (!fs::is_directory(fs::symlink_status(source() / name))) continue;
      const std::vector<std::string> ignored =
          name == "special" ? std::vector<std::string>{"socket"} : std::vector<std::string>{};
      all += differences(target() / name, source() / name, ignored);
    }
    return all;
  }

  // The targets themselves, which both programs leave as they are, aside.
  std::string differences_to(const fs::path& theirs) const {
    fs::last_write_time(target(), fs::last_write_time(theirs));
    return differences(target(), theirs);
  }

  TempDir dir_;

 private:
  struct Shared {
    TempDir dir;
    fs::path source = dir.path() / "source";
    Restic restic{dir.path() / "home", newest_restic()};
    std::string id;
  };
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<Restore::Shared> Restore::shared_;

TEST_F(Restore, TheWholeSnapshotEqualsTheSource) {
  const Finished done = restore({}, "latest");
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_EQ(differences(target().string() + source().string(), source(), kNotBackedUp), "");
}

TEST_F(Restore, ASubfolderIsRestoredByItself) {
  const Finished done = restore({});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_EQ(differences_of_content(), "");
}

TEST_F(Restore, EqualsWhatResticRestores) {
  restic().run_ok({"restore", "latest", "--target", (dir_.path() / "theirs").string()});
  ASSERT_TRUE(restore({}, "latest").ok());
  EXPECT_EQ(differences_to(dir_.path() / "theirs"), "");
}

TEST_F(Restore, ASecondTimeFindsNothingToWrite) {
  ASSERT_TRUE(restore({}).ok());
  const Finished again = restore({"--json"});
  ASSERT_TRUE(again.ok()) << again.report();
  EXPECT_THAT(again.out, ::testing::Not(HasSubstr("bytes_restored")));
  EXPECT_EQ(differences_of_content(), "");
}

TEST_F(Restore, FilesChangedInTheTargetArePutRight) {
  ASSERT_TRUE(restore({}).ok());
  flip_byte(target() / kBigPath, 7'000'000);
  fs::resize_file(target() / "sizes/5 MiB", kMiB);
  write_file(target() / "sizes/one byte", "much too long");
  fs::remove(target() / "links/relative");
  fs::create_directory(target() / "links/relative");
  fs::permissions(target() / "nested", fs::perms(0));
  ASSERT_TRUE(restore({}).ok());
  EXPECT_EQ(differences_of_content(), "");
}

TEST_F(Restore, GoesOnWhereItWasKilled) {
  for (const int delay_ms : {5, 40, 80, 160}) {
    Process process = RestreeProgram(restic()).start({"restore", snapshot(), "--target", target()});
    process.wait(std::chrono::milliseconds(delay_ms));  // kills it then
  }
  ASSERT_TRUE(restore({}).ok());
  EXPECT_EQ(differences_of_content(), "");
}

TEST_F(Restore, SigintEndsItWithCode130AndNoLock) {
  const auto before = names_in(restic().repository() / "locks");  // killed restores leave theirs
  // Slow enough not to end before the signal.
  Process process = RestreeProgram(restic()).start(
      {"restore", snapshot(), "--target", target(), "--limit-download", "64"});
  ASSERT_TRUE(
      holds_within(std::chrono::seconds(patient(60)), [&] { return fs::exists(target()); }));
  process.signal(SIGINT);
  const Finished done = process.wait(std::chrono::seconds(patient(60)));
  EXPECT_EQ(done.exit_code, 130) << done.report();
  EXPECT_EQ(names_in(restic().repository() / "locks"), before);
}

TEST_F(Restore, IncludeTakesOnlyMatchingPaths) {
  ASSERT_TRUE(restore({"--include", "*.txt", "--include", "/sizes/e*"}).ok());
  EXPECT_THAT(names_in(target()), ElementsAre("sizes"));
  EXPECT_THAT(names_in(target() / "sizes"), ElementsAre("empty"));
}

TEST_F(Restore, ExcludeLeavesOutMatchingPaths) {
  ASSERT_TRUE(restore({"--exclude", "crowd", "--exclude", "/sizes/*", "--iexclude", "NAMES"}).ok());
  EXPECT_THAT(names_in(target()), ElementsAre("links", "modes", "nested", "owners", "sizes",
                                              "special", "times", "xattrs"));
  EXPECT_THAT(names_in(target() / "sizes"), IsEmpty());
}

TEST_F(Restore, IncludesMakeTheSameTreeAsResticsDo) {
  for (const std::string pattern : {"/sizes", "file*", "/nested/deeper/*/file 1", "hard [12]"}) {
    fs::remove_all(dir_.path() / "theirs");
    fs::remove_all(target());
    // Both are there: what a new one is made with is another for each version of restic.
    fs::create_directories(dir_.path() / "theirs");
    fs::create_directories(target());
    restic().run_ok(
        {"restore", "latest", "--target", (dir_.path() / "theirs").string(), "--include", pattern});
    ASSERT_TRUE(restore({"--include", pattern}, "latest").ok());
    EXPECT_EQ(differences_to(dir_.path() / "theirs"), "") << pattern;
  }
}

TEST_F(Restore, DeleteMakesTheTargetTheSnapshot) {
  ASSERT_TRUE(restore({"--include", "/nested"}).ok());
  write_file(target() / "nested/deeper/extra", "x");
  write_file(target() / "extra", "x");
  const Finished done = restore({"--delete"});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_FALSE(fs::exists(target() / "nested/deeper/extra"));
  EXPECT_FALSE(fs::exists(target() / "extra"));
  EXPECT_EQ(differences_of_content(), "");
}

TEST_F(Restore, SparseFilesTakeLittleRoom) {
  ASSERT_TRUE(restore({"--sparse", "--include", "/sizes"}).ok());
  struct stat attributes {};
  ASSERT_EQ(::lstat((target() / kSparsePath).c_str(), &attributes), 0);
  EXPECT_LE(attributes.st_blocks * 512, 2 * std::int64_t(kMiB));
  EXPECT_EQ(differences(target() / "sizes", source() / "sizes"), "");
}

TEST_F(Restore, VerifyReadsBackTheWrittenFiles) {
  const Finished done = restore({"--verify", "--include", "/nested"});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("finished verifying 93 files in"));
}

TEST_F(Restore, DryRunReportsAndWritesNothing) {
  const Finished done = restore({"--dry-run", "-vv", "--include", "/nested/file 0"});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("restored  /nested/file 0 with size"));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(Restore, TheSummaryIsFieldForFieldRestics) {
  if (newest_restic() == "restic") GTEST_SKIP() << "restic 0.14 has no summary of a restore";
  const std::vector<std::string> words = {"restore", "latest", "--target",
                                          target(),  "--json", "-q"};
  const auto last_line = [](const std::string& text) {
    const std::size_t end = text.find_last_not_of('\n');
    const std::size_t begin = text.rfind('\n', end);
    std::string line = text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
    const std::size_t seconds = line.find("\"seconds_elapsed\"");
    if (seconds != std::string::npos) line.erase(seconds, line.find(',', seconds) + 1 - seconds);
    return line;
  };
  for (int round = 1; round <= 2; ++round) {
    fs::remove_all(dir_.path() / "theirs");
    const std::string theirs = last_line(restic().run_ok(words));
    if (round == 1) fs::remove_all(target());
    const std::string ours = last_line(RestreeProgram(restic()).run(words).out);
    EXPECT_EQ(ours, theirs) << round;
  }
}

TEST_F(Restore, WithoutATargetItSaysWhatIsMissing) {
  const Finished done = RestreeProgram(restic()).run({"restore", "latest"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("--target"));
}

TEST_F(Restore, AnUnknownSnapshotIsNamed) {
  const Finished done = restore({}, "abababab");
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("abababab"));
}

// --- Damage, in a repository of its own

TEST(RestoreOfDamage, AFileOfADamagedPackIsNamedAndTheRestIsThere) {
  const TempDir dir;
  const fs::path source = dir.path() / "source";
  fs::create_directories(source);
  // No chunk is larger than 8 MiB, so that there are three for any polynomial.
  write_random_file(source / "damaged", 1, 17 * kMiB);
  write_file(source / "small", "whole");
  const Restic restic(dir.path() / "home");
  restic.init();
  const std::string id = restic.backup({source.string()});
  const auto chunks = chunks_of(restic, id, source / "damaged");
  ASSERT_GE(chunks.size(), 3U);
  flip_byte(chunks[1].pack_path, chunks[1].pack_offset + 1000);
  const fs::path target = dir.path() / "target";
  const Finished done =
      RestreeProgram(restic).run({"restore", id + ":" + source.string(), "--target", target});
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, AllOf(HasSubstr("/damaged"), HasSubstr(chunks[1].pack.hex()),
                              HasSubstr("There were 1 errors")));
  EXPECT_THAT(read_file(target / "small"), Eq("whole"));
  const std::string whole = read_file(source / "damaged");
  std::string expected = whole;
  expected.replace(chunks[1].file_offset, chunks[1].plain_length, chunks[1].plain_length, '\0');
  EXPECT_TRUE(read_file(target / "damaged") == expected);
}

// --- A server that goes away in the middle

TEST(RestoreFromAServer, ThatGoesAwayDoesNotTouchFilesThatWereNotBegun) {
  const TempDir dir;
  const fs::path source = dir.path() / "source";
  fs::create_directories(source);
  write_random_file(source / "a large one", 1, 64 * kMiB);
  const Restic restic(dir.path() / "home");
  restic.init();
  restic.backup({source.string()});
  // In a pack of their own, whose turn comes after those of the large file.
  write_file(source / "there", "of the snapshot");
  write_file(source / "new", "of the snapshot, too");
  const std::string id = restic.backup({source.string()});
  const fs::path target = dir.path() / "target";
  fs::create_directories(target);
  write_file(target / "there", "mine, and longer than that of the snapshot");
  write_file(target / "mine", "not in the snapshot");

  Sshd sshd;
  // Slow enough to take some ten seconds, so that it is met in its middle.
  Process process =
      RestreeProgram(restic, sshd)
          .start({"restore", id + ":" + source.string(), "--target", target, "--no-cache",
                  "--delete", "--limit-download", "6144", "-o", "timeout=2"});
  ASSERT_TRUE(holds_within(std::chrono::seconds(patient(60)),
                           [&] { return fs::exists(target / "a large one"); }));
  sshd.stop();
  const Finished done = process.wait(std::chrono::seconds(patient(120)));
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, AllOf(HasSubstr("/a large one: incomplete"),
                              HasSubstr("files begun and not whole: 1, not begun and left as they "
                                        "were: 2")));
  EXPECT_THAT(names_in(target), ElementsAre("a large one", "mine", "there"));
  EXPECT_EQ(read_file(target / "there"), "mine, and longer than that of the snapshot");

  const Finished again =
      RestreeProgram(restic).run({"restore", id + ":" + source.string(), "--target", target});
  EXPECT_TRUE(again.ok()) << again.report();
  EXPECT_TRUE(read_file(target / "a large one") == read_file(source / "a large one"));
  EXPECT_EQ(read_file(target / "there"), "of the snapshot");
}

}  // namespace
}  // namespace restree::testing
