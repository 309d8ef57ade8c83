// The outages of a storage that have ended, counted: what failed before such an end says nothing of
// the time after it.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace restree {

class Outages {
 public:
  void note_end() { ++ended_; }
  std::uint64_t ended() const { return ended_; }

 private:
  std::atomic<std::uint64_t> ended_ = 0;
};

}  // namespace restree
