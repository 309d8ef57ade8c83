#include "repo/storage/channel/packet.h"

namespace restree {

ByteView PacketReader::take(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    ok_ = false;
    return {};
  }
  const ByteView taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::uint32_t PacketReader::u32() {
  const ByteView bytes = take(4);
  if (!ok_) return 0;
  return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
         std::uint32_t(bytes[2]) << 8 | std::uint32_t(bytes[3]);
}

std::uint64_t PacketReader::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::string_view PacketReader::string() {
  const std::uint32_t length = u32();
  return as_text(take(length));
}

}  // namespace restree
