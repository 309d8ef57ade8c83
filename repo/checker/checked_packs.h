// The packs that the index files describe. Checks whether the index files agree with each other and
// with the pack files on the storage.
//
// Ownership: shares the index. Threads: as IndexWatch until take_index(); any afterwards.
// Limits:    4 bytes a blob and 100 a pack on top of the index.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/checker/check_report.h"
#include "repo/checker/damage.h"
#include "repo/index/index.h"
#include "repo/index/pack_contents.h"
#include "repo/repository.h"

namespace restree {

class CheckedPacks final : public IndexWatch {
 public:
  // Called while index files are being read.
  void pack(const std::string& file, const PackId& pack,
            std::span<const IndexedBlob> blobs) override;
  void damaged(const std::string& file, const Error& error) override;

  // Called once all index files are read. Reports to the listener what is wrong with them.
  void take_index(std::shared_ptr<const Index> index, CheckListener& listener,
                  CheckFindings& findings);
  // Compares the index with the pack files on the storage. Errors: those of listing the files.
  Status compare_with_storage(Storage& storage, Deadline by, CheckListener& listener,
                              CheckFindings& findings, Damage& damage);

  // Packs are identified by their numbers in the index.
  std::size_t count() const { return sizes_.size(); }
  const PackId& id(std::uint32_t number) const { return index_->packs()[number]; }
  // The size of the pack file as computed from the index, header included.
  std::uint64_t size(std::uint32_t number) const { return sizes_[number]; }
  // Whether the storage has it with that size, as compare_with_storage() has found.
  bool has_size(std::uint32_t number) const { return has_size_[number]; }
  // The positions in the index of the pack's blobs, sorted by their offset in the pack.
  std::span<const std::uint32_t> entries(std::uint32_t number) const {
    return contents_.of(number);
  }
  const Index& index() const { return *index_; }
  // Whether compare_with_storage() has not found the pack.
  bool is_missing(std::uint32_t number) const {
    return number < missing_.size() && missing_[number];
  }

 private:
  // Notes the blobs of a pack of which only so many bytes are there.
  void note_lost_part(std::uint32_t number, std::uint64_t size_bytes, Damage& damage) const;

  struct Described {
    std::uint64_t content = 0;  // a hash of the blobs that one index file names
    std::string file;
    std::vector<std::string> other_files;
    bool differs = false;
  };

  // What the index files say, until take_index().
  struct Read {
    std::unordered_map<PackId, Described> described;
    std::vector<std::string> damaged_files;
  };

  Guarded<Read> read_;
  std::shared_ptr<const Index> index_;
  std::vector<std::uint64_t> sizes_;
  std::vector<bool> missing_;
  std::vector<bool> has_size_;
  PackContents contents_;
};

}  // namespace restree
