// What a mount costs where folders, files and lists of snapshots are large: how often it loads, not
// how long it takes.
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fs/mount_fixture.h"
#include "tests/support/gate.h"

namespace restree {
namespace {

using testing::BuiltSnapshot;
using testing::Entries;
using testing::file_node;
using testing::folder_node;
using testing::MountTest;
using testing::value_of;

class MountOfALargeFolder : public MountTest {
 protected:
  static constexpr std::size_t kEntries = 40'000;
  static constexpr std::size_t kFolders = 20;

  // With so little memory for trees that the large one alone is heavier.
  MountOfALargeFolder() {
    const BlobId chunk = data("text");
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < kFolders; ++i) {
      const std::string name = "folder" + std::to_string(100 + i);
      nodes.push_back(folder_node(name, memory_.builder().add_tree({file_node(name, {chunk}, 4)})));
    }
    for (std::size_t i = 0; i < kEntries; ++i) {
      nodes.push_back(file_node("message-in-a-mailbox-" + std::to_string(100'000 + i), {chunk}, 4));
    }
    const BlobId large = memory_.builder().add_tree(nodes);
    MountOptions options;
    options.memory_bytes = 8 << 20;
    mount({folder_node("large", large)}, std::move(options));
    large_ = in_snapshot("large").inode;
    const FileName pack = memory_.builder().pack_names_of(large).front();
    memory_.storage().watch([this, pack](const FileName& file) -> Status {
      if (file == pack) ++loads_;
      return {};
    });
  }
  ~MountOfALargeFolder() override { mount_.reset(); }  // its threads count loads
  Mount::Found entry(const std::string& name) {
    return value_of(mount_->lookup(large_, name)).value();
  }

  std::uint64_t large_ = 0;
  std::atomic<int> loads_ = 0;
};

TEST_F(MountOfALargeFolder, LoadsItOnceForAListingInManyParts) {
  std::uint64_t next = 0;
  std::size_t listed = 0;
  for (;;) {
    Entries part(200);
    ASSERT_OK(mount_->list(large_, next, true, part));
    if (part.names.empty()) break;
    listed += part.names.size();
    next = part.next;
  }
  EXPECT_EQ(listed, kEntries + kFolders + 2);
  EXPECT_EQ(loads_, 1);
}

TEST_F(MountOfALargeFolder, LoadsItOnceForEntriesThatAreAskedForOneByOne) {
  for (std::size_t i = 0; i < kEntries; i += 199) {
    const Mount::Found found = entry("message-in-a-mailbox-" + std::to_string(100'000 + i));
    EXPECT_EQ(value_of(mount_->attributes(found.inode)).attributes.st_size, 4);
    EXPECT_OK(mount_->attribute_names(found.inode));
    EXPECT_EQ(value_of(read(found.inode)), "text");
  }
  EXPECT_EQ(loads_, 1);
}

TEST_F(MountOfALargeFolder, LoadsItTwiceAtMostWhileFoldersInItAreRead) {
  for (std::size_t round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < kFolders; ++i) {
      const std::string name = "folder" + std::to_string(100 + i);
      const std::uint64_t folder = entry(name).inode;
      EXPECT_EQ(names(folder).size(), 3U);
      EXPECT_TRUE(value_of(mount_->lookup(folder, name)).has_value());
    }
  }
  EXPECT_LE(loads_, 2);
}

// Each of these has folders above its target, each of which is a tree to load.
class MountOfManySnapshots : public MountTest {
 protected:
  static constexpr std::size_t kSnapshots = 40;

  MountOfManySnapshots() {
    auto& builder = memory_.builder();
    for (std::size_t i = 0; i < kSnapshots; ++i) {
      const std::string name = "f" + std::to_string(i);
      const BlobId folder = builder.add_tree({file_node(name, {data(name)}, name.size())});
      const BlobId root = builder.add_tree({folder_node("app", folder)});
      builder.add_snapshot(
          root, {.time = "2026-09-01T03:00:" + std::to_string(10 + i) + "Z", .paths = {"/app"}});
    }
    builder.finish();
    open();
    app_ = lookup({"apps", "app"}).inode;
    listed_ = names(app_);
  }
  ~MountOfManySnapshots() override {
    gate_.open();
    mount_.reset();  // its threads may be at the gate
  }
  void hold_the_packs() {
    memory_.storage().watch([this](const FileName& file) -> Status {
      if (file.type == FileType::kPack) gate_.pass();
      return {};
    });
  }
  Result<std::optional<Mount::Found>> show(std::size_t snapshot) {
    return mount_->lookup(app_, listed_[2 + snapshot]);
  }

  testing::Gate gate_;
  std::uint64_t app_ = 0;
  std::vector<std::string> listed_;
};

TEST_F(MountOfManySnapshots, LoadsTheirRootsAtOnceForAProgramThatGoesThroughThem) {
  EXPECT_OK(show(0));
  hold_the_packs();
  const std::jthread program([&] { EXPECT_OK(show(1)); });
  gate_.wait_for_arrivals(16);  // which one after the other never come
  gate_.open();
}

TEST_F(MountOfManySnapshots, LoadsOneRootForAProgramThatHasChosenOne) {
  const std::size_t before = memory_.storage().reads(FileType::kPack);
  EXPECT_OK(show(5));
  for (int again = 0; again < 5; ++again) EXPECT_OK(show(5));
  mount_.reset();  // ends whatever works ahead
  EXPECT_LE(memory_.storage().reads(FileType::kPack) - before, 2U);
}

TEST_F(MountOfManySnapshots, EndsWhileTheyAreBeingLoaded) {
  EXPECT_OK(show(0));
  EXPECT_OK(show(1));
  mount_.reset();
}

}  // namespace
}  // namespace restree
