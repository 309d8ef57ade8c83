// Follows programs that read directory after directory, as cp, tar and rsync do, and says which
// files come next.
//
// When a reader nears the end of a directory's files, go_on() is called with the way that led to
// the directory. The directories that a walk comes to next are found in the trees of that way and
// below, and their files are wanted ahead: those of the nearest directories decoded, those of
// further ones fetched. A right prediction doubles the window; a wrong one starts it small again.
//
// Ownership: the trees must outlive it.
// Threads:   any but those that serve readers: go_on() waits for trees that are not in memory.
// Limits:    looks kMostTrees ahead, and waits `time_limit` for each of them; remembers kMostKnown.
// Errors:    none: a reader that wants what could not be loaded gets the error itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "cache/prefetcher.h"
#include "fs/ahead/tree_source.h"
#include "repo/base/guarded.h"

namespace restree {

// Whether a file has one blob and is so small that its first read gets all of it.
bool is_small_file(const Node& node);

class WalkAhead {
 public:
  using Files = std::span<const Prefetcher::Wanted>;
  // Called with files of one directory, in order. Files that were fetched far ahead are fetched
  // again when they are near, since they may have been left out, or dropped meanwhile.
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
  // A directory may have a million files: those after this many bytes are wanted only when a reader
  // has come to the directory.
  static constexpr std::size_t kMostOfOne = 4 << 20;

  WalkAhead(TreeSource& trees, Wanting wanting, std::chrono::milliseconds time_limit);

  // A reader reads files one after the other and comes to the end of a directory, or to a directory
  // inside. `way`: from an outer directory to the file that is read. At most `most_bytes` of files
  // are worth having ahead of the reader.
  void go_on(const std::vector<Step>& way, std::size_t most_bytes);

 private:
  struct Known {
    std::size_t bytes = 0;
    bool is_decoded = false;
  };
  struct State {
    std::unordered_map<BlobId, Known> trees;  // those whose files were wanted lately
    std::size_t window = 0;
  };
  struct Frame {
    SharedCompactTree tree;
    std::size_t next;
  };
  static constexpr std::size_t kMostKnown = 4096;

  std::size_t widen(const BlobId& directory, std::size_t most_bytes);
  std::vector<Frame> frames_of(const std::vector<Step>& way) const;
  // Wants the files of a directory; returns how many bytes they have.
  std::size_t want(const BlobId& id, const CompactTree& tree, bool is_near);

  TreeSource& trees_;
  const Wanting wanting_;
  const std::chrono::milliseconds time_limit_;
  Guarded<State> state_;
};

}  // namespace restree
