// The restics that a test is run against: Debian's, and a newer one where RESTREE_NEW_RESTIC names
// it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace restree::testing {

// For INSTANTIATE_TEST_SUITE_P(…, ::testing::ValuesIn(all_restics()), restic_name).
inline std::vector<std::string> all_restics() {
  std::vector<std::string> binaries = {"restic"};
  const char* const newer = std::getenv("RESTREE_NEW_RESTIC");
  if (newer != nullptr) binaries.emplace_back(newer);
  return binaries;
}

inline std::string restic_name(const ::testing::TestParamInfo<std::string>& instance) {
  return instance.param == "restic" ? "OfDebian" : "Newer";
}

}  // namespace restree::testing
