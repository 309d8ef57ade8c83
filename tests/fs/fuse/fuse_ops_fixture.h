// The FUSE operations with a socket pair in the kernel's place: tests write requests as
// <linux/fuse.h> has them, and read the bytes that a kernel would get.
#pragma once

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fs/fuse/device_calls.h"
#include "fs/fuse/fuse_ops.h"
#include "repo/base/unique_fd.h"
#include "tests/support/fake_processes.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

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
        builder.add_tree(
            {file_node("pieces", std::vector<BlobId>(2000, blob_), 14'000),
             file_node("long", std::vector<BlobId>(20, long_part), 200'000),
             R"({"name":"device","type":"dev","mode":432,"mtime":"2100-01-01T00:00:00.5Z",)"
             R"("atime":"1850-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":70000,)"
             R"("gid":5,"links":4294967299,"device":2065})",
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

  const std::shared_ptr<FakeProcesses> processes_ = std::make_shared<FakeProcesses>();
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

}  // namespace restree::testing
