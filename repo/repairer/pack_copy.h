// The copy of a damaged pack's file in a local folder, made before the pack is removed.
//
// Ownership: the repository must outlive the calls. Threads: any.
// Limits:    memory: the bytes of one storage request.
// Errors:    kInvalid: a file of that name is there already; it is left as it is. kNotFound: the pack
//            is missing. kCorrupt: nothing of it can be read. kLocalIo and others of the local disk;
//            then no copy is left behind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/repairer/unindexed_packs.h"
#include "repo/repository.h"

namespace restree {

struct PackCopyOptions {
  std::filesystem::path folder;
  // The copy is a temporary file without a name instead, which is gone once it is closed.
  bool is_nameless = false;
  std::chrono::seconds patience = std::chrono::minutes(15);
  std::stop_token stop = {};
  // Some of the pack cannot be read, and the copy has zeros there.
  std::function<void(const PackId& pack, std::uint64_t unread_bytes, const Error& why)> on_unread =
      {};
};

// "pack-ID", as restic calls it.
std::filesystem::path pack_copy_path(const std::filesystem::path& folder, const PackId& pack);

// Makes the copy, which is on the disk when this returns, and returns it open for reading.
Result<UniqueFd> save_pack_copy(Repository& repository, const StoredPack& pack,
                                const PackCopyOptions& options);

}  // namespace restree
