// Decides which small files of a directory the kernel gets before anybody asks for them.
//
// To ask for a small file costs more than to have it: two processes are woken for each request. So
// a program that reads the files of a directory in order gets the next ones along with the one that
// it asks for, and finds them in the kernel's page cache. It asks for none of those, so whether it
// wanted them shows in what it asks for next. The file right behind them means that it did, and
// doubles how many it gets the next time. The last file of a directory is never given: a request
// for it means that the directory was read to its end, and the one that follows begins with as many.
//
// Ownership: values.
// Threads:   any.
// Limits:    remembers the kMostReaders directories that were read last; looks at kMostLooked
//            entries a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "repo/base/guarded.h"
#include "repo/format/compact_tree.h"

namespace restree {

class FilesAhead {
 public:
  static constexpr std::size_t kFirst = 2;
  static constexpr std::size_t kMost = 32;
  static constexpr std::uint64_t kMostBytes = 1 << 20;
  static constexpr std::size_t kMostReaders = 64;
  static constexpr std::size_t kMostLooked = 256;

  // Positions in the tree of a directory. What lies between small files does not count.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool empty() const { return begin >= end; }
  };

  // Somebody has asked for the small file at `position`. Returns those that it should get now.
  Range file_is_read(std::uint64_t directory, const CompactTree& tree, std::uint32_t position);
  // Of those, it did not get the one at `position`, nor any after it.
  void is_given_until(std::uint64_t directory, std::uint32_t position);

 private:
  struct Reader {
    std::uint64_t directory = 0;
    std::uint32_t next = 0;  // the file that it asks for if it goes on
    std::size_t window = 0;  // how many it got
  };
  struct State {
    std::list<Reader> readers;  // the one that read last comes first
    // What a reader got that has come to the end of its directory, for the next directory.
    std::size_t inherited = 0;
  };
  // The reader of a directory, first in the list; nullptr: it is not known.
  static Reader* find(State& state, std::uint64_t directory);

  Guarded<State> state_;
};

}  // namespace restree
