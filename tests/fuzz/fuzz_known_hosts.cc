#include <string>

#include "repo/storage/ssh/known_hosts.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  restree::KnownHosts hosts("[nas]:2222");
  hosts.add_file(
      restree::as_text(restree::fuzz_input(data, size)), "known_hosts",
      [](std::string_view hashed, const std::string&) { return hashed.size() % 2 == 0; });
  for (const restree::KnownKey& key : hosts.keys()) {
    const restree::KnownKey* contradicted = nullptr;
    const auto verdict = hosts.judge(key.type, key.key, &contradicted);
    using Verdict = restree::KnownHosts::Verdict;
    restree::must(verdict != Verdict::kUnknown && verdict != Verdict::kChanged);
    restree::must(!key.revoked || verdict == Verdict::kRevoked);
  }
  (void)hosts.preferred_algorithms();
  return 0;
}
