#include "repo/system/file_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "repo/base/unique_fd.h"

namespace restree {
namespace {

UniqueFd memory_file() { return UniqueFd(::memfd_create("file_io_test", MFD_CLOEXEC)); }

std::string text_at(int fd, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  const ReadCount read = read_at(fd, offset, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(read.error, 0);
  return text.substr(0, read.bytes);
}

TEST(FileIo, ReadsWhatWasWrittenAtAnOffset) {
  const UniqueFd fd = memory_file();
  EXPECT_EQ(write_at(fd.get(), 3, as_bytes("abcdef")), 0);
  EXPECT_EQ(text_at(fd.get(), 3, 6), "abcdef");
  EXPECT_EQ(text_at(fd.get(), 5, 2), "cd");
  EXPECT_EQ(text_at(fd.get(), 0, 4), std::string("\0\0\0a", 4));
}

TEST(FileIo, CountsWhatThereIsOfAFileThatEndsEarly) {
  const UniqueFd fd = memory_file();
  ASSERT_EQ(write_at(fd.get(), 0, as_bytes("abc")), 0);
  std::array<std::byte, 5> into{};
  const ReadCount read = read_at(fd.get(), 1, into);
  EXPECT_EQ(read.error, 0);
  EXPECT_EQ(read.bytes, 2);
  EXPECT_FALSE(read.is_all_of(into));
  EXPECT_TRUE(read_at(fd.get(), 0, MutableByteView(into).first(3))
                  .is_all_of(MutableByteView(into).first(3)));
  EXPECT_EQ(read_at(fd.get(), 100, into).bytes, 0);
}

TEST(FileIo, ReportsWhyACallFailed) {
  const UniqueFd to_read(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(write_at(to_read.get(), 0, as_bytes("x")), EBADF);
  EXPECT_EQ(write_all(to_read.get(), as_bytes("x")), EBADF);
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write_all(full.get(), as_bytes("x")), ENOSPC);
  std::array<std::byte, 1> into{};
  EXPECT_EQ(read_at(full.get(), 0, into).error, EBADF);
}

// A pipe holds less than that, so each call writes a part.
TEST(FileIo, WritesOnAfterAShortWrite) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  ASSERT_EQ(::fcntl(to.get(), F_SETPIPE_SZ, 4096), 4096);
  const std::string sent(300'000, 'x');
  int error = -1;
  std::jthread writer([&] {
    error = write_all(to.get(), as_bytes(sent));
    to.reset();
  });
  std::string received;
  std::array<char, 1000> some{};
  for (ssize_t count = 0; (count = ::read(from.get(), some.data(), some.size())) > 0;) {
    received.append(some.data(), static_cast<std::size_t>(count));
  }
  writer.join();
  EXPECT_EQ(error, 0);
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace restree
