// A storage that remembers each of its states, as a provider whose pictures of a disk are taken at any moment.
//
// Ownership: shares the storage that it decorates, which nobody else changes meanwhile.
// Threads:   any.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_repository.h"

namespace restree::testing {

// All files, locks too.
using Picture = std::map<FileName, std::string>;

inline Picture picture_of(Storage& storage) {
  Picture picture;
  const FileName config{FileType::kConfig, ""};
  if (const auto content = storage.read_all(config, soon())) {
    picture[config] = std::string(as_text(*content));
  }
  for (const FileType type :
       {FileType::kKey, FileType::kLock, FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
    for (const ListedFile& file : value_of(storage.list(type, soon()))) {
      const FileName name{type, file.name};
      picture[name] = std::string(as_text(value_of(storage.read_all(name, soon()))));
    }
  }
  return picture;
}

// From now on the storage has what the picture has.
inline void go_back(Storage& storage, const Picture& picture) {
  for (const auto& [name, content] : picture_of(storage)) {
    if (!picture.contains(name)) ASSERT_OK(storage.remove(name, soon()));
  }
  for (const auto& [name, content] : picture)
    ASSERT_OK(storage.write(name, as_bytes(content), soon()));
}

class PictureStorage final : public ForwardingStorage {
 public:
  explicit PictureStorage(std::shared_ptr<Storage> inner)
      : ForwardingStorage(std::move(inner)), before_(picture_of(this->inner())) {}

  Status write(const FileName& file, ByteView content, Deadline by) override {
    auto changes = changes_.lock();
    RETURN_IF_ERROR(inner().write(file, content, by));
    changes->emplace_back(file, std::string(as_text(content)));
    return {};
  }
  Status remove(const FileName& file, Deadline by) override {
    auto changes = changes_.lock();
    RETURN_IF_ERROR(inner().remove(file, by));
    changes->emplace_back(file, std::nullopt);
    return {};
  }

  // Moment 0 is that before the first change.
  std::size_t moments() const { return changes_.lock()->size() + 1; }
  Picture at(std::size_t moment) const {
    Picture picture = before_;
    auto changes = changes_.lock();
    for (std::size_t i = 0; i < moment; ++i) {
      const auto& [name, content] = (*changes)[i];
      if (content) picture[name] = *content;
      if (!content) picture.erase(name);
    }
    return picture;
  }

 private:
  const Picture before_;
  mutable Guarded<std::vector<std::pair<FileName, std::optional<std::string>>>> changes_;
};

}  // namespace restree::testing
