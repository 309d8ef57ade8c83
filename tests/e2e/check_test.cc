// `restree check` finds what `restic check` finds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/blob_map.h"
#include "tests/support/files.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Check : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(source_ / "folder");
    write_random_file(source_ / "big", 1, 9 * kMiB);
    write_file(source_ / "folder/small", "a small file");
    restic_.init();
    snapshot_ = restic_.backup({source_.string()});
    chunks_ = chunks_of(restic_, snapshot_, source_ / "big");
    folder_ = tree_of(restic_, snapshot_, source_ / "folder");
  }

  // Both programs find the same errors; ours prints these words.
  void expect_both_find(const std::string& words, const std::vector<std::string>& options) {
    std::vector<std::string> command = {"check"};
    command.insert(command.end(), options.begin(), options.end());
    const Finished theirs = restic_.run(command);
    EXPECT_EQ(theirs.exit_code, 1) << theirs.report();
    const Finished ours = RestreeProgram(restic_).run(command);
    EXPECT_EQ(ours.exit_code, 1) << ours.report();
    EXPECT_THAT(ours.err, HasSubstr(words));
    EXPECT_THAT(ours.err, HasSubstr("Fatal: repository contains errors"));
  }

  TempDir dir_;
  fs::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home", GetParam()};
  std::string snapshot_;
  std::vector<BlobPlace> chunks_;
  BlobPlace folder_;
};
INSTANTIATE_TEST_SUITE_P(Restics, Check, ::testing::ValuesIn(all_restics()), restic_name);

TEST_P(Check, FindsNothingWrongWithARepositoryOfRestic) {
  for (const char* option : {"--read-data", "--read-data-subset=1/1", "--read-data-subset=50%"}) {
    const Finished done = RestreeProgram(restic_).run({"check", option});
    EXPECT_TRUE(done.ok()) << done.report();
    EXPECT_THAT(done.out, HasSubstr("no errors were found"));
    EXPECT_THAT(done.err, IsEmpty());
  }
  EXPECT_THAT(names_in(restic_.repository() / "locks"), IsEmpty());
}

TEST_P(Check, AFlippedByteInADataPack) {
  flip_byte(chunks_[1].pack_path, chunks_[1].pack_offset + 1000);
  EXPECT_TRUE(RestreeProgram(restic_).run({"check"}).ok());
  expect_both_find("restree repair packs " + chunks_[1].pack.hex(), {"--read-data"});
}

TEST_P(Check, AFlippedByteInATreePack) {
  flip_byte(folder_.pack_path, folder_.pack_offset + 40);
  expect_both_find("error for tree " + folder_.id.short_hex(), {});
}

TEST_P(Check, AMissingPack) {
  fs::remove(chunks_[0].pack_path);
  expect_both_find(chunks_[0].pack.hex() + ": does not exist", {});
}

TEST_P(Check, ATruncatedPack) {
  fs::permissions(chunks_[0].pack_path, fs::perms(0600));
  fs::resize_file(chunks_[0].pack_path, fs::file_size(chunks_[0].pack_path) - 10);
  expect_both_find(chunks_[0].pack.hex() + ": unexpected file size", {});
}

TEST_P(Check, AFlippedByteInAnIndex) {
  const fs::path index = files_below(restic_.repository() / "index").at(0);
  flip_byte(index, 100);
  expect_both_find(index.filename().string(), {});
}

TEST_P(Check, AFlippedByteInASnapshot) {
  const fs::path snapshot = files_below(restic_.repository() / "snapshots").at(0);
  flip_byte(snapshot, 50);
  expect_both_find(snapshot.filename().string(), {});
}

TEST_P(Check, AnIndexThatIsGone) {
  for (const fs::path& index : files_below(restic_.repository() / "index")) fs::remove(index);
  expect_both_find("is in no index", {});
}

TEST_P(Check, SaysWhichFilesOfWhichSnapshotsAreHit) {
  write_file(source_ / "folder/small", "another small file");
  const std::string newer = restic_.backup({source_.string()});
  const std::string path = source_.string() + "/big";
  flip_byte(chunks_[1].pack_path, chunks_[1].pack_offset + 1000);
  const Finished found = RestreeProgram(restic_).run({"check", "--read-data"});
  EXPECT_EQ(found.exit_code, 1) << found.report();
  EXPECT_THAT(found.err, HasSubstr("pack " + chunks_[1].pack.hex() + ": 1 of its "));
  EXPECT_THAT(found.err, HasSubstr("data " + chunks_[1].id.hex() + " in pack "));
  EXPECT_THAT(found.err, HasSubstr("app source: 2 of 2 snapshots"));
  EXPECT_THAT(found.err, HasSubstr("snapshots " + newer + " " + snapshot_ + " ("));
  EXPECT_THAT(found.err, HasSubstr("\n    " + path + "\n"));
  EXPECT_THAT(found.err, Not(HasSubstr("folder/small")));
}

TEST_P(Check, AMissingTreeHitsAFolder) {
  fs::remove(folder_.pack_path);
  // Nothing of the snapshot can be reached where all its trees lie in one pack.
  const Finished found = RestreeProgram(restic_).run({"check"});
  EXPECT_THAT(found.err, HasSubstr(": all of its "));
  EXPECT_THAT(found.err, HasSubstr("app source: 1 of 1 snapshot"));
  EXPECT_THAT(found.err, HasSubstr("\n    /\n"));
}

TEST_P(Check, ReadsFirstWhatWasNotReadForLongest) {
  const RestreeProgram restree(restic_);
  const Finished first = restree.run({"check", "--read-data-subset", "oldest:1K"});
  ASSERT_TRUE(first.ok()) << first.report();
  EXPECT_THAT(first.out, HasSubstr("read 1 of "));
  EXPECT_THAT(first.out, HasSubstr(" packs were never read on this machine"));
  const Finished rest = restree.run({"check", "--read-data-subset", "oldest:1h"});
  ASSERT_TRUE(rest.ok()) << rest.report();
  EXPECT_THAT(rest.out, HasSubstr("all packs were read on this machine, the oldest "));
  // A new pack is the first to be read.
  write_random_file(source_ / "new", 2, 9 * kMiB);
  const std::string newer = restic_.backup({source_.string()});
  const BlobPlace added = chunks_of(restic_, newer, source_ / "new").at(0);
  flip_byte(added.pack_path, added.pack_offset + 100);
  const Finished found = restree.run({"check", "--read-data-subset", "oldest:20M"});
  EXPECT_EQ(found.exit_code, 1) << found.report();
  EXPECT_THAT(found.err, HasSubstr(added.pack.hex()));
}

TEST_P(Check, TheSummaryIsResticsOwn) {
  if (GetParam() == "restic") GTEST_SKIP() << "restic 0.14 prints no JSON here";
  for (const bool damaged : {false, true}) {
    if (damaged) fs::remove(chunks_[0].pack_path);
    const Finished theirs = restic_.run({"check", "--json"});
    const Finished ours = RestreeProgram(restic_).run({"check", "--json"});
    EXPECT_EQ(ours.out, theirs.out);
    EXPECT_EQ(ours.exit_code, theirs.exit_code);
  }
}

}  // namespace
}  // namespace restree::testing
