// The key of the repository in vectors.h, without the half second of deriving it.
#pragma once

#include <string_view>

#include "repo/crypto/seal.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree::testing {

inline Bytes from_hex_text(std::string_view hex) {
  Bytes bytes(hex.size() / 2);
  if (!from_hex(hex, bytes.view())) ADD_FAILURE() << "not hexadecimal: " << hex;
  return bytes;
}

inline SealKey master_key() {
  return value_of(SealKey::make(from_hex_text(vectors::kEncrypt), from_hex_text(vectors::kMacK),
                                from_hex_text(vectors::kMacR)));
}

}  // namespace restree::testing
