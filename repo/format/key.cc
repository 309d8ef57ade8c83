#include "repo/format/key.h"

#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/random.h"
#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

constexpr std::size_t kSaltBytes = 64;
constexpr std::size_t kShownKdfBytes = 32;

Error bad_key(const char* reason) { return {ErrorKind::kCorrupt, reason}; }

}  // namespace

Secret write_master_key(const SealKey& key) {
  std::string json;  // never moved, so that it can be wiped
  json.reserve(256);
  const auto add = [&](std::string_view before, ByteView part) {
    const Secret text(to_base64(part));
    json.append(before).append(text.text());
  };
  add(R"({"mac":{"k":")", key.mac_k());
  add(R"(","r":")", key.mac_r());
  add(R"("},"encrypt":")", key.encrypt());
  json += R"("})";
  return Secret(std::move(json));
}

Result<KeyFile> parse_key_file(ByteView json) {
  KeyFile file{};
  std::string kdf;
  RETURN_IF_ERROR(json::read_json(json, "key file", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      // For people only: a time that cannot be parsed does no harm.
      if (key == "created") file.created = parse_timestamp(value.to_text()).value_or(Timestamp{});
      if (key == "username") file.username = value.to_text();
      if (key == "hostname") file.hostname = value.to_text();
      if (key == "kdf") kdf = value.to_text();
      if (key == "N") file.parameters.n = value.to_u64();
      if (key == "r") file.parameters.r = value.to_u32();
      if (key == "p") file.parameters.p = value.to_u32();
      if (key == "salt") file.salt = value.to_bytes();
      if (key == "data") file.sealed_master_key = value.to_bytes();
    });
  }));
  if (kdf.empty()) return bad_key("it names no key derivation");
  if (kdf != "scrypt") {
    return Error(ErrorKind::kUnsupported, "its key derivation is " +
                                              log::quoted(kdf.substr(0, kShownKdfBytes)) +
                                              ", and only scrypt is supported");
  }
  if (file.salt.size() != kSaltBytes) return bad_key("its salt is not 64 bytes long");
  if (file.sealed_master_key.size() < kSealOverheadBytes)
    return bad_key("it is too short to hold a master key");
  return file;
}

Result<SealKey> parse_master_key(ByteView json) {
  Secret encrypt;
  Secret mac_k;
  Secret mac_r;
  RETURN_IF_ERROR(json::read_json(json, "master key", [&](json::Root root) {
    root.each_field([&](std::string_view key, json::Value value) {
      if (key == "encrypt") encrypt = Secret(value.to_bytes());
      if (key != "mac") return;
      value.each_field([&](std::string_view part, json::Value part_value) {
        if (part == "k") mac_k = Secret(part_value.to_bytes());
        if (part == "r") mac_r = Secret(part_value.to_bytes());
      });
    });
  }));
  return SealKey::make(encrypt.view(), mac_k.view(), mac_r.view());
}

Result<SealKey> open_key_file(const KeyFile& file, const Secret& password) {
  ASSIGN_OR_RETURN(const Secret derived,
                   derive_key(password, as_bytes(file.salt), file.parameters));
  ASSIGN_OR_RETURN(const SealKey user_key, SealKey::from_derived(derived.view()));
  Bytes sealed = Bytes::copy_of(as_bytes(file.sealed_master_key));
  auto opened = open_in_place(user_key, sealed.view());
  if (!opened && opened.error().kind() == ErrorKind::kCorrupt) {
    // A wrong password and a damaged file look the same from here; files are checked by their id.
    return Error(ErrorKind::kWrongPassword, "the password does not fit this key file");
  }
  if (!opened) return std::move(opened).error();
  auto master_key = parse_master_key(*opened);
  wipe_memory(sealed.view());
  return master_key;
}

std::string write_key_file(const KeyFile& file) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("created").text(format_timestamp(file.created));
  writer.key("username").text(file.username);
  writer.key("hostname").text(file.hostname);
  writer.key("kdf").text("scrypt");
  writer.key("N").number(file.parameters.n);
  writer.key("r").number(file.parameters.r);
  writer.key("p").number(file.parameters.p);
  writer.key("salt").text(to_base64(as_bytes(file.salt)));
  writer.key("data").text(to_base64(as_bytes(file.sealed_master_key)));
  writer.end_object();
  return writer.json();
}

Result<KeyFile> make_key_file(const SealKey& master, const Secret& password, KeyHolder holder,
                              ScryptParameters parameters) {
  std::string salt(kSaltBytes, '\0');
  RETURN_IF_ERROR(fill_random(std::as_writable_bytes(std::span(salt))));
  ASSIGN_OR_RETURN(const Secret derived, derive_key(password, as_bytes(salt), parameters));
  ASSIGN_OR_RETURN(const SealKey user_key, SealKey::from_derived(derived.view()));
  const Secret json = write_master_key(master);
  ASSIGN_OR_RETURN(const Bytes sealed, seal(user_key, json.view()));
  return KeyFile{.created = holder.created,
                 .username = std::move(holder.username),
                 .hostname = std::move(holder.hostname),
                 .parameters = parameters,
                 .salt = std::move(salt),
                 .sealed_master_key = std::string(as_text(sealed))};
}

}  // namespace restree
