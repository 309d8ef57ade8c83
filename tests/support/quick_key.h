// A repository whose key takes no time to derive.
//
// restic takes half a second for it on purpose, of every command: tests run thousands, and few are
// about that.
#pragma once

#include <filesystem>
#include <string>

#include "repo/crypto/kdf.h"
#include "tests/support/password.h"

namespace restree::testing {

inline constexpr ScryptParameters kQuickKey{.n = 1024, .r = 8, .p = 1};

// Replaces the only key file of the repository in this folder. Password and master key stay. Throws
// std::runtime_error.
void make_key_quick(const std::filesystem::path& repository,
                    const std::string& password = kPassword);

}  // namespace restree::testing
