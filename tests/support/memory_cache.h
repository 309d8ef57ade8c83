// A repository's cache in memory, which a test can look into and damage.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/repository_cache.h"

namespace restree::testing {

class MemoryCache final : public RepositoryCache {
 public:
  struct Content {
    std::map<std::string, std::string> sealed;  // by pack, type and offset: "77c1…/data/0"
    std::map<FileName, std::string> files;
    std::vector<std::string> rejected;
    std::vector<std::string> snapshots;  // the last that were to be retained
    std::vector<std::string> indexes;
    std::vector<PackId> packs;
  };

  std::optional<Bytes> read(const SealedPlace& place) override {
    auto content = content_.lock();
    const auto found = content->sealed.find(key(place));
    if (found == content->sealed.end() || found->second.size() != place.range.length) return {};
    return Bytes::copy_of(as_bytes(found->second));
  }
  bool has(const SealedPlace& place) override {
    return content_.lock()->sealed.contains(key(place));
  }
  void keep(const SealedPlace& place, ByteView sealed) override {
    content_.lock()->sealed[key(place)] = as_text(sealed);
  }
  void reject(const SealedPlace& place) override {
    content_.lock()->rejected.push_back(key(place));
  }

  std::optional<Bytes> read(const FileName& file) override {
    auto content = content_.lock();
    const auto found = content->files.find(file);
    if (found == content->files.end()) return {};
    return Bytes::copy_of(as_bytes(found->second));
  }
  void keep(const FileName& file, ByteView bytes) override {
    content_.lock()->files[file] = as_text(bytes);
  }
  void reject(const FileName& file) override { content_.lock()->rejected.push_back(file.name); }

  void retain_snapshots(std::vector<std::string> names) override {
    content_.lock()->snapshots = std::move(names);
  }
  void retain_indexed(std::vector<std::string> names,
                      const std::function<std::vector<PackId>()>& packs) override {
    std::vector<PackId> all = packs();
    auto content = content_.lock();
    content->indexes = std::move(names);
    content->packs = std::move(all);
  }

  Content content() const { return *content_.lock(); }
  // Turns over one bit in the middle of everything that is kept.
  void damage() {
    auto content = content_.lock();
    const auto flip = [](std::string& bytes) {
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    };
    for (auto& [place, bytes] : content->sealed) flip(bytes);
    for (auto& [file, bytes] : content->files) flip(bytes);
  }

 private:
  static std::string key(const SealedPlace& place) {
    return place.pack.hex() + "/" + std::string(to_string(place.type)) + "/" +
           std::to_string(place.range.offset);
  }
  Guarded<Content> content_;
};

}  // namespace restree::testing
