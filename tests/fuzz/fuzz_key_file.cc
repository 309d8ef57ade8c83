#include "repo/format/key.h"
#include "tests/fuzz/fuzz_target.h"

// The outer file and, as if it had opened, the master key inside; without the key derivation.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = restree::fuzz_input(data, size);
  const auto file = restree::parse_key_file(input);
  if (file) restree::must(file->salt.size() == 64 && file->sealed_master_key.size() >= 32);
  const auto key = restree::parse_master_key(input);
  if (key) restree::must(key->encrypt().size() == 32 && key->mac_r().size() == 16);
  return 0;
}
