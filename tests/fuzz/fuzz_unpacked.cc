#include <string>
#include <utility>

#include "repo/format/unpacked.h"
#include "repo/format/zstd.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

constexpr std::size_t kLimit = 1 << 20;

const restree::SealKey& key() {
  static const restree::SealKey made = [] {
    const std::string part(32, 'k');
    const auto bytes = restree::as_bytes(part);
    return *restree::SealKey::make(bytes, bytes.first(16), bytes.first(16));
  }();
  return made;
}

}  // namespace

// The input as a damaged file, as a payload that was sealed properly, and as a bare zstd frame.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  restree::must(!restree::open_unpacked(key(), restree::Bytes::copy_of(input)));
  static_cast<void>(restree::open_unpacked(key(), *restree::seal(key(), input)).has_value());
  const auto raw = restree::decompress(input, kLimit);
  if (!raw) return 0;
  restree::must(raw->size() <= kLimit);
  restree::Bytes again(raw->size());
  // zstd's two decoders disagree about a compressed block of no bytes: only the streaming one,
  // which serves frames that do not say their size, takes it.
  if (!restree::decompress_into(input, again.view())) return 0;
  restree::must(restree::as_text(again) == restree::as_text(*raw));
  return 0;
}
