#include "repo/format/lock_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lock = restree::parse_lock_file(restree::fuzz_input(data, size));
  if (!lock) return 0;
  // What is not UTF-8 or beyond the years that can be written changes once, and not again.
  const std::string once = restree::write_lock_file(*lock);
  const auto again = restree::parse_lock_file(restree::as_bytes(once));
  restree::must(again.has_value());
  restree::must(restree::write_lock_file(*again) == once);
  return 0;
}
