// Follows those who read directory after directory, as cp, tar and rsync do, and says which files
// come next.
//
// A reader who nears the end of a directory's files is told of here, with the way that led there.
// The directories that a walk comes to next are found in the trees around, and their files are
// wanted ahead: those of the next ones decoded, those beyond fetched. Who was foreseen gets twice
// as much the next time; who was not, little.
//
// Ownership: the trees must outlive it.
// Threads:   any, but none that serves a reader: trees that are not in memory have to be loaded.
// Limits:    looks kMostTrees ahead, and waits `time_limit` for each of them; remembers kMostKnown.
// Errors:    none: what cannot be loaded is found out by who reads it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "cache/prefetcher.h"
#include "fs/tree_source.h"
#include "repo/base/guarded.h"

namespace restree {

// Whether a file is so small that it is read whole as soon as it is read, of one blob.
bool is_small_file(const Node& node);

class WalkAhead {
 public:
  using Files = std::span<const Prefetcher::Wanted>;
  // Files of one directory, in order. What was fetched far ahead is told again when it is near: it
  // may have been left out, or dropped since.
  struct Wanting {
    std::function<void(Files)> fetch;
    std::function<void(Files)> decode;
  };
  // The entry of a tree at which a walk is, or into which it has gone down.
  struct Step {
    BlobId tree;
    std::uint32_t position;
  };

  static constexpr std::size_t kFirstWindow = 256 << 10;
  static constexpr std::size_t kDecoded = 1 << 20;
  static constexpr std::size_t kMostTrees = 64;
  // A directory may have a million files: what follows after this is left to who reads in it.
  static constexpr std::size_t kMostOfOne = 4 << 20;

  WalkAhead(TreeSource& trees, Wanting wanting, std::chrono::milliseconds time_limit);

  // Somebody reads files one after the other and comes to the end of a directory, or to one inside
  // of it. `way`: from an outer directory to the file that he reads. At most `most_bytes` of files
  // are worth having ahead of him.
  void go_on(const std::vector<Step>& way, std::size_t most_bytes);

 private:
  struct Known {
    std::size_t bytes = 0;
    bool is_decoded = false;
  };
  struct State {
    std::unordered_map<BlobId, Known> trees;  // whose files were wanted of late
    std::size_t window = 0;
  };
  struct Frame {
    SharedTree tree;
    std::size_t next;
  };
  static constexpr std::size_t kMostKnown = 4096;

  std::size_t widen(const BlobId& directory, std::size_t most_bytes);
  std::vector<Frame> frames_of(const std::vector<Step>& way) const;
  // The bytes of its files that are wanted.
  std::size_t want(const BlobId& id, const Tree& tree, bool is_near);

  TreeSource& trees_;
  const Wanting wanting_;
  const std::chrono::milliseconds time_limit_;
  Guarded<State> state_;
};

}  // namespace restree
