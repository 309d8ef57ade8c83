// Watches in which order things are read, and says what will probably be read next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include "repo/base/guarded.h"

namespace restree {

// A range of a file, or of a directory's entries, that is worth loading now. May be empty.
struct Ahead {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool goes_on = false;  // the reader goes forward, also where nothing more is worth loading
};

// One reader's way through something that is counted from 0: the bytes of a file, or the files of
// a directory. As long as the reader goes forward without leaps the window grows; a leap closes it.
// Pure.
class ForwardReader {
 public:
  struct Limits {
    std::uint64_t first_window;
    std::uint64_t largest_window;
    std::uint64_t slack;  // a leap of up to this much, either way, still counts as going on
    // In how many steps a window moves forward: once one part of so many has been read, the same
    // amount is wanted behind the window's end. Few steps make fewer and larger requests, many keep
    // more loaded ahead of the reader.
    std::uint64_t steps = 2;
  };
  // Notes a read of [begin, end), and returns what to load that has not been returned before.
  Ahead note(std::uint64_t begin, std::uint64_t end, const Limits& limits);

 private:
  std::uint64_t reached_ = 0;
  std::uint64_t requested_ = 0;
  std::uint64_t window_ = 0;
};

// The readers at work, by inode. Several readers of one inode share a ForwardReader, since the
// kernel reads a file only once for all of them.
// Threads: any.  Limits: remembers the most recent kMostReaders.
class ReadAhead {
 public:
  static constexpr std::size_t kMostReaders = 4096;

  explicit ReadAhead(ForwardReader::Limits limits) : limits_(limits) {}
  // `largest_window`: a bound for now, if it is less than that of the limits.
  Ahead note(std::uint64_t inode, std::uint64_t begin, std::uint64_t end,
             std::uint64_t largest_window = ~std::uint64_t{0});
  // The reader has come to the end.
  void is_through(std::uint64_t inode);
  // How many readers are at work, at least 1: those that are not through and made one of the last
  // kActiveNotes notes.
  std::size_t active() const;

 private:
  static constexpr std::uint64_t kActiveNotes = 256;
  struct Reader {
    ForwardReader reader;
    std::uint64_t turn = 0;  // number of its last note; 0: it is through
    std::list<std::uint64_t>::iterator place;
  };
  struct State {
    std::unordered_map<std::uint64_t, Reader> readers;
    // The one that read last comes first; readers that are through stand at the back.
    std::list<std::uint64_t> recent;
    std::uint64_t turn = 0;
  };
  const ForwardReader::Limits limits_;
  Guarded<State> state_;
};

}  // namespace restree
