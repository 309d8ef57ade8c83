#include "repo/storage/ssh/ssh_target.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = restree::parse_ssh_settings(
      "nas", restree::as_text(restree::fuzz_input(data, size)), restree::SshOptions());
  if (target) restree::must(!target->host.empty());
  return 0;
}
