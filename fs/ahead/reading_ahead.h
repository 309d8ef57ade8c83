// Loads ahead of a mount's readers what they will probably read next.
//
// From each read it guesses which bytes of the file follow, or which files of the directory, or
// which directories of the walk. What is guessed is loaded in two stages: far ahead, sealed bytes
// are fetched, as many as keep the line busy; near ahead, blobs are decoded, as many as keep the
// processors busy. A local repository needs only the second stage.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cache/blob_room.h"
#include "cache/pack_fetcher.h"
#include "cache/prefetcher.h"
#include "fs/ahead/read_ahead.h"
#include "fs/ahead/read_plan.h"
#include "fs/ahead/tree_source.h"
#include "fs/ahead/walk_ahead.h"
#include "repo/base/thread_pool.h"
#include "repo/repository.h"

namespace restree {

// Ownership: repository, caches and fetcher must outlive it. Owns the threads that load.
// Threads:   any; no call waits for the storage.
// Limits:    those of its options; one walk is followed at a time, and kMostWalks wait.
// Errors:    none: a reader that wants what could not be loaded gets the error itself.
class ReadingAhead {
 public:
  // A walk that finds this many others waiting is not followed: the next directory that the reader
  // comes to starts it again.
  static constexpr std::size_t kMostWalks = 4;
  // Directories above the nearest kMostSteps are not searched for what follows.
  static constexpr std::size_t kMostSteps = 16;

  struct Options {
    // The repository's source if its storage is far away, otherwise nullptr.
    PackFetcher* fetcher = nullptr;
    std::size_t threads = 4;
    std::size_t budget_bytes = 16 << 20;  // of plain blobs on their way to readers
    // The same as that of readers, since a reader may wait for a load that begins here.
    std::chrono::milliseconds time_limit{60'000};
  };

  ReadingAhead(Repository& repository, BlobRoom& blobs, TreeSource& trees, const Options& options);

  // A file that is being read.
  struct File {
    std::uint64_t inode;
    std::uint64_t directory;  // the inode of the directory that holds it
    SharedCompactTree tree;   // of that directory
    std::uint32_t position;   // of the file in that tree
  };
  // The way from a directory above down to the file, through at most kMostSteps trees.
  using Way = std::function<std::vector<WalkAhead::Step>()>;

  // Somebody reads the bytes from `begin` to `end` of the file. `way` is called at once or never.
  // Returns whether the reader goes forward through a file that it does not read at once.
  bool file_is_read(const File& file, const FileLayout& layout, std::uint64_t begin,
                    std::uint64_t end, const Way& way);
  // Somebody who reads forward gets the small files of a directory from `begin` to `last`.
  void files_are_given(const File& last, std::uint32_t begin, const Way& way);
  // Somebody lists a directory from its beginning, and will often go on into those below it.
  void directory_is_listed(const CompactTree& tree);

 private:
  using Wanted = Prefetcher::Wanted;

  bool bytes_are_read(const File& file, const FileLayout& layout, std::uint64_t begin,
                      std::uint64_t end);
  // Files from `begin` to that one.
  void small_files_are_read(const File& last, std::uint64_t begin, const Way& way);
  void follow_walk(std::vector<WalkAhead::Step> way);
  void fetch_files(std::span<const Wanted> wanted);
  std::vector<BlobLocation> missing_of(std::span<const Wanted> wanted);

  Repository& repository_;
  BlobRoom& blobs_;
  TreeSource& trees_;
  PackFetcher* const fetcher_;
  ReadAhead fetched_readers_;    // by the bytes of a file, for what is fetched
  ReadAhead decoded_readers_;    // by the bytes of a file, for what is decoded
  ReadAhead directory_readers_;  // by the files of a directory
  Prefetcher prefetcher_;        // its threads use what is above
  WalkAhead walk_ahead_;
  ThreadPool walker_;  // last: its thread uses what is above
};

}  // namespace restree
