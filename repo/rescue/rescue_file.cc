#include "repo/rescue/rescue_file.h"

#include <optional>

#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/id.h"
#include "repo/format/key.h"
#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

constexpr std::uint32_t kFileForm = 1;

Bytes bytes_of(const std::string& text) { return Bytes::copy_of(as_bytes(text)); }

}  // namespace

std::string write_rescue_file(const RescueFile& file) {
  JsonWriter json;
  json.begin_object().key("rescue_key").number(kFileForm).key("repository").text(file.repository);
  json.key("key").text(to_base64(file.key_file));
  json.key("config").text(to_base64(file.config_file));
  return json.end_object().json() + "\n";
}

Result<RescueFile> parse_rescue_file(ByteView json) {
  RescueFile file;
  std::optional<std::uint32_t> form;
  RETURN_IF_ERROR(json::read_json(json, "rescue key", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "rescue_key") form = value.to_u32();
      if (key == "repository") file.repository = value.to_id<RepositoryId>().hex();
      if (key == "key") file.key_file = bytes_of(value.to_bytes());
      if (key == "config") file.config_file = bytes_of(value.to_bytes());
    });
  }));
  if (!form) return Error(ErrorKind::kCorrupt, "it is not a rescue key");
  if (*form != kFileForm) {
    return Error(ErrorKind::kUnsupported,
                 "a rescue key of form " + std::to_string(*form) + " needs a newer restree");
  }
  if (file.repository.empty()) return Error(ErrorKind::kCorrupt, "rescue key: no repository");
  if (const auto key = parse_key_file(file.key_file); !key) {
    return Error(key.error()).with("rescue key");
  }
  if (file.config_file.size() <= kSealOverheadBytes) {
    return Error(ErrorKind::kCorrupt, "rescue key: no config");
  }
  return file;
}

std::string key_name_of(const RescueFile& file) { return to_hex(sha256(file.key_file)); }

}  // namespace restree
