// Passwords as `rclone obscure` writes them: hidden from a glance, and from nobody else.
//
//   obscured := base64url(iv:byte[16]  ciphertext), without padding
//
// The cipher is AES-256-CTR under a key that rclone publishes.
//
// Threads: any; pure. Errors: kInvalid: not such a text. No message shows any of it.
#pragma once

#include <string_view>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

Result<Secret> revealed(std::string_view obscured);

}  // namespace restree
