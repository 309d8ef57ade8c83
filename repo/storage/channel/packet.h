// SSH's data types taken off the front of foreign bytes, with every length checked: what SFTP's
// packets, the agent's answers, key files and a server's greeting have in common.
//
//   string := length:u32  byte[length]           all numbers are big-endian
//
// Ownership: views the bytes that it reads from.
// Threads:   a pure value.
// Format:    RFC 4251, section 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "repo/base/bytes.h"

namespace restree {

// Once something was missing, a reader stays failed and returns zeros and empty strings, so that it
// is enough to ask `ok()` at the end.
class PacketReader {
 public:
  explicit PacketReader(ByteView bytes) : rest_(bytes) {}

  std::uint32_t u32();
  std::uint64_t u64();
  std::string_view string();  // views the bytes that are read

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  ByteView take(std::size_t count);
  ByteView rest_;
  bool ok_ = true;
};

}  // namespace restree
