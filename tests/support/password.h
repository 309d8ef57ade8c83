// The password of every repository that tests make.
#pragma once

namespace restree::testing {

inline constexpr const char* kPassword = "correct horse battery staple";

}  // namespace restree::testing
