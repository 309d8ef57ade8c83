// The FUSE operations with a socket pair in the kernel's place: tests write requests as
// <linux/fuse.h> has them, and read the bytes that a kernel would get.
#include "fs/fuse/fuse_ops.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fs/fuse/device_calls.h"
#include "repo/base/unique_fd.h"
#include "tests/support/fake_processes.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::file_node;
using testing::folder_node;
using testing::MemoryRepository;
using testing::value_of;

struct Answer {
  int error;
  std::string body;

  // The beginning of the body as the structure that the kernel expects.
  template <class T>
  T as() const {
    T value{};
    std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
    return value;
  }
};

class FuseOps : public ::testing::Test {
 protected:
  FuseOps() {
    auto& builder = memory_.builder();
    blob_ = builder.add_data("content");
    const BlobId lost{{std::byte{1}}};
    snapshot_ = builder.add_snapshot(builder.add_tree(
        {file_node("f", {blob_}, 7, R"(,"extended_attributes":[{"name":"user.a","value":"YWJj"}])"),
         file_node("lost", {lost}, 5),
         R"({"name":"link","type":"symlink","linktarget":"../elsewhere"})"}));
    std::vector<std::string> many;
    for (int i = 100; i < 400; ++i) many.push_back(file_node("n" + std::to_string(i), {blob_}, 7));
    const BlobId long_part = builder.add_data(std::string(10'000, 'x'));
    large_ = builder.add_snapshot(
        builder.add_tree({file_node("pieces", std::vector<BlobId>(2000, blob_), 14'000),
                          file_node("long", std::vector<BlobId>(20, long_part), 200'000),
                          folder_node("many", builder.add_tree(many))}),
        {.time = "2026-08-01T03:00:05Z"});
    builder.finish();
    repository_ = memory_.open();
    MountOptions options;
    options.processes = processes_;
    mount_ = value_of(Mount::open(*repository_, std::move(options)));
    context_ = std::make_unique<FuseContext>(*mount_);
    start_session();
    greet();
  }

  Answer ask(std::uint32_t opcode, std::uint64_t inode, const std::string& body = {}) {
    send(opcode, inode, body);
    return receive();
  }
  template <class T>
  Answer ask_with(std::uint32_t opcode, std::uint64_t inode, const T& body,
                  const std::string& more = {}) {
    return ask(opcode, inode,
               std::string(reinterpret_cast<const char*>(&body), sizeof body) + more);
  }
  Answer look_up(std::uint64_t directory, const std::string& name) {
    return ask(FUSE_LOOKUP, directory, name + '\0');
  }
  std::uint64_t inode_of(std::initializer_list<std::string> path) {
    std::uint64_t inode = FUSE_ROOT_ID;
    for (const auto& name : path) inode = look_up(inode, name).as<fuse_entry_out>().nodeid;
    return inode;
  }
  std::uint64_t file(const std::string& name) { return inode_of({"ids", snapshot_, name}); }
  // Files and a folder that take long replies, in a snapshot of their own.
  std::uint64_t large(const std::string& name) { return inode_of({"ids", large_, name}); }
  Answer read(std::uint64_t inode, std::uint64_t offset, std::uint32_t size) {
    fuse_read_in request{};
    request.offset = offset;
    request.size = size;
    return ask_with(FUSE_READ, inode, request);
  }
  Answer get_xattr(std::uint64_t inode, const std::string& name, std::uint32_t size) {
    fuse_getxattr_in request{};
    request.size = size;
    return ask_with(FUSE_GETXATTR, inode, request, name + '\0');
  }

  void send(std::uint32_t opcode, std::uint64_t inode, const std::string& body) {
    fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + body.size());
    header.opcode = opcode;
    header.unique = ++unique_;
    header.nodeid = inode;
    header.pid = static_cast<std::uint32_t>(thread_);
    const std::string message = std::string(reinterpret_cast<char*>(&header), sizeof header) + body;
    ASSERT_EQ(::send(kernel_.get(), message.data(), message.size(), 0),
              static_cast<ssize_t>(message.size()));
    fuse_buf buffer{};
    ASSERT_GT(fuse_session_receive_buf(session_.get(), &buffer), 0);
    fuse_session_process_buf(session_.get(), &buffer);
    std::free(buffer.mem);
  }
  Answer receive() {
    std::string message(1 << 20, '\0');
    const ssize_t size = ::recv(kernel_.get(), message.data(), message.size(), MSG_DONTWAIT);
    fuse_out_header header{};
    if (size < static_cast<ssize_t>(sizeof header)) {
      ADD_FAILURE() << "no answer";
      return {-1, ""};
    }
    std::memcpy(&header, message.data(), sizeof header);
    EXPECT_EQ(header.unique, unique_);
    EXPECT_EQ(header.len, static_cast<std::uint32_t>(size));
    return {-header.error, message.substr(sizeof header, header.len - sizeof header)};
  }
  // From now on the kernel refuses long messages, as a real one may refuse any.
  void refuse_long_replies() {
    const int bytes = 4096;
    ASSERT_EQ(::setsockopt(device_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
  }
  int device() const { return device_; }
  int kernel_end() const { return kernel_.get(); }
  bool has_answer() {
    char byte = 0;
    return ::recv(kernel_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
  }

  const std::shared_ptr<testing::FakeProcesses> processes_ =
      std::make_shared<testing::FakeProcesses>();
  pid_t thread_ = ::getpid();  // which the kernel says asks
  MemoryRepository memory_;
  BlobId blob_;
  std::string snapshot_;
  std::string large_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Mount> mount_;
  std::unique_ptr<FuseContext> context_;

 private:
  struct End {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
  };

  void start_session() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    kernel_ = UniqueFd(ends[0]);
    std::string program = "test";
    std::array<char*, 2> words{program.data(), nullptr};
    fuse_args args{1, words.data(), 0};
    session_.reset(
        fuse_session_new(&args, &fuse_operations(), sizeof(fuse_lowlevel_ops), context_.get()));
    fuse_opt_free_args(&args);  // it was copied to add words to it
    ASSERT_NE(session_, nullptr);
    device_ = ends[1];
    ASSERT_EQ(fuse_session_custom_io(session_.get(), &device_calls(), device_), 0);
  }
  void greet() {
    fuse_init_in hello{};
    hello.major = FUSE_KERNEL_VERSION;
    hello.minor = 36;
    hello.max_readahead = 128 << 10;
    hello.flags = FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT | FUSE_DO_READDIRPLUS |
                  FUSE_CACHE_SYMLINKS | FUSE_PARALLEL_DIROPS;
    hello_ = ask_with(FUSE_INIT, 0, hello).as<fuse_init_out>();
  }

  UniqueFd kernel_;
  int device_ = -1;  // the session's
  std::unique_ptr<fuse_session, End> session_;
  std::uint64_t unique_ = 0;

 protected:
  fuse_init_out hello_{};
};

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
