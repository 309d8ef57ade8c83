#include "fs/fuse/reply.h"

#include <sys/uio.h>

#include <climits>
#include <vector>

namespace restree {
namespace {

// The kernel takes at most IOV_MAX parts, of which libfuse's header is one.
constexpr std::size_t kMostSlices = IOV_MAX - 1;

std::vector<std::byte> in_one_piece(std::span<const ByteView> slices) {
  std::size_t size = 0;
  for (const ByteView slice : slices) size += slice.size();
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  for (const ByteView slice : slices) bytes.insert(bytes.end(), slice.begin(), slice.end());
  return bytes;
}

}  // namespace

Reply::Reply(fuse_req_t request, Interrupts& interrupts) : pending_(interrupts.watch(request)) {}

Reply::~Reply() { errno_value(EIO); }

fuse_req_t Reply::take() { return pending_->take(); }

void Reply::errno_value(int value) {
  if (const fuse_req_t request = take()) fuse_reply_err(request, value);
}

bool Reply::entry(const ShownEntry& entry) {
  const fuse_req_t request = take();
  return request != nullptr && reply_entry(request, entry) == 0;
}

void Reply::attributes(const struct statx& attributes, double valid_seconds) {
  if (const fuse_req_t request = take()) reply_attributes(request, attributes, valid_seconds);
}

void Reply::link(const char* target) {
  if (const fuse_req_t request = take()) fuse_reply_readlink(request, target);
}

bool Reply::data(std::string_view bytes) {
  const fuse_req_t request = take();
  return request != nullptr && fuse_reply_buf(request, bytes.data(), bytes.size()) == 0;
}

void Reply::data(std::span<const ByteView> slices) {
  // All memory is had before the request is taken: from then on only this call can answer it.
  std::vector<std::byte> together;
  ByteView whole;
  if (slices.size() > kMostSlices) {
    together = in_one_piece(slices);
    whole = together;
    slices = std::span(&whole, 1);
  }
  std::vector<iovec> vectors;
  vectors.reserve(slices.size());
  for (const ByteView slice : slices) {
    // iovec is for reading and writing alike; this one is only read.
    vectors.push_back({const_cast<std::byte*>(slice.data()), slice.size()});
  }
  const fuse_req_t request = take();
  if (request == nullptr) return;
  fuse_reply_iov(request, vectors.data(), static_cast<int>(vectors.size()));
}

void Reply::xattr_size(std::size_t size) {
  if (const fuse_req_t request = take()) fuse_reply_xattr(request, size);
}

void Reply::offset(off_t offset) {
  if (const fuse_req_t request = take()) fuse_reply_lseek(request, offset);
}

void Reply::figures(const struct statvfs& figures) {
  if (const fuse_req_t request = take()) fuse_reply_statfs(request, &figures);
}

void Reply::opened(const fuse_file_info& file) {
  if (const fuse_req_t request = take()) fuse_reply_open(request, &file);
}

}  // namespace restree
