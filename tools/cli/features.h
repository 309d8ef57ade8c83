// restic's feature flags, which RESTIC_FEATURES switches on and off. All are known, so that what
// restic refuses is refused; device-id-for-hardlinks is the one that changes anything in Restree.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

struct Feature {
  std::string_view name;
  std::string_view type;  // how far restic has come with it: alpha, beta, stable
  bool is_on_by_default;
  std::string_view description;

  bool is_always_on() const { return type == "stable"; }
};
// Sorted by name.
std::span<const Feature> all_features();
inline constexpr std::string_view kDeviceIdForHardlinks = "device-id-for-hardlinks";

// Checks a text like "name,name=false". Returns what to warn of, in restic's words. kInvalid: a
// name that restic 0.19 does not know, or a value that is not a boolean.
Result<std::vector<std::string>> check_features(std::string_view text);
// The same for the variable of the environment.
Result<std::vector<std::string>> check_features_of_environment();

// Whether a text that check_features() accepts switches the feature on.
bool is_feature_on(std::string_view name, std::string_view text);
bool is_feature_of_environment_on(std::string_view name);

}  // namespace restree
