// How large the tests' data is: 1 unless RESTREE_TEST_SCALE says otherwise (0.1 under sanitizers).
#pragma once

#include <cstdint>
#include <cstdlib>

namespace restree::testing {

inline double test_scale() {
  const char* text = std::getenv("RESTREE_TEST_SCALE");
  const double scale = text == nullptr ? 1.0 : std::strtod(text, nullptr);
  return scale > 0.0 ? scale : 1.0;
}

// `full`, scaled, but no less than `least`.
inline std::uint64_t scaled(std::uint64_t full, std::uint64_t least) {
  const auto value = static_cast<std::uint64_t>(static_cast<double>(full) * test_scale());
  return value < least ? least : value;
}

// For time limits: sanitizers and small machines get more.
inline int patient(int seconds) { return test_scale() < 1.0 ? seconds * 5 : seconds; }

}  // namespace restree::testing
