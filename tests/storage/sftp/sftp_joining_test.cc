// SftpStorage on servers that copy files by themselves, or say that they do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/storage/sftp/disk_server.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JoiningOverSftp : public SftpStorageTest {
 protected:
  JoiningOverSftp() {
    put(pack(1), "0123456789");
    put(pack(2), "abcdefghij");
  }
  // Of both packs, as pack 3, if its content is right.
  Status join() {
    const std::vector<FileRange> ranges{{pack(1), {2, 3}}, {pack(2), {0, 4}}};
    return storage().join(
        ranges, as_bytes("END"),
        [](const ReadJoined& read) -> Result<FileName> {
          Bytes buffer;
          ASSIGN_OR_RETURN(const MutableByteView bytes, read(buffer, {0, 10}));
          if (as_text(bytes) == "234abcdEND") return pack(3);
          return Error(ErrorKind::kCorrupt, "put together wrongly");
        },
        soon());
  }
  void expect_nothing_new() {
    EXPECT_THAT(paths(),
                ElementsAre(path_of({FileType::kConfig, ""}), path_of(pack(1)), path_of(pack(2))));
  }
};

TEST_F(JoiningOverSftp, CopiesOnTheServer) {
  disk_.copying = Disk::Copying::kRight;
  ASSERT_OK(join());
  EXPECT_THAT(storage().read_all(pack(3), soon()), Holds("234abcdEND"));
  EXPECT_EQ(paths().size(), 4U);
}

TEST_F(JoiningOverSftp, AsksForLongRangesInParts) {
  disk_.copying = Disk::Copying::kRight;
  constexpr std::uint64_t kLength = 9 << 20;
  put(pack(4), std::string(kLength, 'x'));
  const std::vector<FileRange> ranges{{pack(4), {0, kLength}}};
  EXPECT_OK(storage().join(
      ranges, {}, [](const ReadJoined&) { return Result<FileName>(pack(5)); }, soon()));
  EXPECT_THAT(disk_.copied, ElementsAre(4 << 20, 4 << 20, 1 << 20));
}

TEST_F(JoiningOverSftp, AServerThatDoesNotOfferItIsAskedForNothing) {
  EXPECT_THAT(join(), FailsWith(ErrorKind::kUnsupported));
  expect_nothing_new();
  EXPECT_THAT(disk_.opened, IsEmpty());
}

TEST_F(JoiningOverSftp, AServerThatOffersAndRefusesItSaysSo) {
  disk_.copying = Disk::Copying::kRefuses;
  EXPECT_THAT(join(), FailsWith(ErrorKind::kUnsupported));
  expect_nothing_new();
}

TEST_F(JoiningOverSftp, ACopyOfWhichTheServerSaysThatAllIsWellIsNotBelieved) {
  disk_.copying = Disk::Copying::kForgetsTheEnd;
  EXPECT_THAT(join(), FailsWith(ErrorKind::kCorrupt));
  expect_nothing_new();
}

TEST_F(JoiningOverSftp, TheTemporaryFileOfACutConnectionIsRemovedByTheNextWrite) {
  disk_.copying = Disk::Copying::kHangsUp;
  EXPECT_THAT(join(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(paths().size(), 4U);
  ASSERT_OK(storage().write(pack(2), as_bytes("abcdefghij"), soon()));
  expect_nothing_new();
}

}  // namespace
}  // namespace restree::testing
