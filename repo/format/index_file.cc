#include "repo/format/index_file.h"

#include <limits>
#include <optional>
#include <utility>

#include "repo/crypto/seal.h"
#include "repo/text/json_reader.h"
#include "repo/text/json_writer.h"

namespace restree {
namespace {

// What an entry takes in JSON, with numbers as long as they usually are.
constexpr std::size_t kUsualBlobBytes = 160;
constexpr std::size_t kUsualPackBytes = 96;

BlobType type_of(const json::Value& value) {
  const std::string_view name = value.quoted();
  if (name == "data") return BlobType::kData;
  if (name == "tree") return BlobType::kTree;
  throw json::BadJson("a blob of unknown type");
}

IndexedBlob parse_blob(json::Value& value) {
  IndexedBlob blob{};
  bool has_id = false;
  bool has_type = false;
  value.each_field([&](std::string_view key, const json::Value& field) {
    if (field.is_null()) return;
    if (key == "id") {
      blob.id = field.to_id<BlobId>();
      has_id = true;
    } else if (key == "type") {
      blob.type = type_of(field);
      has_type = true;
    } else if (key == "offset") {
      blob.offset = field.to_u32();
    } else if (key == "length") {
      blob.length = field.to_u32();
    } else if (key == "uncompressed_length") {
      blob.raw_length = field.to_u32();
    }
  });
  if (!has_id || !has_type) throw json::BadJson("a blob without id or type");
  if (blob.length < kSealOverheadBytes) throw json::BadJson("a blob is too short");
  if (blob.length > std::numeric_limits<std::uint32_t>::max() - blob.offset) {
    throw json::BadJson("a blob lies past the end of any pack");
  }
  return blob;
}

// One element of "packs"; `blobs` is lent for its memory.
void parse_pack(json::Value& value, std::vector<IndexedBlob>& blobs, const IndexVisitor& visit) {
  std::optional<PackId> pack;
  blobs.clear();
  value.each_field([&](std::string_view key, json::Value field) {
    if (key == "id") pack = field.to_id<PackId>();
    if (key != "blobs") return;
    blobs.clear();
    field.each_element([&](json::Value blob) { blobs.push_back(parse_blob(blob)); });
  });
  if (!pack) throw json::BadJson("a pack without id");
  visit(*pack, blobs);
}

}  // namespace

Status parse_index_file(ByteView json, const IndexVisitor& visit) {
  std::vector<IndexedBlob> blobs;
  const auto parse_element = [&](json::Value pack) { parse_pack(pack, blobs, visit); };
  return json::read_json(json, "index", [&](json::Root root) {
    if (root.is_array()) return root.each_element(parse_element);
    bool has_packs = false;
    root.each_field([&](std::string_view key, json::Value value) {
      if (key != "packs") return;
      has_packs = true;
      value.each_element(parse_element);
    });
    if (!has_packs) throw json::BadJson("no packs");
  });
}

std::string write_index_file(std::span<const IndexedPack> packs) {
  JsonWriter json;
  std::size_t bytes = 0;
  for (const IndexedPack& pack : packs)
    bytes += kUsualPackBytes + pack.blobs.size() * kUsualBlobBytes;
  json.reserve(bytes);
  json.begin_object().key("packs").begin_array();
  for (const IndexedPack& pack : packs) {
    json.begin_object().key("id").text(pack.id.hex()).key("blobs").begin_array();
    for (const IndexedBlob& blob : pack.blobs) {
      json.begin_object().key("id").text(blob.id.hex()).key("type").text(to_string(blob.type));
      json.key("offset").number(blob.offset).key("length").number(blob.length);
      if (blob.raw_length != 0) json.key("uncompressed_length").number(blob.raw_length);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  std::string text = std::move(json).take();
  text += '\n';
  return text;
}

}  // namespace restree
