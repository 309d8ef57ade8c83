#include "repo/format/config.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <string>

#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

std::uint64_t parse_polynomial(const std::string& hex) {
  std::uint64_t value = 0;
  const char* const end = hex.data() + hex.size();
  const auto [stop, error] = std::from_chars(hex.data(), end, value, 16);
  if (error != std::errc() || stop != end || value == 0) {
    throw json::BadJson("the chunker polynomial is not a hexadecimal number");
  }
  return value;
}

}  // namespace

Result<Config> parse_config(ByteView json) {
  Config config{};
  std::optional<std::uint32_t> version;
  RETURN_IF_ERROR(json::read_json(json, "config", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "version") version = value.to_u32();
      if (key == "id") config.id = value.to_id<RepositoryId>();
      if (key == "chunker_polynomial")
        config.chunker_polynomial = parse_polynomial(value.to_text());
    });
  }));
  if (!version) return Error(ErrorKind::kCorrupt, "config: no version");
  if (*version != 1 && *version != 2) {
    return Error(ErrorKind::kUnsupported, "config: repository version " + std::to_string(*version))
        .hinting("Restree reads versions 1 and 2");
  }
  if (config.id.is_null()) return Error(ErrorKind::kCorrupt, "config: no id");
  if (config.chunker_polynomial == 0) {
    return Error(ErrorKind::kCorrupt, "config: no chunker polynomial");
  }
  config.version = *version;
  return config;
}

std::string write_config(const Config& config) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("version").number(config.version);
  writer.key("id").text(config.id.hex());
  writer.key("chunker_polynomial").text(fmt::format("{:x}", config.chunker_polynomial));
  writer.end_object();
  return writer.json();
}

}  // namespace restree
