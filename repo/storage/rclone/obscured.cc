#include "repo/storage/rclone/obscured.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/crypto/aes_ctr.h"

namespace restree {
namespace {

constexpr std::string_view kPublishedKey =
    "9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638";

Error not_obscured() {
  return Error(ErrorKind::kInvalid, "not a password as rclone writes it")
      .hinting("Such passwords are written by `rclone obscure` or `rclone config`.");
}

}  // namespace

Result<Secret> revealed(std::string_view obscured) {
  if (obscured.find_first_of("+/=") != std::string_view::npos) return not_obscured();
  std::string standard(obscured);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  const Secret encoded(std::move(standard));
  std::optional<std::string> decoded = from_base64(encoded.text());
  AesIv iv{};
  if (!decoded || decoded->size() < iv.size()) return not_obscured();
  const auto bytes = std::as_writable_bytes(std::span(decoded->data(), decoded->size()));
  std::ranges::copy(bytes.first(iv.size()), iv.begin());
  AesKey key{};
  from_hex(kPublishedKey, key);
  const auto text = bytes.subspan(iv.size());
  const Status decrypted = apply_aes256_ctr(key, iv, text);
  Secret password = Secret::copy_of(text);
  wipe_memory(bytes);
  RETURN_IF_ERROR(decrypted);
  return password;
}

}  // namespace restree
