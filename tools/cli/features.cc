#include "tools/cli/features.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "program/command_line/go_values.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

struct Feature {
  std::string_view name;
  bool is_always_on;
};

constexpr std::array<Feature, 7> kFeatures{{{"backend-error-redesign", false},
                                            {"deprecate-legacy-index", true},
                                            {"deprecate-s3-legacy-layout", true},
                                            {"device-id-for-hardlinks", false},
                                            {"explicit-s3-anonymous-auth", true},
                                            {"safe-forget-keep-tags", true},
                                            {"s3-restore", false}}};

Status check_value(std::string_view name, std::string_view value) {
  auto parsed = parse_go_bool(value);
  if (parsed) return {};
  return std::move(parsed).error().with(
      fmt::format("failed to parse value {} for feature flag {}", go_quoted(value), name));
}

}  // namespace

Result<std::vector<std::string>> check_features(std::string_view text) {
  std::vector<std::string> warnings;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (equals != std::string_view::npos) {
      RETURN_IF_ERROR(check_value(name, word.substr(equals + 1)));
    }
    const auto* feature = std::ranges::find(kFeatures, name, &Feature::name);
    if (feature == kFeatures.end()) {
      return Error(ErrorKind::kInvalid, "unknown feature flag " + go_quoted(name))
          .hinting("It comes from RESTIC_FEATURES; restree itself has no feature flags.");
    }
    if (feature->is_always_on) {
      warnings.push_back(
          fmt::format("feature flag {} is always enabled and will be removed in a future release",
                      go_quoted(name)));
    }
  }
  return warnings;
}

Result<std::vector<std::string>> check_features_of_environment() {
  return check_features(environment_variable("RESTIC_FEATURES"));
}

}  // namespace restree
