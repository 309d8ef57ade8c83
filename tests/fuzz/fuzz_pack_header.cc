#include "repo/format/pack_header.h"
#include "tests/fuzz/fuzz_target.h"

// The first four bytes are the size of the payload.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  if (size < 4) return 0;
  const std::uint64_t payload_size = restree::load_u32le(input.data());
  const auto blobs = restree::parse_pack_header(input.subspan(4), payload_size);
  if (!blobs) return 0;
  std::uint64_t end = 0;
  for (const auto& blob : *blobs) {
    restree::must(blob.offset == end);
    end += blob.length;
  }
  restree::must(end == payload_size);
  return 0;
}
