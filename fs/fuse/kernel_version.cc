#include "fs/fuse/kernel_version.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <optional>

namespace restree {
namespace {

struct Version {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  auto operator<=>(const Version&) const = default;
};

// The first version of each series that is right.
constexpr std::array kMended{Version{4, 19, 321}, Version{5, 4, 283}, Version{5, 10, 225},
                             Version{5, 15, 166}, Version{6, 1, 107}, Version{6, 6, 48},
                             Version{6, 10, 7}};
constexpr Version kRightFrom{6, 11, 0};

constexpr std::string_view kDebian = "Debian ";

// From the beginning of the text, up to what is no number.
std::optional<Version> parse(std::string_view text) {
  Version version;
  std::array numbers{&version.major, &version.minor, &version.patch};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) break;
      text.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *numbers[i]);
    if (error != std::errc()) {
      if (i < 2) return std::nullopt;
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return version;
}

}  // namespace

bool zeroes_ends_of_files(std::string_view release, std::string_view version) {
  std::optional<Version> kernel = parse(release);
  if (const auto debian = version.find(kDebian); debian != std::string_view::npos) {
    kernel = parse(version.substr(debian + kDebian.size()));
  }
  if (!kernel) return false;
  if (*kernel >= kRightFrom) return true;
  return std::ranges::any_of(kMended, [&](const Version& mended) {
    return kernel->major == mended.major && kernel->minor == mended.minor && *kernel >= mended;
  });
}

}  // namespace restree
