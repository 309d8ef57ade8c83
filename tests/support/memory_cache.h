// A repository's cache in memory, which a test can look into and damage.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/crypto/seal.h"
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
    std::string merged_index;
    std::size_t merged_indexes_kept = 0;
    std::size_t index_reads = 0;  // of index files that were here
  };

  std::optional<Bytes> read(const SealedPlace& place) override {
    if (place.range.length < kSealOverheadBytes) return {};  // a hole, as in the cache on disk
    auto content = content_.lock();
    const std::string offset = std::to_string(place.range.offset);
    const std::string whole = key(place);
    const std::string pack = whole.substr(0, whole.size() - offset.size());
    for (const auto& [name, bytes] : content->sealed) {
      if (!name.starts_with(pack)) continue;
      const std::uint64_t begin = std::stoull(name.substr(pack.size()));
      const std::uint64_t end = place.range.offset + place.range.length;
      if (begin > place.range.offset || begin + bytes.size() < end) continue;
      const auto part = std::string_view(bytes).substr(place.range.offset - begin);
      return Bytes::copy_of(as_bytes(part.substr(0, place.range.length)));
    }
    return {};
  }
  bool has(const SealedPlace& place) override {
    return content_.lock()->sealed.contains(key(place));
  }
  void keep(const SealedPlace& place, Bytes sealed) override {
    content_.lock()->sealed[key(place)] = as_text(sealed);
  }
  void reject(const SealedPlace& place) override {
    content_.lock()->rejected.push_back(key(place));
  }

  std::optional<Bytes> read(const FileName& file) override {
    auto content = content_.lock();
    const auto found = content->files.find(file);
    if (found == content->files.end()) return {};
    if (file.type == FileType::kIndex) ++content->index_reads;
    return Bytes::copy_of(as_bytes(found->second));
  }
  void keep(const FileName& file, ByteView bytes) override {
    content_.lock()->files[file] = as_text(bytes);
  }
  void reject(const FileName& file) override { content_.lock()->rejected.push_back(file.name); }
  void forget(const FileName& file) override { content_.lock()->files.erase(file); }

  std::vector<std::string> names(FileType type) override {
    std::vector<std::string> all;
    auto content = content_.lock();
    for (const auto& [file, bytes] : content->files) {
      if (file.type == type) all.push_back(file.name);
    }
    return all;
  }

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

  UniqueFd open_merged_index() override {
    auto content = content_.lock();
    if (content->merged_index.empty()) return {};
    UniqueFd fd = nameless_file();
    const std::string& bytes = content->merged_index;
    EXPECT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    return fd;
  }
  bool keep_merged_index(std::uint64_t most_bytes,
                         const std::function<Status(int fd)>& write) override {
    const UniqueFd fd = nameless_file();
    if (!write(fd.get())) return false;
    std::string bytes(most_bytes + 1, '\0');
    const ssize_t size = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
    EXPECT_LE(size, static_cast<ssize_t>(most_bytes));
    bytes.resize(static_cast<std::size_t>(size));
    auto content = content_.lock();
    content->merged_index = std::move(bytes);
    ++content->merged_indexes_kept;
    return true;
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
  void forget_files() { content_.lock()->files.clear(); }
  void set_merged_index(std::string bytes) { content_.lock()->merged_index = std::move(bytes); }

 private:
  static UniqueFd nameless_file() { return UniqueFd(::memfd_create("merged index", MFD_CLOEXEC)); }
  static std::string key(const SealedPlace& place) {
    return place.pack.hex() + "/" + std::string(to_string(place.type)) + "/" +
           std::to_string(place.range.offset);
  }
  Guarded<Content> content_;
};

}  // namespace restree::testing
