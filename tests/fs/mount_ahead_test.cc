// Which blobs a mount loads before they are asked for: found out by switching its storage off.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "fs/mount.h"
#include "tests/support/memory_repository.h"
#include "tests/support/process.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::holds_within;
using testing::MemoryRepository;
using testing::value_of;

class MountAheadTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) {
    return file_node(name, {memory_.builder().add_data("content of " + name)}, 11 + name.size());
  }
  std::string folder(const std::string& name, const std::vector<std::string>& nodes) {
    return folder_node(name, memory_.builder().add_tree(nodes));
  }
  void mount(const std::vector<std::string>& nodes) {
    snapshot_ = memory_.builder().add_snapshot(memory_.builder().add_tree(nodes));
    memory_.builder().finish();
    repository_ = value_of(memory_.try_open());
    mount_ = value_of(Mount::open(*repository_, {}));
    memory_.storage().watch([this](const FileName& file) -> Status {
      if (off_) return Error(ErrorKind::kUnavailable, "nobody there");
      if (file.type == FileType::kPack) ++came_;
      return {};
    });
  }
  // As `cat` does: the names on the way are looked up, and the file is read whole.
  Status read(const std::vector<std::string>& path) {
    std::uint64_t inode = Namespace::kRootInode;
    std::vector<std::string> whole{"ids", snapshot_};
    whole.insert(whole.end(), path.begin(), path.end());
    for (const std::string& name : whole) {
      ASSIGN_OR_RETURN(const auto found, mount_->lookup(inode, name));
      if (!found) return Error(ErrorKind::kNotFound, name);
      inode = found->inode;
    }
    ASSIGN_OR_RETURN(const Mount::Slices slices, mount_->read(inode, 0, 4096));
    EXPECT_EQ(as_text(slices.views.at(0)), "content of " + path.back());
    return {};
  }
  // After this many blobs were loaded, every further load fails.
  void switch_off_after(std::size_t blobs) {
    ASSERT_TRUE(holds_within(std::chrono::seconds(30), [&] { return came_ >= blobs; }))
        << came_ << " came";
    off_ = true;
  }

  std::atomic<bool> off_ = false;
  std::atomic<std::size_t> came_ = 0;
  MemoryRepository memory_{2};
  std::string snapshot_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Mount> mount_;
};

TEST_F(MountAheadTest, AtTheBeginningOfADirectoryItsNextFilesAreLoaded) {
  mount({file("a"), file("b"), file("c"), file("d"), file("e"), file("f"), file("g")});
  ASSERT_OK(read({"a"}));
  switch_off_after(4);  // the tree, the file that was read, and two more
  EXPECT_OK(read({"b"}));
  EXPECT_THAT(read({"g"}), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(MountAheadTest, AtTheEndOfADirectoryTheNextOneIsLoaded) {
  mount({folder("one", {file("a")}), folder("two", {file("b"), file("c")})});
  ASSERT_OK(read({"one", "a"}));
  switch_off_after(3 + 3);
  EXPECT_OK(read({"two", "b"}));
  EXPECT_OK(read({"two", "c"}));
}

TEST_F(MountAheadTest, ADirectoryInsideIsLoadedBeforeTheWalkComesToIt) {
  mount({folder("one", {file("a"), folder("b", {folder("c", {file("d")})})})});
  ASSERT_OK(read({"one", "a"}));
  switch_off_after(3 + 3);
  EXPECT_OK(read({"one", "b", "c", "d"}));
}

}  // namespace
}  // namespace restree
