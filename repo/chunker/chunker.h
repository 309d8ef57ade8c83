// Where a file is cut into chunks, so that equal stretches of files become equal chunks.
//
// A rolling hash over the last 64 bytes decides; the same as restic's, cut for cut. Each chunk is
// judged by its own bytes alone, so an insertion moves the cuts near it and no others.
//
// Ownership: two tables of 2 KiB. Threads: any; it never changes, one serves a whole repository.
// Limits:    no byte is read twice, but for the 64 before the place where a search goes on.
// Errors:    kUnsupported: a polynomial of another degree than 8 to 53, or one that is reducible.
// Format:    restic's design document and its chunker library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/chunker/polynomial.h"
#include "repo/chunker/wide_search.h"

namespace restree {

class Chunker {
 public:
  static constexpr std::size_t kMinChunkBytes = 512 << 10;
  static constexpr std::size_t kMaxChunkBytes = 8 << 20;

  enum class Search { kFastest, kPortable };
  // `polynomial`: the repository's own, from its config. kPortable searches as on a processor
  // without special instructions.
  static Result<Chunker> make(std::uint64_t polynomial, Search search = Search::kFastest);

  // The length of the chunk that begins with data[0], or nullopt if it does not end within `data`.
  // The caller then calls again with more bytes appended, and passes the size of the earlier `data`
  // as `searched`. At the end of the file, all that is left is the last chunk.
  std::optional<std::size_t> find_cut(ByteView data, std::size_t searched = 0) const;

 private:
  Chunker(std::uint64_t polynomial, Search search);

  // The smallest length from `first` to `last` at which the hash of the 64 bytes before marks a
  // cut. first >= 64.
  std::optional<std::size_t> search(const std::byte* data, std::size_t first,
                                    std::size_t last) const;
  std::optional<std::size_t> search_widely(const std::byte* data, std::size_t first) const;
  std::optional<std::size_t> search_in_lanes(const std::byte* data, std::size_t first) const;
  std::optional<std::size_t> first_cut(const std::byte* data, std::size_t first, std::size_t lane,
                                       std::size_t i) const;
  std::optional<std::size_t> search_in_order(const std::byte* data, std::size_t first,
                                             std::size_t last) const;
  std::uint64_t slid(std::uint64_t hash, std::byte leaving, std::byte entering) const;
  std::uint64_t hash_of_window(const std::byte* end) const;

  RollingTables tables_;
  unsigned shift_;
  std::optional<WideSearch> wide_;
};

}  // namespace restree
