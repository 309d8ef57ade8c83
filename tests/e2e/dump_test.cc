// The output of `restree dump`, compared with that of restic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <regex>

#include "tests/support/awkward_tree.h"
#include "tests/support/blob_map.h"
#include "tests/support/fidelity.h"
#include "tests/support/password.h"
#include "tests/support/programs.h"
#include "tests/support/repository_builder.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// restic rounds times to whole seconds; ours are exact.
std::string without_times(const std::string& listing) {
  static const std::regex times(" +[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}");
  return std::regex_replace(listing, times, "");
}

std::string newest_restic() { return all_restics().back(); }

class Dump : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    make_awkward_tree(shared_->source, {.beyond_restic_0_14 = newest_restic() != "restic"});
    shared_->restic.init();
    shared_->restic.backup({shared_->source.string()});
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static const Restic& restic() { return shared_->restic; }
  static const fs::path& source() { return shared_->source; }
  static std::string content() { return "latest:" + source().string(); }
  Finished dump(const std::string& snapshot, const std::string& path,
                std::vector<std::string> options = {}) const {
    std::vector<std::string> words = {"dump", snapshot, path};
    words.insert(words.end(), options.begin(), options.end());
    return RestreeProgram(restic()).run(std::move(words));
  }
  fs::path made(const std::string& name) const { return dir_.path() / name; }

  TempDir dir_;

 private:
  struct Shared {
    TempDir dir;
    fs::path source = dir.path() / "source";
    Restic restic{dir.path() / "home", newest_restic()};
  };
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<Dump::Shared> Dump::shared_;

TEST_F(Dump, AFileIsWrittenAsItIs) {
  for (const char* name : {"sizes/big", "sizes/empty", "sizes/repeats", "names/with space"}) {
    const Finished done = dump("latest", (source() / name).string());
    ASSERT_TRUE(done.ok()) << done.report();
    EXPECT_TRUE(done.out == read_file(source() / name)) << name;
  }
}

TEST_F(Dump, WithATargetNothingGoesToTheOutput) {
  const Finished done = dump(content(), "/sizes/5 MiB", {"--target", made("five").string()});
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, IsEmpty());
  EXPECT_TRUE(read_file(made("five")) == read_file(source() / "sizes/5 MiB"));
}

TEST_F(Dump, ATarListsWhatResticsLists) {
  if (all_restics().size() == 1) GTEST_SKIP() << "restic 0.14 dumps no subfolder into a file";
  for (const std::string path : {"/links", "/sizes", "/names", "/nested", "/crowd", "/owners"}) {
    ASSERT_TRUE(dump(content(), path, {"-t", made("ours.tar").string()}).ok());
    restic().run_ok({"dump", content(), path, "-t", made("theirs.tar").string()});
    const auto listing = [&](const std::string& name) {
      return without_times(
          run_ok({.argv = {"tar", "--numeric-owner", "-tvf", made(name).string()}}));
    };
    EXPECT_EQ(listing("ours.tar"), listing("theirs.tar")) << path;
  }
}

TEST_F(Dump, AnUnpackedTarEqualsTheSource) {
  ASSERT_TRUE(dump(content(), "/", {"-t", made("all.tar").string()}).ok());
  fs::create_directories(made("unpacked"));
  run_ok({.argv = {"tar", "--numeric-owner", "--acls", "--xattrs", "--xattrs-include=*", "-xpf",
                   made("all.tar"), "-C", made("unpacked")}});
  for (const char* folder : {"sizes", "modes", "names", "xattrs", "owners", "nested", "crowd"}) {
    EXPECT_EQ(differences(made("unpacked") / folder, source() / folder), "") << folder;
  }
}

TEST_F(Dump, AZipHoldsTheSameFiles) {
  ASSERT_TRUE(dump(content(), "/nested", {"-a", "zip", "-t", made("n.zip").string()}).ok());
  run_ok({.argv = {"unzip", "-q", made("n.zip"), "-d", made("unpacked")}});
  EXPECT_EQ(run_ok({.argv = {"diff", "-r", made("unpacked") / "nested", source() / "nested"}}), "");
}

TEST_F(Dump, AMissingPathIsNamed) {
  const Finished done = dump("latest", "/nowhere/file");
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("path \"/nowhere\" not found in snapshot"));
}

TEST(DumpOfDamage, EndsWithAnErrorThatNamesThePack) {
  const TempDir dir;
  const fs::path source = dir.path() / "source";
  fs::create_directories(source);
  write_random_file(source / "damaged", 1, 9 * kMiB);
  const Restic restic(dir.path() / "home");
  restic.init();
  const std::string id = restic.backup({source.string()});
  const auto chunks = chunks_of(restic, id, source / "damaged");
  // In its middle: it may be of any length, and what is random is stored as it is.
  flip_byte(chunks.back().pack_path, chunks.back().pack_offset + chunks.back().plain_length / 2);
  const Finished done = RestreeProgram(restic).run({"dump", id, source / "damaged"});
  EXPECT_THAT(done.exit_code, Eq(1));
  EXPECT_THAT(done.err, HasSubstr(chunks.back().pack.hex()));
  EXPECT_EQ(done.out.size(), chunks.back().file_offset);
  EXPECT_TRUE(done.out == read_file(source / "damaged").substr(0, chunks.back().file_offset));
}

// As a C string the target would be "/etc", and the attribute "user.a".
TEST(DumpOfHostileTrees, CutsNothingShortAtAZeroByte) {
  const TempDir dir;
  RepositoryBuilder builder(dir.path() / "repository");
  const BlobId with_link = builder.add_tree(
      {R"({"name":"link","type":"symlink","mode":134218239,"linktarget":"/etc\u0000x"})"});
  const BlobId with_attribute = builder.add_tree(
      {file_node("f", {builder.add_data("content")}, 7,
                 R"(,"extended_attributes":[{"name":"user.a\u0000b","value":"eA=="},)"
                 R"({"name":"user.c","value":"eQ=="}])")});
  builder.add_snapshot(
      builder.add_tree({folder_node("a", with_link), folder_node("b", with_attribute)}));
  builder.finish();
  const auto dump = [&](const std::string& folder) {
    return run({.argv = {restree_path(), "--no-cache", "-r", builder.root().string(), "dump",
                         "latest", folder},
                .env = {{"RESTIC_PASSWORD", kPassword}}});
  };
  const Finished link = dump("/a");
  EXPECT_EQ(link.exit_code, 1) << link.report();
  EXPECT_THAT(link.err, HasSubstr("/etc\\x00x"));
  const Finished attribute = dump("/b");
  EXPECT_EQ(attribute.exit_code, 0) << attribute.report();
  EXPECT_THAT(attribute.err, HasSubstr(R"("user.a\x00b" is left out)"));
  EXPECT_THAT(attribute.out, HasSubstr("SCHILY.xattr.user.c=y"));
  EXPECT_THAT(attribute.out, Not(HasSubstr("SCHILY.xattr.user.a")));
}

}  // namespace
}  // namespace restree::testing
