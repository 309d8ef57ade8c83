// The packs that the index files describe, and whether they agree among themselves and with what
// the storage has.
//
// Ownership: shares the index. Threads: as IndexWatch while it is filled; any afterwards.
// Limits:    4 bytes a blob and 100 a pack on top of the index.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/clock.h"
#include "repo/checker/check_report.h"
#include "repo/index/index.h"
#include "repo/repository.h"

namespace restree {

class CheckedPacks final : public IndexWatch {
 public:
  // While index files are read.
  void pack(const std::string& file, const PackId& pack,
            std::span<const IndexedBlob> blobs) override;
  void damaged(const std::string& file, const Error& error) override;

  // Once they are. What is wrong with them goes to the listener.
  void take_index(std::shared_ptr<const Index> index, CheckListener& listener,
                  CheckFindings& findings);
  // Compares with the files there are. Errors: those of the listing.
  Status compare_with_storage(Storage& storage, Deadline by, CheckListener& listener,
                              CheckFindings& findings);

  // By their numbers in the index.
  std::size_t count() const { return sizes_.size(); }
  const PackId& id(std::uint32_t number) const { return index_->packs()[number]; }
  // By the index, header included.
  std::uint64_t size(std::uint32_t number) const { return sizes_[number]; }
  // Positions in the index, by offset.
  std::span<const std::uint32_t> entries(std::uint32_t number) const;
  const Index& index() const { return *index_; }

 private:
  struct Described {
    std::uint64_t content = 0;  // a hash of the blobs that one index file names
    std::string file;
    std::vector<std::string> other_files;
    bool differs = false;
  };

  std::mutex mutex_;
  std::unordered_map<PackId, Described> described_;
  std::vector<std::string> damaged_files_;
  std::shared_ptr<const Index> index_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::uint32_t> order_;   // positions, pack by pack
  std::vector<std::uint32_t> begins_;  // in order_, by pack, and the end
};

}  // namespace restree
