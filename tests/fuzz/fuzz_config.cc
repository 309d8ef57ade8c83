#include "repo/format/config.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  static_cast<void>(restree::parse_config(input).has_value());
  return 0;
}
