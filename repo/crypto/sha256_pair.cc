#include "repo/crypto/sha256_pair.h"

#include <algorithm>
#include <cstring>

namespace restree {
namespace {

constexpr std::size_t kLengthBytes = 8;

template <class Word>
void store_big_endian(Word word, std::byte* to) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    to[i] = static_cast<std::byte>(word >> (8 * (sizeof(Word) - 1 - i)));
  }
}

}  // namespace

// Fills the begun block, if there is one, from `bytes`; returns the bytes that are left.
ByteView Sha256Pair::Lane::complete_begun(ByteView bytes) {
  total_bytes += bytes.size();
  if (begun_bytes == 0) return bytes;
  const ByteView part = bytes.first(std::min(bytes.size(), begun.size() - begun_bytes));
  std::copy(part.begin(), part.end(), begun.data() + begun_bytes);
  begun_bytes += part.size();
  if (begun_bytes == begun.size()) {
    compress_blocks(state, begun.data(), 1);
    begun_bytes = 0;
  }
  return bytes.subspan(part.size());
}

// No block is begun, unless `bytes` is empty.
void Sha256Pair::Lane::add_rest(ByteView bytes) {
  const std::size_t blocks = bytes.size() / kSha256BlockBytes;
  if (blocks > 0) compress_blocks(state, bytes.data(), blocks);
  const ByteView last = bytes.subspan(blocks * kSha256BlockBytes);
  if (last.empty()) return;
  std::copy(last.begin(), last.end(), begun.begin());
  begun_bytes = last.size();
}

// A bit of 1, zeros up to the end of a block, and there the length in bits.
Sha256Digest Sha256Pair::Lane::finish() {
  std::array<std::byte, 2 * kSha256BlockBytes> end{};
  std::copy_n(begun.begin(), begun_bytes, end.begin());
  end[begun_bytes] = std::byte{0x80};
  const bool fits = begun_bytes + 1 + kLengthBytes <= kSha256BlockBytes;
  const std::size_t size = fits ? kSha256BlockBytes : end.size();
  store_big_endian(std::uint64_t{8} * total_bytes, end.data() + size - kLengthBytes);
  compress_blocks(state, end.data(), size / kSha256BlockBytes);
  Sha256Digest digest;
  for (std::size_t i = 0; i < state.size(); ++i) store_big_endian(state[i], digest.data() + 4 * i);
  *this = Lane();
  return digest;
}

Sha256Pair::Sha256Pair(Sha256By by) {
  if (by == Sha256By::kOpenSsl) streams_.emplace();
}

void Sha256Pair::update(ByteView first, ByteView second) {
  if (streams_) {
    (*streams_)[0].update(first);
    (*streams_)[1].update(second);
    return;
  }
  first = lanes_[0].complete_begun(first);
  second = lanes_[1].complete_begun(second);
  const std::size_t blocks = std::min(first.size(), second.size()) / kSha256BlockBytes;
  if (blocks > 0) {
    compress_blocks_of_both({lanes_[0].state, first.data()}, {lanes_[1].state, second.data()},
                            blocks);
  }
  lanes_[0].add_rest(first.subspan(blocks * kSha256BlockBytes));
  lanes_[1].add_rest(second.subspan(blocks * kSha256BlockBytes));
}

Sha256Digest Sha256Pair::finish(std::size_t which) {
  return streams_ ? (*streams_)[which].finish() : lanes_[which].finish();
}

}  // namespace restree
