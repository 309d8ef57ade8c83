// A repository in memory, written by hand, for unit tests to read, damage and change.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "repo/repository.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/password.h"
#include "tests/support/repository_builder.h"
#include "tests/support/watched_storage.h"

namespace restree::testing {

inline Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class MemoryRepository {
 public:
  explicit MemoryRepository(std::uint32_t version = 1)
      : files_(std::make_shared<MemoryStorage>()),
        storage_(std::make_shared<WatchedStorage>(files_)),
        builder_(storage_, version) {}

  RepositoryBuilder& builder() { return builder_; }
  WatchedStorage& storage() { return *storage_; }

  Result<std::unique_ptr<Repository>> try_open(std::string_view password = kPassword,
                                               const std::string& key_hint = "") const {
    return Repository::open(storage_, Secret(std::string(password)), key_hint, soon());
  }
  // With its index loaded.
  std::unique_ptr<Repository> open() const {
    auto repository = value_of(try_open());
    value_of(repository->refresh_index(soon()));
    return repository;
  }

  // Turns over one bit in the middle of a file.
  void damage(const FileName& file) {
    const Bytes content = value_of(files_->read_all(file, soon()));
    std::string bytes(as_text(content));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    ASSERT_OK(files_->write(file, as_bytes(bytes), soon()));
  }
  void truncate(const FileName& file) {
    const Bytes content = value_of(files_->read_all(file, soon()));
    ASSERT_OK(files_->write(file, content.view().first(content.size() / 2), soon()));
  }
  // So many bytes can be written, and no more.
  void leave_free(std::uint64_t bytes) { files_->set_capacity(files_->taken_bytes() + bytes); }
  std::uint64_t free_bytes() { return value_of(files_->free_bytes(soon())).value(); }
  void remove(const FileName& file) { ASSERT_OK(files_->remove(file, soon())); }
  void remove_packs_of(const BlobId& id) {
    for (const FileName& pack : builder_.pack_names_of(id)) remove(pack);
  }

 private:
  std::shared_ptr<MemoryStorage> files_;
  std::shared_ptr<WatchedStorage> storage_;
  RepositoryBuilder builder_;
};

}  // namespace restree::testing
