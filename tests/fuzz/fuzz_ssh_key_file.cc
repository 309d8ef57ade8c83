#include "repo/storage/ssh/ssh_key_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key =
      restree::SshKeyFile::parse("key", restree::as_text(restree::fuzz_input(data, size)));
  if (key) restree::must(key->public_key.size() <= size);
  return 0;
}
