#include "tools/cli/features.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "program/command_line/go_values.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

// Where restic's feature is about a storage or a format that Restree does not have, or is what Restree
// does anyway, the description says so.
constexpr std::array<Feature, 7> kFeatures{{
    {"backend-error-redesign", "beta", true,
     "end requests that a server does not answer, and repeat them (always done here)"},
    {"deprecate-legacy-index", "stable", true,
     "no index files of restic 0.1.0 (never read here; `restree repair index` updates them)"},
    {"deprecate-s3-legacy-layout", "stable", true, "no old layout of S3 (there is no S3 here)"},
    {kDeviceIdForHardlinks, "alpha", false,
     "record the number of the device for hard links only, so that snapshots of volumes, which "
     "have "
     "a new number each time, do not change every folder"},
    {"explicit-s3-anonymous-auth", "stable", true,
     "no anonymous login to S3 unless asked for (there is no S3 here)"},
    {"s3-restore", "alpha", false, "restore from S3's cold storage (there is no S3 here)"},
    {"safe-forget-keep-tags", "stable", true,
     "do not forget everything for a tag that no snapshot has"},
}};

struct Word {
  std::string_view name;
  std::optional<std::string_view> value;
};

// Takes the next word, name or name=value, off a text that is not empty.
Word take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(','), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {word, std::nullopt};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

Status check_value(std::string_view name, std::string_view value) {
  auto parsed = parse_go_bool(value);
  if (parsed) return {};
  return std::move(parsed).error().with(
      fmt::format("failed to parse value {} for feature flag {}", go_quoted(value), name));
}

}  // namespace

std::span<const Feature> all_features() { return kFeatures; }

Result<std::vector<std::string>> check_features(std::string_view text) {
  std::vector<std::string> warnings;
  while (!text.empty()) {
    const auto [name, value] = take_word(text);
    if (value) RETURN_IF_ERROR(check_value(name, *value));
    const auto* feature = std::ranges::find(kFeatures, name, &Feature::name);
    if (feature == kFeatures.end()) {
      return Error(ErrorKind::kInvalid, "unknown feature flag " + go_quoted(name))
          .hinting("It comes from RESTIC_FEATURES; `restree features` lists them.");
    }
    if (feature->is_always_on()) {
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

bool is_feature_on(std::string_view name, std::string_view text) {
  const auto* const feature = std::ranges::find(kFeatures, name, &Feature::name);
  bool is_on = feature != kFeatures.end() && feature->is_on_by_default;
  while (!text.empty()) {
    const Word word = take_word(text);
    if (word.name == name) is_on = !word.value || parse_go_bool(*word.value).value_or(false);
  }
  return is_on;
}

bool is_feature_of_environment_on(std::string_view name) {
  return is_feature_on(name, environment_variable("RESTIC_FEATURES"));
}

}  // namespace restree
