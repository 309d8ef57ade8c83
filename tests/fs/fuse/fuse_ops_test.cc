#include "fs/fuse/fuse_ops.h"

#include <linux/fuse.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fs/attributes.h"
#include "tests/fs/fuse/fuse_ops_fixture.h"

namespace restree {
namespace {

using testing::Answer;
using testing::FuseOps;
using testing::value_of;

TEST_F(FuseOps, AskForTheFeaturesThatMakeAMountFast) {
  EXPECT_TRUE(hello_.flags & FUSE_DO_READDIRPLUS);
  EXPECT_FALSE(hello_.flags & FUSE_READDIRPLUS_AUTO);
  EXPECT_TRUE(hello_.flags & FUSE_CACHE_SYMLINKS);
  EXPECT_EQ(hello_.time_gran, 1U);
  EXPECT_EQ(ask_with(FUSE_OPEN, file("f"), fuse_open_in{}).error, ENOSYS);
  EXPECT_EQ(ask_with(FUSE_OPENDIR, FUSE_ROOT_ID, fuse_open_in{}).error, ENOSYS);
}

TEST_F(FuseOps, LetTheKernelRememberWhateverNeverChanges) {
  const auto live = look_up(FUSE_ROOT_ID, "ids").as<fuse_entry_out>();
  EXPECT_LE(live.entry_valid, 1U);
  const auto lasting = look_up(inode_of({"ids", snapshot_}), "f").as<fuse_entry_out>();
  EXPECT_GE(lasting.entry_valid, 1'000'000U);
  EXPECT_GE(lasting.attr_valid, 1'000'000U);
  EXPECT_EQ(lasting.attr.size, 7U);
}

// libfuse has seconds of 32 bits on 32-bit processors; the nearest that fits is shown there.
std::uint64_t shown_by_libfuse(std::int64_t seconds) {
  if constexpr (sizeof(long) == 4) {
    seconds = std::clamp<std::int64_t>(seconds, std::numeric_limits<std::int32_t>::min(),
                                       std::numeric_limits<std::int32_t>::max());
  }
  return static_cast<std::uint64_t>(seconds);
}

TEST_F(FuseOps, ShowAttributesToTheKernelWhole) {
  const fuse_attr shown = look_up(inode_of({"ids", large_}), "device").as<fuse_entry_out>().attr;
  EXPECT_EQ(shown.mode, S_IFBLK | 0660U);
  EXPECT_EQ(shown.nlink, 4294967295U);
  EXPECT_EQ(shown.uid, 70000U);
  EXPECT_EQ(shown.gid, 5U);
  EXPECT_EQ(shown.rdev, 2065U);  // as the kernel numbers 8:17
  EXPECT_EQ(shown.blksize, static_cast<std::uint32_t>(kPreferredIoBytes));
  EXPECT_EQ(shown.ctime, 1577836800U);
  EXPECT_EQ(shown.mtime, shown_by_libfuse(4102444800));
  EXPECT_EQ(shown.mtimensec, 500'000'000U);
  EXPECT_EQ(shown.atime, shown_by_libfuse(-3786825600));
  EXPECT_EQ(shown.ino, look_up(inode_of({"ids", large_}), "device").as<fuse_entry_out>().nodeid);
  const std::uint64_t inode = large("pieces");
  const auto file = ask_with(FUSE_GETATTR, inode, fuse_getattr_in{}).as<fuse_attr_out>().attr;
  EXPECT_EQ(file.size, 14'000U);
  EXPECT_EQ(file.blocks, 28U);
  EXPECT_EQ(file.ino, inode);
}

TEST_F(FuseOps, AreAskedForLatestEachTimeAndAnswerByProcess) {
  const std::uint64_t snapshots = inode_of({"snapshots"});
  processes_->begin(10);
  processes_->begin(20);
  thread_ = 10;
  const auto first = look_up(snapshots, "latest").as<fuse_entry_out>();
  EXPECT_EQ(first.entry_valid, 0U);
  EXPECT_EQ(first.entry_valid_nsec, 0U);
  memory_.builder().add_snapshot(memory_.builder().add_tree({}), {.time = "2026-09-02T03:00:05Z"});
  memory_.builder().finish();
  ASSERT_OK(mount_->refresh());
  EXPECT_EQ(look_up(snapshots, "latest").as<fuse_entry_out>().nodeid, first.nodeid);
  thread_ = 20;
  const auto newest = look_up(snapshots, "latest").as<fuse_entry_out>();
  EXPECT_EQ(newest.entry_valid, 0U);
  EXPECT_EQ(ask(FUSE_READLINK, newest.nodeid).body, "2026-09-02T03-00-05Z");
  EXPECT_EQ(ask(FUSE_READLINK, first.nodeid).body, "2026-09-01T03-00-05Z");
}

TEST_F(FuseOps, TellLastingAbsenceFromTemporaryAbsence) {
  EXPECT_EQ(look_up(FUSE_ROOT_ID, "none").error, ENOENT);
  const Answer absent = look_up(inode_of({"ids", snapshot_}), "none");
  EXPECT_EQ(absent.error, 0);
  EXPECT_EQ(absent.as<fuse_entry_out>().nodeid, 0U);
  EXPECT_GE(absent.as<fuse_entry_out>().entry_valid, 1'000'000U);
}

TEST_F(FuseOps, ReadBytesAndNothingPastTheEnd) {
  const std::uint64_t inode = file("f");
  EXPECT_EQ(read(inode, 0, 4096).body, "content");
  EXPECT_EQ(read(inode, 3, 2).body, "te");
  EXPECT_EQ(read(inode, 7, 10).error, 0);
  EXPECT_EQ(read(inode, 7, 10).body, "");
}

TEST_F(FuseOps, ReadDamageAsAnInputOutputError) { EXPECT_EQ(read(file("lost"), 0, 5).error, EIO); }

TEST_F(FuseOps, ReadAcrossMoreChunksThanAReplyHasParts) {
  const Answer whole = read(large("pieces"), 0, 1 << 17);
  EXPECT_EQ(whole.error, 0);
  std::string wanted;
  for (int i = 0; i < 2000; ++i) wanted += "content";
  EXPECT_EQ(whole.body, wanted);
  constexpr std::uint32_t kMostParts = 7 * 1023;
  EXPECT_EQ(read(large("pieces"), 3, kMostParts).body, wanted.substr(3, kMostParts));
}

TEST_F(FuseOps, AnswerWithAnErrorWhereTheKernelRefusesTheReply) {
  const std::uint64_t inode = large("long");
  EXPECT_EQ(read(inode, 0, 1 << 17).error, 0);
  refuse_long_replies();
  EXPECT_EQ(read(inode, 0, 1 << 17).error, EIO);
  EXPECT_EQ(read(inode, 0, 10).body, std::string(10, 'x'));
}

TEST_F(FuseOps, TakeReferencesBackWhereTheKernelRefusesAListing) {
  const std::uint64_t directory = large("many");
  const std::size_t before = mount_->known_inodes();
  refuse_long_replies();
  fuse_read_in request{};
  request.size = 1 << 16;
  EXPECT_EQ(ask_with(FUSE_READDIRPLUS, directory, request).error, EIO);
  EXPECT_EQ(mount_->known_inodes(), before);
}

TEST_F(FuseOps, WaitForARequestWhereTheDeviceHasNoneYet) {
  const int flags = ::fcntl(device(), F_GETFL);
  ASSERT_EQ(::fcntl(device(), F_SETFL, flags | O_NONBLOCK), 0);
  // The worker finds nothing at first, in most runs; it must get the request in all of them.
  std::array<char, 64> got{};
  ssize_t received = 0;
  {
    const std::jthread worker(
        [&] { received = device_calls().read(device(), got.data(), got.size(), nullptr); });
    ASSERT_EQ(::send(kernel_end(), "request", 7, 0), 7);
  }
  EXPECT_EQ(std::string(got.data(), static_cast<std::size_t>(received)), "request");
}

TEST_F(FuseOps, ReadALinksTarget) {
  EXPECT_EQ(ask(FUSE_READLINK, file("link")).body, "../elsewhere");
}

TEST_F(FuseOps, GiveAnAttributesSizeOrValueAndTellWhenItDoesNotFit) {
  const std::uint64_t inode = file("f");
  EXPECT_EQ(get_xattr(inode, "user.a", 0).as<fuse_getxattr_out>().size, 3U);
  EXPECT_EQ(get_xattr(inode, "user.a", 3).body, "abc");
  EXPECT_EQ(get_xattr(inode, "user.a", 2).error, ERANGE);
  EXPECT_EQ(get_xattr(inode, "user.b", 10).error, ENODATA);
}

TEST_F(FuseOps, ListWithAttributesWhatFitsTheBuffer) {
  fuse_read_in request{};
  request.size = 4096;
  const std::uint64_t top = inode_of({"ids", snapshot_});
  const Answer all = ask_with(FUSE_READDIRPLUS, top, request);
  EXPECT_THAT(all.body, ::testing::HasSubstr("lost"));
  EXPECT_EQ(mount_->known_inodes(), 3U);
  request.size = 200;  // "." and no more
  const Answer one = ask_with(FUSE_READDIRPLUS, top, request);
  EXPECT_GT(one.body.size(), 0U);
  EXPECT_LE(one.body.size(), 200U);
}

TEST_F(FuseOps, ForgetWithoutAnAnswer) {
  const std::uint64_t inode = file("f");
  EXPECT_EQ(mount_->known_inodes(), 1U);
  fuse_forget_in forget{};
  forget.nlookup = 1;
  send(FUSE_FORGET, inode, std::string(reinterpret_cast<char*>(&forget), sizeof forget));
  EXPECT_FALSE(has_answer());
  EXPECT_EQ(mount_->known_inodes(), 0U);
}

TEST_F(FuseOps, RefuseToWrite) {
  EXPECT_EQ(ask(FUSE_UNLINK, inode_of({"ids", snapshot_}), std::string("f\0", 2)).error, EROFS);
  EXPECT_EQ(ask_with(FUSE_MKDIR, FUSE_ROOT_ID, fuse_mkdir_in{}, std::string("d\0", 2)).error,
            EROFS);
  EXPECT_EQ(ask_with(FUSE_SETATTR, file("f"), fuse_setattr_in{}).error, EROFS);
}

TEST_F(FuseOps, SeekToDataAndHoles) {
  fuse_lseek_in seek{};
  seek.whence = SEEK_HOLE;
  EXPECT_EQ(ask_with(FUSE_LSEEK, file("f"), seek).as<fuse_lseek_out>().offset, 7U);
  seek.whence = SEEK_END;
  EXPECT_EQ(ask_with(FUSE_LSEEK, file("f"), seek).error, EINVAL);
  seek.whence = SEEK_DATA;
  seek.offset = 8;
  EXPECT_EQ(ask_with(FUSE_LSEEK, file("f"), seek).error, ENXIO);
}

TEST_F(FuseOps, ShowTheStatusAnewToEveryReader) {
  const std::uint64_t folder = inode_of({".restree"});
  const auto entry = look_up(folder, "status").as<fuse_entry_out>();
  EXPECT_EQ(entry.attr_valid, 0U);
  EXPECT_EQ(entry.attr_valid_nsec, 0U);
  const auto attributes = ask_with(FUSE_GETATTR, entry.nodeid, fuse_getattr_in{});
  EXPECT_EQ(attributes.as<fuse_attr_out>().attr_valid, 0U);
  const std::uint64_t size = attributes.as<fuse_attr_out>().attr.size;

  const std::string before = read(entry.nodeid, 0, 4096).body;
  EXPECT_EQ(before.size(), size);
  EXPECT_EQ(read(file("f"), 0, 4096).body, "content");
  const std::string after = read(entry.nodeid, 0, 4096).body;
  EXPECT_EQ(after.size(), size);
  EXPECT_NE(before, after);
  EXPECT_EQ(read(entry.nodeid, 100, 50).body, after.substr(100, 50));
  EXPECT_EQ(read(entry.nodeid, size, 4096).body, "");
}

TEST_F(FuseOps, ListTheStatusInItsOwnFolderOnly) {
  fuse_read_in request{};
  request.size = 4096;
  EXPECT_THAT(ask_with(FUSE_READDIR, FUSE_ROOT_ID, request).body,
              ::testing::Not(::testing::HasSubstr("restree")));
  EXPECT_THAT(ask_with(FUSE_READDIR, inode_of({".restree"}), request).body,
              ::testing::HasSubstr("status"));
  EXPECT_EQ(look_up(inode_of({".restree"}), "none").error, ENOENT);
  EXPECT_EQ(look_up(inode_of({"ids"}), ".restree").error, ENOENT);
}

}  // namespace
}  // namespace restree
