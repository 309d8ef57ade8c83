#include "repo/archiver/selection.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;
using testing::write_file;

class SelectionTest : public ::testing::Test {
 protected:
  Selection select(const SelectionOptions& options) {
    return value_of(Selection::make(options, {folder()},
                                    [this](const Error& error) { warnings_.push_back(error); }));
  }
  std::string folder() const { return dir_.path().string(); }
  std::string at(const std::string& name) const { return folder() + "/" + name; }
  // The names that remain in the folder's listing.
  std::vector<std::string> thinned(const Selection& selection, std::vector<std::string> names) {
    const UniqueFd fd(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    selection.thin_out(fd, folder(), names);
    return names;
  }
  static struct stat attributes(mode_t mode, off_t size, dev_t device = 0) {
    struct stat attributes {};
    attributes.st_mode = mode;
    attributes.st_size = size;
    attributes.st_dev = device;
    return attributes;
  }
  dev_t device() const {
    struct stat attributes {};
    EXPECT_EQ(::stat(folder().c_str(), &attributes), 0);
    return attributes.st_dev;
  }

  testing::TempDir dir_;
  std::vector<Error> warnings_;
};

TEST_F(SelectionTest, WithoutOptionsLeavesOutNothing) {
  const Selection selection = select({});
  EXPECT_TRUE(selection.wants_path("/a"));
  EXPECT_TRUE(selection.wants("/a", attributes(S_IFREG, 1 << 30)));
  EXPECT_THAT(thinned(selection, {"CACHEDIR.TAG", "a"}), SizeIs(2));
}

TEST_F(SelectionTest, LeavesOutFilesThatAPatternMatches) {
  const Selection selection = select({.excludes = {.patterns = {"*.o"}}});
  EXPECT_FALSE(selection.wants_path("/a/x.o"));
  EXPECT_TRUE(selection.wants_path("/a/x.c"));
}

TEST_F(SelectionTest, LeavesOutTheProgramsOwnCache) {
  const Selection selection = select({.cache_folders = {"/root/.cache/restree"}});
  EXPECT_FALSE(selection.wants_path("/root/.cache/restree"));
  EXPECT_FALSE(selection.wants_path("/root/.cache/restree/x"));
  EXPECT_TRUE(selection.wants_path("/root/.cache/restrees"));
  EXPECT_TRUE(selection.wants_path("/root/.cache"));
}

TEST_F(SelectionTest, LeavesOutFilesLargerThanTheLimit) {
  const Selection selection = select({.exclude_larger_than = 100});
  EXPECT_TRUE(selection.wants("/a", attributes(S_IFREG, 100)));
  EXPECT_FALSE(selection.wants("/a", attributes(S_IFREG, 101)));
  EXPECT_TRUE(selection.wants("/a", attributes(S_IFDIR, 4096)));
}

TEST_F(SelectionTest, OnOneFileSystemLeavesOutOtherOnesButNotWhereTheyAreMounted) {
  fs::create_directory(at("mount"));
  const Selection selection = select({.one_file_system = true});
  const dev_t other = device() + 1;
  EXPECT_TRUE(selection.wants(at("file"), attributes(S_IFREG, 0, device())));
  EXPECT_FALSE(selection.wants(at("file"), attributes(S_IFREG, 0, other)));
  EXPECT_TRUE(selection.wants(at("mount"), attributes(S_IFDIR, 0, other)));
  EXPECT_FALSE(selection.wants(at("mount/file"), attributes(S_IFREG, 0, other)));
}

TEST_F(SelectionTest, LeavesOutTheOtherFilesInAMarkedFolder) {
  write_file(at(".nobackup"), "");
  const Selection selection = select({.exclude_if_present = {".nobackup"}});
  EXPECT_THAT(thinned(selection, {".nobackup", "a", "b"}), ElementsAre(".nobackup"));
  EXPECT_THAT(thinned(select({.exclude_if_present = {".other"}}), {"a"}), ElementsAre("a"));
}

TEST_F(SelectionTest, AMarkMustBeginWithItsHeader) {
  write_file(at("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n# more");
  EXPECT_THAT(thinned(select({.exclude_caches = true}), {"CACHEDIR.TAG", "a"}),
              ElementsAre("CACHEDIR.TAG"));
  EXPECT_THAT(warnings_, IsEmpty());
  for (const char* content : {"Signature: 8a477f597d28d172789f06886806bc56", "short", ""}) {
    write_file(at("CACHEDIR.TAG"), content);
    EXPECT_THAT(thinned(select({.exclude_caches = true}), {"CACHEDIR.TAG", "a"}), SizeIs(2));
  }
  EXPECT_THAT(warnings_, SizeIs(3));
}

TEST_F(SelectionTest, OfTwoMarksEachLeavesOutTheOther) {
  write_file(at("m"), "");
  write_file(at("n"), "");
  EXPECT_THAT(thinned(select({.exclude_if_present = {"m", "n"}}), {"m", "n", "x"}), IsEmpty());
}

TEST_F(SelectionTest, RefusesAMarkWithoutAName) {
  for (const char* text : {"", ":header"}) {
    EXPECT_THAT(Selection::make({.exclude_if_present = {text}}, {}, {}),
                FailsWith(ErrorKind::kInvalid));
  }
}

TEST(SizeLimit, HasAUnitOrNone) {
  EXPECT_EQ(value_of(parse_size_limit("0")), 0u);
  EXPECT_EQ(value_of(parse_size_limit("500b")), 500u);
  EXPECT_EQ(value_of(parse_size_limit("10M")), 10u << 20);
  EXPECT_EQ(value_of(parse_size_limit("2t")), std::uint64_t{2} << 40);
  for (const char* text : {"", "k", "1.5k", "-1", "1kb", "99999999999999999999", "9999999999g"}) {
    EXPECT_THAT(parse_size_limit(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

}  // namespace
}  // namespace restree
