// Blobs without a repository: any content under any id, damage and outages as a test wants them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "repo/base/guarded.h"
#include "repo/blob_source.h"
#include "repo/crypto/sha256.h"

namespace restree::testing {

class MemoryBlobs final : public BlobSource {
 public:
  BlobId add(std::string content) {
    BlobId id;
    id.bytes = sha256(as_bytes(content));
    put(id, std::move(content));
    return id;
  }
  void put(const BlobId& id, std::string content) { (*contents_.lock())[id] = std::move(content); }
  void fail(const BlobId& id, Error error) {
    errors_.lock()->insert_or_assign(id, std::move(error));
  }
  void heal(const BlobId& id) { errors_.lock()->erase(id); }

  // Called by every load before it does anything, on the thread that loads. Set before any does.
  std::function<void(const BlobId&)> on_load;

  std::size_t loads() const {
    std::size_t sum = 0;
    const auto loads = loads_.lock();
    for (const auto& [id, count] : *loads) sum += count;
    return sum;
  }
  std::size_t loads_of(const BlobId& id) const {
    const auto loads = loads_.lock();
    const auto found = loads->find(id);
    return found == loads->end() ? 0 : found->second;
  }

  Result<SharedBlob> load(BlobType, const BlobId& id, Deadline) override {
    ++(*loads_.lock())[id];
    if (on_load) on_load(id);
    if (auto errors = errors_.lock(); errors->contains(id)) return errors->at(id);
    auto contents = contents_.lock();
    const auto found = contents->find(id);
    if (found == contents->end()) return Error(ErrorKind::kCorrupt, "no blob " + id.hex());
    return std::make_shared<const Bytes>(Bytes::copy_of(as_bytes(found->second)));
  }

 private:
  Guarded<std::map<BlobId, std::string>> contents_;
  Guarded<std::map<BlobId, Error>> errors_;
  Guarded<std::map<BlobId, std::size_t>> loads_;
};

}  // namespace restree::testing
