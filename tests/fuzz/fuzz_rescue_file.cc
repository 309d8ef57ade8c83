#include "repo/rescue/rescue_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = restree::parse_rescue_file(restree::fuzz_input(data, size));
  if (!file) return 0;
  const std::string once = restree::write_rescue_file(*file);
  const auto again = restree::parse_rescue_file(restree::as_bytes(once));
  restree::must(again.has_value());
  restree::must(restree::write_rescue_file(*again) == once);
  return 0;
}
