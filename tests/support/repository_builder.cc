#include "tests/support/repository_builder.h"

#include <fmt/core.h>

#include "repo/crypto/kdf.h"
#include "repo/crypto/sha256.h"
#include "repo/storage/local_storage.h"
#include "tests/support/files.h"
#include "tests/support/need.h"
#include "tests/support/password.h"
#include "tests/support/quick_key.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

SealKey master_key() {
  const std::string bytes = random_bytes(2026, 64);
  return need(SealKey::from_derived(as_bytes(bytes)));
}

std::string sealed(const SealKey& key, std::string_view plain) {
  const Bytes bytes = need(seal(key, as_bytes(plain)));
  return std::string(as_text(bytes.view()));
}

std::string u32le(std::size_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string hex_hash(ByteView content) { return to_hex(sha256(content)); }

std::string quoted_list(const std::vector<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "\"" : ",\"") + word + "\"";
  return "[" + list + "]";
}

std::string key_file(const SealKey& master, std::string_view password,
                     ScryptParameters parameters) {
  const std::string salt = random_bytes(64, 64);
  const Secret derived =
      need(derive_key(Secret(std::string(password)), as_bytes(salt), parameters));
  const SealKey user = need(SealKey::from_derived(derived.view()));
  const std::string json =
      fmt::format(R"({{"mac":{{"k":"{}","r":"{}"}},"encrypt":"{}"}})", to_base64(master.mac_k()),
                  to_base64(master.mac_r()), to_base64(master.encrypt()));
  return fmt::format(
      R"({{"created":"2026-01-01T00:00:00Z","username":"u","hostname":"h","kdf":"scrypt",)"
      R"("N":{},"r":{},"p":{},"salt":"{}","data":"{}"}})",
      parameters.n, parameters.r, parameters.p, to_base64(as_bytes(salt)),
      to_base64(as_bytes(sealed(user, json))));
}

fs::path made(fs::path folder) {
  fs::create_directories(folder);
  return folder;
}

}  // namespace

RepositoryBuilder::RepositoryBuilder(std::shared_ptr<Storage> storage, std::uint32_t version)
    : storage_(std::move(storage)), key_(master_key()) {
  const std::string config =
      fmt::format(R"({{"version":{},"id":"{}","chunker_polynomial":"{}"}})", version,
                  hex_hash(as_bytes(storage_->description())), "3da3358b4dc173");
  // First: folders are made beside a config only.
  need(storage_->write({FileType::kConfig, ""}, as_bytes(sealed(key_, config)), Deadline::never()));
  add_key(kPassword);
}

RepositoryBuilder::RepositoryBuilder(fs::path root)
    : RepositoryBuilder(make_local_storage(made(root).string())) {
  root_ = std::move(root);
}

std::string RepositoryBuilder::key_json(std::string_view password,
                                        ScryptParameters parameters) const {
  return key_file(key_, password, parameters);
}

std::string RepositoryBuilder::add_key(std::string_view password) {
  return add_file(FileType::kKey, as_bytes(key_json(password)));
}

std::string RepositoryBuilder::add_sealed(FileType type, std::string_view plain) {
  return add_file(type, as_bytes(sealed(key_, plain)));
}

std::string RepositoryBuilder::add_file(FileType type, ByteView content) {
  std::string name = hex_hash(content);
  need(storage_->write({type, name}, content, Deadline::never()));
  return name;
}

BlobId RepositoryBuilder::add_tree(const std::vector<std::string>& nodes) {
  std::string json;
  for (const auto& node : nodes) json += (json.empty() ? "" : ",") + node;
  return add(BlobType::kTree, "{\"nodes\":[" + json + "]}\n");
}

BlobId RepositoryBuilder::add(BlobType type, std::string_view content) {
  BlobId id;
  id.bytes = sha256(as_bytes(content));
  add_as(id, type, content);
  return id;
}

void RepositoryBuilder::add_as(const BlobId& id, BlobType type, std::string_view content) {
  const std::string blob = sealed(key_, content);
  std::string entry(1, type == BlobType::kTree ? '\x01' : '\0');
  entry += u32le(blob.size());
  entry += as_text(id.bytes);
  const std::string header = sealed(key_, entry);
  const std::string pack = blob + header + u32le(header.size());
  const std::string name = add_file(FileType::kPack, as_bytes(pack));
  packs_.emplace(id, FileName{FileType::kPack, name});
  index_ +=
      fmt::format(R"({}{{"id":"{}","blobs":[{{"id":"{}","type":"{}","offset":0,"length":{}}}]}})",
                  index_.empty() ? "" : ",", name, id.hex(), to_string(type), blob.size());
}

std::string RepositoryBuilder::add_snapshot(const BlobId& tree, const BuiltSnapshot& fields) {
  const std::string original =
      fields.original.empty() ? "" : fmt::format(R"(,"original":"{}")", fields.original);
  const std::string json = fmt::format(
      R"({{"time":"{}","tree":"{}","paths":{},"hostname":"{}","username":"u","tags":{}{}}})",
      fields.time, tree.hex(), quoted_list(fields.paths), fields.hostname, quoted_list(fields.tags),
      original);
  return add_sealed(FileType::kSnapshot, json).substr(0, 8);
}

std::string RepositoryBuilder::finish() {
  std::string name = add_sealed(FileType::kIndex, "{\"packs\":[" + index_ + "]}");
  index_.clear();
  return name;
}

std::vector<FileName> RepositoryBuilder::pack_names_of(const BlobId& id) const {
  std::vector<FileName> names;
  const auto [begin, end] = packs_.equal_range(id);
  for (auto entry = begin; entry != end; ++entry) names.push_back(entry->second);
  return names;
}

std::vector<fs::path> RepositoryBuilder::packs_of(const BlobId& id) const {
  std::vector<fs::path> paths;
  for (const FileName& pack : pack_names_of(id)) paths.push_back(root_ / relative_path(pack));
  return paths;
}

std::string file_node(const std::string& name, const std::vector<BlobId>& content,
                      std::uint64_t size, const std::string& more) {
  std::vector<std::string> ids;
  for (const auto& id : content) ids.push_back(id.hex());
  return fmt::format(
      R"({{"name":"{}","type":"file","mode":420,"mtime":"2020-01-01T00:00:00Z",)"
      R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
      R"("inode":7,"size":{},"links":1{},"content":{}}})",
      name, size, more, quoted_list(ids));
}

std::string folder_node(const std::string& name, const BlobId& subtree, const std::string& more) {
  return fmt::format(
      R"({{"name":"{}","type":"dir","mtime":"2020-01-01T00:00:00Z",)"
      R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0{},)"
      R"("content":null,"subtree":"{}"}})",
      name, more, subtree.hex());
}

}  // namespace restree::testing
