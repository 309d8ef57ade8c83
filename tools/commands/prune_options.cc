#include "tools/commands/prune_options.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "program/command_line/go_values.h"
#include "tools/cli/option_words.h"

namespace restree {
namespace {

Error not_a_number(std::string_view function, std::string_view text) {
  return {ErrorKind::kInvalid,
          fmt::format("strconv.{}: parsing {}: invalid syntax", function, go_quoted(text))};
}

// Bytes, or as many KiB, MiB, GiB or TiB: 500, 500b, 5k, 5M.
Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "kmgt";
  unsigned shift = 0;
  std::string_view digits = text;
  if (!text.empty()) {
    const char last = static_cast<char>(text.back() | 0x20);
    const auto unit = kUnits.find(last);
    if (unit != std::string_view::npos) shift = 10 * (static_cast<unsigned>(unit) + 1);
    if (unit != std::string_view::npos || last == 'b') digits.remove_suffix(1);
  }
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || end != digits.data() + digits.size() ||
      failure == std::errc::invalid_argument) {
    return not_a_number("ParseInt", digits);
  }
  if (failure != std::errc() || value > static_cast<std::uint64_t>(INT64_MAX) >> shift) {
    return Error(
        ErrorKind::kInvalid,
        fmt::format("strconv.ParseInt: parsing {}: value out of range", go_quoted(digits)));
  }
  return value << shift;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

Result<UnusedLimit> parse_percentage(std::string_view text, const std::string& whole) {
  UnusedLimit limit{.kind = UnusedLimit::Kind::kPercent};
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), limit.percent);
  if (failure != std::errc() || end != text.data() + text.size() ||
      limit.percent != limit.percent) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("invalid percentage {} passed for --max-unused: {}", go_quoted(whole),
                             not_a_number("ParseFloat", text).message()));
  }
  if (limit.percent < 0) {
    return Error(ErrorKind::kInvalid, "percentage for --max-unused must be positive");
  }
  if (limit.percent >= 100) {
    return Error(ErrorKind::kInvalid, "percentage for --max-unused must be below 100%");
  }
  return limit;
}

Result<UnusedLimit> parse_max_unused(const std::string& whole) {
  const std::string_view text = trimmed(whole);
  if (text.empty()) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("invalid value for --max-unused: {}", go_quoted(whole)));
  }
  if (text == "unlimited") return UnusedLimit{.kind = UnusedLimit::Kind::kUnlimited};
  if (text.ends_with('%')) return parse_percentage(text.substr(0, text.size() - 1), whole);
  const auto bytes = parse_size(text);
  if (!bytes) {
    return Error(ErrorKind::kInvalid, fmt::format("invalid number of bytes {} for --max-unused: {}",
                                                  go_quoted(whole), bytes.error().message()));
  }
  return UnusedLimit{.kind = UnusedLimit::Kind::kBytes, .bytes = *bytes};
}

Result<std::uint64_t> parse_small_size(const std::string& text) {
  const auto bytes = parse_size(text);
  if (!bytes) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("invalid number of bytes {} for --repack-smaller-than: {}",
                             go_quoted(text), bytes.error().message()));
  }
  if (*bytes > 0) return bytes;
  return Error(ErrorKind::kInvalid, "--repack-smaller-than must be larger than zero");
}

}  // namespace

void add_prune_options(CommandSyntax& app, PruneCommandOptions& options) {
  add_text(app, "--max-unused", options.max_unused,
           "So much may stay unused: a size, a percentage, or unlimited (default: 5%)");
  add_text(app, "--max-repack-size", options.max_repack_size,
           "Repack less than this, such as 500M or 10G");
  add_flag(app, "--repack-cacheable-only", options.repack_cacheable_only,
           "Repack only packs with trees");
  add_text(app, "--repack-smaller-than", options.repack_smaller_than,
           "Put packs together that are smaller than this, such as 8M");
  add_flag(app, "--repack-uncompressed", options.repack_uncompressed,
           "Repack all data that is not compressed");
  add_text(app, "--keep-free", options.keep_free,
           "Repack in rounds so that this much stays free on the storage (default: 64M)");
  add_deprecated_flag(app, "--repack-small", options.repack_small,
                      "small files are automatically repacked. Use --repack-smaller-than to "
                      "specify a minimum size");
}

Result<PruneRules> prune_rules(const PruneCommandOptions& options, const std::string& compression) {
  PruneRules rules;
  if (!options.max_repack_size.empty()) {
    ASSIGN_OR_RETURN(rules.max_repack_bytes, parse_size(options.max_repack_size));
  }
  if (!options.recover_id.empty()) rules.max_repack_bytes = 0;
  ASSIGN_OR_RETURN(rules.max_unused, parse_max_unused(options.max_unused));
  if (!options.repack_smaller_than.empty()) {
    ASSIGN_OR_RETURN(rules.small_pack_bytes, parse_small_size(options.repack_smaller_than));
  }
  if (options.repack_uncompressed && compression == "off") {
    return Error(ErrorKind::kInvalid,
                 "disabled compression and `--repack-uncompressed` are mutually exclusive");
  }
  rules.only_cacheable = options.repack_cacheable_only;
  rules.repack_uncompressed = options.repack_uncompressed;
  return rules;
}

Result<std::uint64_t> keep_free_bytes(const PruneCommandOptions& options) {
  const auto bytes = parse_size(trimmed(options.keep_free));
  if (bytes) return *bytes;
  return Error(ErrorKind::kInvalid,
               fmt::format("invalid number of bytes {} for --keep-free: {}",
                           go_quoted(options.keep_free), bytes.error().message()));
}

}  // namespace restree
