// Makes the index of a repository agree with the packs that are there.
//
// What is wrong is found without reading the packs: index files that are damaged, packs that no
// index names, packs that are missing, packs of another size than their blobs. The headers of packs
// say what they hold; their content is not looked at. New index files are written before old ones
// are removed, so that whatever ends it leaves every blob that was in the index there.
//
// Ownership: the repository must outlive it; it must be locked exclusively.
// Threads:   one; the callbacks are called by several at once where they say so.
// Limits:    a request to the storage takes no longer than `patience`. Memory: 60 bytes for each
//            pack, the largest index file, and the headers of eight packs.
// Errors:    kCancelled once a stop is requested. Those of the storage. All index files that were
//            there are still there then.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/repository.h"

namespace restree {

struct IndexRepairOptions {
  // Reads the headers of all packs, and believes index files only of packs where that fails.
  bool read_all_packs = false;
  std::chrono::seconds patience = std::chrono::minutes(15);
  std::stop_token stop = {};

  // The file cannot be read, and is removed in the end.
  std::function<void(const std::string& file, const Error& why)> on_damaged_index = {};
  // It is not there any more, and its blobs are taken out of the index.
  std::function<void(const PackId& pack)> on_missing_pack = {};
  // Its header is read; `indexed_bytes` is the size that the index gives it, 0 if no index names it.
  std::function<void(const PackId& pack, std::uint64_t stored_bytes, std::uint64_t indexed_bytes)>
      on_read = {};
  // By several threads: its header cannot be read. What the index says of it stays, as far as the
  // pack reaches.
  std::function<void(const PackId& pack, const Error& why)> on_unreadable_pack = {};
  // By several threads: so many of all headers were read.
  std::function<void(std::size_t read, std::size_t all)> on_progress = {};
};

struct IndexRepair {
  std::size_t packs_read = 0;
  std::size_t packs_missing = 0;
  std::size_t packs_unreadable = 0;
  std::size_t index_files_removed = 0;
};

Result<IndexRepair> repair_index(Repository& repository, const IndexRepairOptions& options);

}  // namespace restree
