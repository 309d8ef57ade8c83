// `restree check` beside `restic check`, in a repository of restic's. What it says of each kind of damage:
// damage_kinds_test.cc.
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

class Check : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(source_ / "folder");
    write_random_file(source_ / "big", 1, 9 * kMiB);
    write_file(source_ / "folder/small", "a small file");
    restic_.init();
    snapshot_ = restic_.backup({source_.string()});
    chunks_ = chunks_of(restic_, snapshot_, source_ / "big");
  }

  TempDir dir_;
  fs::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home", GetParam()};
  std::string snapshot_;
  std::vector<BlobPlace> chunks_;
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
