#include "cache/read_marks.h"

#include <algorithm>

namespace restree {
namespace {

constexpr std::uint64_t kStretches = 64;

// A bit for each stretch of the blob whose last byte lies in [begin, end).
std::uint64_t stretches(std::uint64_t blob_bytes, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t each = std::max<std::uint64_t>(1, (blob_bytes + kStretches - 1) / kStretches);
  std::uint64_t bits = 0;
  for (std::uint64_t i = begin / each; i < kStretches && i * each < std::min(end, blob_bytes);
       ++i) {
    const std::uint64_t last = std::min((i + 1) * each, blob_bytes) - 1;
    if (last >= begin && last < end) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

}  // namespace

void ReadMarks::read(std::uint64_t begin, std::uint64_t end) {
  is_expected_ = false;
  if (begin == 0) ++visits_;
  if (end >= bytes_) --visits_;
  was_read_ |= stretches(bytes_, begin, end);
}

void ReadMarks::expect() { is_expected_ = was_read_ == 0 && visits_ == 0; }

bool ReadMarks::is_due() const {
  if (is_expected_ || visits_ > 0) return true;
  return was_read_ != 0 && was_read_ != stretches(bytes_, 0, bytes_);
}

}  // namespace restree
