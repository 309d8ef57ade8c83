#include "repo/journal/journal_entry.h"
#include "tests/fuzz/fuzz_target.h"

// What is read can be written and read again; what the present version has written, byte for byte.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  const auto entry = restree::parse_journal_entry(input);
  if (!entry) return 0;
  const std::string written = restree::write_journal_entry(*entry);
  const bool is_of_first_version = data[0] == 1;
  restree::must(is_of_first_version || written == restree::as_text(input));
  const auto again = restree::parse_journal_entry(restree::as_bytes(written));
  restree::must(again && *again == *entry);
  return 0;
}
