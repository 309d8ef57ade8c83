// A storage that also has what a repository has lost: its config, or a key file.
//
// Nothing is added at first, and all calls are passed on. So that a folder without its disk does not
// look like a repository, an added config is there only while snapshots or index files are.
//
// Ownership: shares the storage; owns what is added.
// Threads, limits, errors: those of the storage.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class RescuedStorage final : public ForwardingStorage {
 public:
  using ForwardingStorage::ForwardingStorage;

  // A key file, beside those that the storage has.
  void add_key(Bytes file);
  bool adds_a_key() const { return added_.lock()->key != nullptr; }
  // A config, where the storage has none.
  void add_config(Bytes file);
  // A config in place of the storage's, which is damaged or missing.
  void replace_config(Bytes file);

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;

 private:
  using SharedFile = std::shared_ptr<const Bytes>;
  struct Added {
    SharedFile key;
    std::string key_name;
    SharedFile config;
    bool config_replaces = false;
  };
  // What to give in place of the storage's answer; nullptr: that answer.
  template <class T>
  Result<SharedFile> instead_of(const Result<T>& answer, const FileName& file, Deadline by);

  Guarded<Added> added_;
};

// Whether snapshots or index files are there.
Result<bool> has_content(Storage& storage, Deadline by);

}  // namespace restree
