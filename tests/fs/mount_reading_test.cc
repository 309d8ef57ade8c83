// The bytes and the holes of a mount's files, and what of them damage and outages cost.
#include <string>
#include <thread>

#include "fs/mount.h"
#include "tests/fs/mount_fixture.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::MountTest;
using testing::value_of;

TEST_F(MountTest, ReadsAnyRangeOfAFile) {
  mount({file_node("f", {data("0123"), data("456"), data("789")}, 10)});
  const std::string whole = "0123456789";
  const std::uint64_t inode = in_snapshot("f").inode;
  for (std::size_t offset = 0; offset < 12; ++offset) {
    for (std::size_t size = 0; size < 12; ++size) {
      const std::string expected = offset < 10 ? whole.substr(offset, size) : "";
      EXPECT_EQ(value_of(read(inode, offset, size)), expected) << offset << " " << size;
    }
  }
}

TEST_F(MountTest, ReadsOnlyFiles) {
  mount({folder_node("d", memory_.builder().add_tree({}))});
  EXPECT_THAT(read(in_snapshot("d").inode), FailsWith(ErrorKind::kInvalid));
}

TEST_F(MountTest, DamageCostsItsOwnBytesOnly) {
  const BlobId bad = data("BAD");
  mount({file_node("f", {data("0123"), bad, data("789")}, 10)}, {});
  const FileName pack = memory_.builder().pack_names_of(bad)[0];
  ASSERT_OK(memory_.storage().write(pack, as_bytes(std::string(300, 'x')), testing::soon()));
  const std::uint64_t inode = in_snapshot("f").inode;
  EXPECT_EQ(value_of(read(inode, 0, 4)), "0123");
  EXPECT_EQ(value_of(read(inode, 7, 3)), "789");
  for (std::uint64_t offset = 4; offset < 7; ++offset) {
    EXPECT_THAT(read(inode, offset, 1), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_THAT(read(inode, 3, 2), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, ABlobThatNoIndexNamesCostsItsOwnBytesOnly) {
  mount({file_node("f", {data("0123"), BlobId{}, data("789")}, 10)});
  const Mount::Found file = in_snapshot("f");
  EXPECT_EQ(file.attributes.st_size, 10);
  EXPECT_EQ(value_of(read(file.inode, 0, 4)), "0123");
  EXPECT_EQ(value_of(read(file.inode, 7, 9)), "789");
  EXPECT_THAT(read(file.inode, 5, 1), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, SeveralBlobsThatNoIndexNamesCostTheirBytesAndThoseBetween) {
  mount({file_node("f", {data("01"), BlobId{}, data("45"), BlobId{}, data("89")}, 10)});
  const std::uint64_t inode = in_snapshot("f").inode;
  EXPECT_EQ(value_of(read(inode, 0, 2)), "01");
  EXPECT_EQ(value_of(read(inode, 8, 2)), "89");
  EXPECT_THAT(read(inode, 4, 1), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, AnOutageIsNotDamageAndPasses) {
  mount({file_node("f", {data("content")}, 7)});
  const std::uint64_t inode = in_snapshot("f").inode;
  memory_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "the line is down"); });
  EXPECT_THAT(read(inode), FailsWith(ErrorKind::kUnavailable));
  memory_.storage().watch({});
  while (!read(inode)) std::this_thread::yield();  // an outage is remembered for a moment
  EXPECT_EQ(value_of(read(inode)), "content");
}

TEST_F(MountTest, AnOutageThatHasEndedIsOverAtOnceForFoldersAndFiles) {
  const auto outages = std::make_shared<Outages>();
  MountOptions options;
  options.outages = outages;
  mount({file_node("f", {data("content")}, 7)}, options);
  const auto begin = [&] {
    memory_.storage().watch([](const FileName&) -> Status {
      return Error(ErrorKind::kUnavailable, "the line is down");
    });
  };
  const auto end = [&] {
    memory_.storage().watch({});
    outages->note_end();
  };
  begin();
  EXPECT_THAT(try_lookup({"ids", snapshot_, "f"}), FailsWith(ErrorKind::kUnavailable));
  end();
  const std::uint64_t inode = in_snapshot("f").inode;
  begin();
  EXPECT_THAT(read(inode), FailsWith(ErrorKind::kUnavailable));
  end();
  EXPECT_EQ(value_of(read(inode)), "content");
}

// --- holes --------------------------------------------------------------------------------------

TEST_F(MountTest, SeeksToHolesAndData) {
  const std::string hole(kZeroBlobBytes, '\0');
  const BlobId zeros = data(hole);
  ASSERT_EQ(zeros, zero_blob_id());
  mount({file_node("f", {data("data"), zeros, zeros, data("more"), data(std::string(100, '\0'))},
                   0)});
  const std::uint64_t inode = in_snapshot("f").inode;
  const std::uint64_t more = 4 + 2 * kZeroBlobBytes;
  const auto seek = [&](std::uint64_t offset, bool to_data) {
    return value_of(mount_->seek(inode, offset, to_data));
  };
  EXPECT_EQ(seek(0, true), 0U);
  EXPECT_EQ(seek(0, false), 4U);
  EXPECT_EQ(seek(4, false), 4U);
  EXPECT_EQ(seek(4, true), more);
  EXPECT_EQ(seek(more - 1, true), more);
  EXPECT_EQ(seek(more + 1, true), more + 1);
  EXPECT_EQ(seek(more, false), more + 4);  // the tail, shorter than the other zeros
  EXPECT_EQ(seek(more + 4, true), std::nullopt);
  EXPECT_EQ(seek(more + 50, false), more + 50);
  EXPECT_EQ(seek(more + 104, false), std::nullopt);
  EXPECT_EQ(seek(more + 104, true), std::nullopt);
}

TEST_F(MountTest, TakesTheEndOfAFileForAHole) {
  mount({file_node("f", {data("data")}, 4)});
  EXPECT_EQ(value_of(mount_->seek(in_snapshot("f").inode, 1, false)), 4U);
}

}  // namespace
}  // namespace restree
