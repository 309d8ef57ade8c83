// Small files that the kernel gets before it asks for them.
#include <map>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/fs/mount_fixture.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MountGiving : public MountTest {
 protected:
  static constexpr std::size_t kFiles = 12;

  MountGiving() {
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < kFiles; ++i) {
      nodes.push_back(file_node(name_of(i), {data(content_of(i))}, content_of(i).size()));
    }
    mount(nodes);
  }
  static std::string name_of(std::size_t number) { return "f" + std::to_string(100 + number); }
  static std::string content_of(std::size_t number) { return "content of " + name_of(number); }

  // As the kernel does for readdirplus: every entry is known from then on.
  void list_all() {
    Entries entries;
    ASSERT_OK(mount_->list(top(), 0, true, entries));
    for (std::size_t i = 2; i < entries.inodes.size(); ++i) {
      numbers_[entries.inodes[i]] = i - 2;
      inodes_.push_back(entries.inodes[i]);
    }
  }
  // Reads a file, and takes what the mount gives along with it: no more than `most` files.
  std::vector<std::size_t> read_and_take(std::size_t number, std::size_t most = kFiles) {
    const Mount::Slices slices = value_of(mount_->read(inodes_.at(number), 0, 1 << 20));
    std::vector<std::size_t> given;
    mount_->give_ahead(slices.next, [&](std::uint64_t inode, ByteView content) {
      if (given.size() == most) return false;
      given.push_back(numbers_.at(inode));
      EXPECT_EQ(as_text(content), content_of(given.back()));
      return true;
    });
    return given;
  }

  std::map<std::uint64_t, std::size_t> numbers_;
  std::vector<std::uint64_t> inodes_;
};

TEST_F(MountGiving, AReaderInOrderGetsTheNextFiles) {
  list_all();
  EXPECT_THAT(read_and_take(0), IsEmpty());
  EXPECT_THAT(read_and_take(1), ElementsAre(2, 3));
  EXPECT_THAT(read_and_take(4), ElementsAre(5, 6, 7, 8));
  EXPECT_EQ(mount_->status().given_files, 6U);
  EXPECT_EQ(mount_->status().reads, 3U);
}

TEST_F(MountGiving, AFileThatTheKernelDoesNotKnowIsNotGiven) {
  list_all();
  read_and_take(0);
  mount_->forget(inodes_.at(2), 1);
  EXPECT_THAT(read_and_take(1), ElementsAre(3));
}

TEST_F(MountGiving, AReaderThatDidNotGetAllGoesOnThere) {
  list_all();
  read_and_take(0);
  EXPECT_THAT(read_and_take(1, 1), ElementsAre(2));
  EXPECT_THAT(read_and_take(3), ElementsAre(4, 5, 6, 7));
}

TEST_F(MountGiving, WhatCannotBeReadIsLeftToItsReader) {
  memory_.remove_packs_of(BlobId{sha256(as_bytes(content_of(3)))});
  list_all();
  read_and_take(0);
  EXPECT_THAT(read_and_take(1), ElementsAre(2));
  EXPECT_THAT(mount_->read(inodes_.at(3), 0, 100), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(read_and_take(4), ElementsAre(5, 6, 7, 8));
}

TEST_F(MountGiving, OneReaderAtATimeIsServed) {
  list_all();
  read_and_take(0);
  const Mount::Slices slices = value_of(mount_->read(inodes_.at(1), 0, 1 << 20));
  std::size_t given = 0;
  mount_->give_ahead(slices.next, [&](std::uint64_t, ByteView) {
    mount_->give_ahead(slices.next, [](std::uint64_t, ByteView) {
      ADD_FAILURE() << "given twice";
      return true;
    });
    ++given;
    return true;
  });
  EXPECT_EQ(given, 2U);
}

TEST_F(MountGiving, AReadOfAPartIsNoReasonToGive) {
  list_all();
  for (std::size_t number = 0; number < 3; ++number) {
    const Mount::Slices slices = value_of(mount_->read(inodes_.at(number), 3, 1 << 20));
    EXPECT_EQ(slices.next.tree, nullptr);
  }
}

}  // namespace
}  // namespace restree::testing
