#include "fs/hidden_files.h"

#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fs/namespace.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::value_of;

class NamesOfListing final : public EntryListing {
 public:
  explicit NamesOfListing(std::size_t room) : room_(room) {}
  bool has_room(std::string_view) override { return names.size() < room_; }
  void add(std::string_view name, std::uint64_t inode, mode_t type,
           const std::optional<FoundEntry>& found, std::uint64_t next_offset) override {
    names.emplace_back(name);
    inodes.push_back(inode);
    types.push_back(type);
    EXPECT_FALSE(found);
    next = next_offset;
  }
  std::vector<std::string> names;
  std::vector<std::uint64_t> inodes;
  std::vector<mode_t> types;
  std::uint64_t next = 0;

 private:
  const std::size_t room_;
};

// Two files: one with other digits at each making, one that stays as it is.
class HiddenFilesTest : public ::testing::Test {
 protected:
  static Ownership ownership() {
    Ownership owned;
    owned.umask = 0004;
    owned.mounted_by_uid = 12;
    owned.gid = 34;
    return owned;
  }

  std::uint64_t folder() { return value_of(files_.find(Namespace::kRootInode, ".restree")); }
  std::uint64_t file(const std::string& name) { return value_of(files_.find(folder(), name)); }
  Result<std::string> read(std::uint64_t inode, std::uint64_t offset, std::size_t size) {
    ASSIGN_OR_RETURN(const FileSlices slices, files_.read(inode, offset, size));
    std::string bytes;
    for (const ByteView view : slices.views) bytes += as_text(view);
    return bytes;
  }

  int made_ = 0;
  std::string text_ = "first";
  HiddenFiles files_{
      {{.name = "count",
        .size_bytes = 8,
        .content = [this] { return "made " + std::to_string(100 + ++made_); }},
       {.name = "fixed", .size_bytes = 3, .content = [] { return "abc"; }},
       {.name = "list", .size_bytes = std::nullopt, .content = [this] { return text_; }}},
      ownership()};
};

TEST_F(HiddenFilesTest, AreFoundByNameInTheirFolderOnly) {
  const std::set<std::uint64_t> inodes{folder(), file("count"), file("fixed")};
  EXPECT_EQ(inodes.size(), 3U);
  for (const std::uint64_t inode : inodes) EXPECT_TRUE(files_.holds(inode));
  EXPECT_FALSE(files_.holds(Namespace::kRootInode));
  EXPECT_FALSE(files_.find(folder(), "other"));
  EXPECT_FALSE(files_.find(folder(), ".restree"));
  EXPECT_FALSE(files_.find(Namespace::kRootInode, "count"));
  EXPECT_FALSE(files_.find(file("count"), "fixed"));
}

TEST_F(HiddenFilesTest, HaveNumbersThatOnlyTheirNamesDecide) {
  HiddenFiles others({{.name = "fixed", .size_bytes = 0, .content = {}}}, {});
  EXPECT_EQ(others.find(folder(), "fixed"), file("fixed"));
}

TEST_F(HiddenFilesTest, ShowOwnerModeAndTheLengthOfTheTable) {
  const FoundEntry shown = files_.show(file("count"));
  EXPECT_EQ(shown.inode, file("count"));
  EXPECT_EQ(shown.attributes.st_ino, file("count"));
  EXPECT_EQ(shown.attributes.st_mode, S_IFREG | 0440U);
  EXPECT_EQ(shown.attributes.st_size, 8);
  EXPECT_EQ(shown.attributes.st_uid, 12U);
  EXPECT_EQ(shown.attributes.st_gid, 34U);
  EXPECT_TRUE(shown.momentary);
  EXPECT_FALSE(shown.lasting);

  const FoundEntry above = files_.show(folder());
  EXPECT_EQ(above.attributes.st_mode, S_IFDIR | 0551U);
  EXPECT_FALSE(above.momentary);
  EXPECT_FALSE(above.lasting);
}

