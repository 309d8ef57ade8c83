#include "repo/journal/journal_entry.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  const auto entry = restree::parse_journal_entry(input);
  if (entry) restree::must(restree::write_journal_entry(*entry) == restree::as_text(input));
  return 0;
}
