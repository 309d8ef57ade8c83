// Builds a repository whose MACs are valid, but whose content may be as wrong as a test wants.
//
// One blob per pack, so that damage to a file is damage to one blob. Everything throws
// std::runtime_error if it fails.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"
#include "repo/format/id.h"
#include "repo/storage/storage.h"
#include "tests/support/quick_key.h"

namespace restree::testing {

struct BuiltSnapshot {
  std::string time = "2026-09-01T03:00:05Z";
  std::vector<std::string> paths = {"/"};
  std::vector<std::string> tags = {};
  std::string hostname = "host";
  std::string original = {};  // the whole id of the snapshot that this one was made of, if any
};

class RepositoryBuilder {
 public:
  // Writes key and config. The password is kPassword.
  explicit RepositoryBuilder(std::shared_ptr<Storage> storage, std::uint32_t version = 1);
  // The same in the folder `root`, which it creates.
  explicit RepositoryBuilder(std::filesystem::path root);

  // Adds one more key file for the same master key; returns its name.
  std::string add_key(std::string_view password);
  // The JSON of a key file, to change (its "username" is "u") and pass to add_file().
  std::string key_json(std::string_view password, ScryptParameters parameters = kQuickKey) const;

  BlobId add_data(std::string_view content) { return add(BlobType::kData, content); }
  // A tree of nodes in JSON, in the order given.
  BlobId add_tree(const std::vector<std::string>& nodes);
  BlobId add(BlobType type, std::string_view content);
  // The same, but under an id that is not the hash of the content.
  void add_as(const BlobId& id, BlobType type, std::string_view content);
  // The short id.
  std::string add_snapshot(const BlobId& tree, const BuiltSnapshot& fields = {});
  // Writes the index of all that was added since the last one; returns its name.
  std::string finish();

  // Adds any file whose name is its hash, sealed with the master key; returns its name.
  std::string add_sealed(FileType type, std::string_view plain);
  // The same without a seal.
  std::string add_file(FileType type, ByteView content);

  Storage& storage() const { return *storage_; }
  const std::filesystem::path& root() const { return root_; }
  // The packs that hold a blob, in the order in which they were added.
  std::vector<FileName> pack_names_of(const BlobId& id) const;
  // The same as paths below root().
  std::vector<std::filesystem::path> packs_of(const BlobId& id) const;

 private:
  std::filesystem::path root_;
  std::shared_ptr<Storage> storage_;
  SealKey key_;
  std::string index_;
  std::multimap<BlobId, FileName> packs_;
};

// Nodes in JSON. `name` is written unescaped. `more`: further fields, each after a comma; that of
// folder_node() replaces the default mode, Go's ModeDir | 0755.
std::string file_node(const std::string& name, const std::vector<BlobId>& content,
                      std::uint64_t size, const std::string& more = "");
std::string folder_node(const std::string& name, const BlobId& subtree,
                        const std::string& more = ",\"mode\":2147484141");

}  // namespace restree::testing
