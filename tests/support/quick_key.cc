#include "tests/support/quick_key.h"

#include <stdexcept>
#include <string>

#include "repo/crypto/sha256.h"
#include "repo/format/key.h"
#include "tests/support/files.h"
#include "tests/support/need.h"

namespace restree::testing {

namespace fs = std::filesystem;

void make_key_quick(const fs::path& repository, const std::string& its_password) {
  const fs::path keys = repository / "keys";
  const auto names = names_in(keys);
  if (names.size() != 1) throw std::runtime_error("more or less than one key in " + keys.string());

  const Secret password{std::string(its_password)};
  const std::string slow = read_file(keys / names.front());
  const KeyFile file = need(parse_key_file(as_bytes(slow)));
  const SealKey master = need(open_key_file(file, password));
  const std::string quick = write_key_file(need(make_key_file(
      master, password,
      {.created = file.created, .username = file.username, .hostname = file.hostname}, kQuickKey)));
  write_file(keys / to_hex(sha256(as_bytes(quick))), quick);
  fs::remove(keys / names.front());
}

}  // namespace restree::testing