TEST_F(HiddenFilesTest, AreListedFromAnyOffset) {
  NamesOfListing all(10);
  files_.list(0, all);
  EXPECT_THAT(all.names, ElementsAre(".", "..", "count", "fixed", "list"));
  EXPECT_EQ(all.inodes[0], folder());
  EXPECT_EQ(all.inodes[1], Namespace::kRootInode);
  EXPECT_EQ(all.inodes[2], file("count"));
  EXPECT_EQ(all.inodes[3], file("fixed"));
  EXPECT_THAT(all.types, ElementsAre(S_IFDIR, S_IFDIR, S_IFREG, S_IFREG, S_IFREG));

  std::vector<std::string> one_by_one;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    NamesOfListing one(1);
    files_.list(offset, one);
    ASSERT_EQ(one.names.size(), 1U);
    one_by_one.push_back(one.names.front());
    offset = one.next;
  }
  EXPECT_EQ(one_by_one, all.names);
  NamesOfListing rest(10);
  files_.list(offset, rest);
  EXPECT_THAT(rest.names, IsEmpty());
}

TEST_F(HiddenFilesTest, AreMadeForEachReadFromTheBeginning) {
  EXPECT_EQ(value_of(read(file("count"), 0, 100)), "made 101");
  EXPECT_EQ(value_of(read(file("count"), 0, 5)), "made ");
  EXPECT_EQ(value_of(read(file("count"), 5, 100)), "102");
  EXPECT_EQ(value_of(read(file("count"), 8, 100)), "");
  EXPECT_EQ(made_, 2);
  // Contents of two files do not mix.
  EXPECT_EQ(value_of(read(file("fixed"), 1, 1)), "b");
  EXPECT_EQ(value_of(read(file("count"), 5, 100)), "102");
}

// A reader who has one open reads that to its end, whatever comes meanwhile.
TEST_F(HiddenFilesTest, OfVaryingLengthAreAnotherFileEachTime) {
  const std::uint64_t first = file("list");
  EXPECT_EQ(file("list"), first) << "nothing has changed";
  EXPECT_EQ(files_.show(first).attributes.st_size, 5);
  EXPECT_TRUE(files_.show(first).lasting);
  EXPECT_TRUE(files_.show(first).by_process) << "the name leads elsewhere soon";
  EXPECT_EQ(value_of(read(first, 0, 3)), "fir");

  text_ = "the second";
  EXPECT_EQ(files_.show(first).attributes.st_size, 5);
  EXPECT_EQ(value_of(read(first, 3, 100)), "st");
  const std::uint64_t second = file("list");
  EXPECT_NE(second, first);
  EXPECT_TRUE(files_.holds(first));
  EXPECT_EQ(files_.show(second).attributes.st_size, 10);
  EXPECT_EQ(value_of(read(second, 0, 100)), "the second");
  EXPECT_EQ(value_of(read(first, 0, 100)), "first");
  EXPECT_EQ(files_.seek(second, 4, true), 4U);
  EXPECT_EQ(files_.seek(second, 4, false), 10U);

  text_ = "";
  EXPECT_EQ(value_of(read(file("list"), 0, 100)), "");
  for (std::size_t i = 0; i < HiddenFiles::kKeptVersions; ++i) {
    text_ = std::to_string(i);
    EXPECT_TRUE(files_.holds(file("list")));
  }
  EXPECT_FALSE(files_.holds(first)) << "it is not kept for ever";
}

TEST_F(HiddenFilesTest, HaveNoHolesButTheirEnd) {
  EXPECT_EQ(files_.seek(file("fixed"), 1, true), 1U);
  EXPECT_EQ(files_.seek(file("fixed"), 1, false), 3U);
  EXPECT_EQ(files_.seek(file("fixed"), 3, true), std::nullopt);
  EXPECT_EQ(files_.seek(file("fixed"), 3, false), std::nullopt);
}

TEST_F(HiddenFilesTest, AFolderIsNotReadAsAFile) {
  EXPECT_THAT(read(folder(), 0, 1), FailsWith(ErrorKind::kInvalid));
  EXPECT_EQ(files_.seek(folder(), 0, true), std::nullopt);
}

}  // namespace
}  // namespace restree
