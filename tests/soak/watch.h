// What the mounts of a soak take of the machine, as a curve in a file, and whether that grows.
//
// Ownership: the file; a thread that adds to it now and then. The mounts must outlive it.
// Threads:   any, but one at a time for rest().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/support/mounted.h"

namespace restree::testing {

// Counted by the driver, shown in the curve.
struct SoakCounts {
  std::atomic<std::uint64_t> readings{0};
  std::atomic<std::uint64_t> bytes{0};    // read and compared
  std::atomic<std::uint64_t> excused{0};  // readings that failed, and may have
  std::atomic<std::uint64_t> faults{0};
  std::atomic<std::uint64_t> snapshots{0};  // that there are
  std::atomic<std::uint64_t> backups{0};
  std::atomic<std::uint64_t> prunes{0};
};

// Of one mount.
struct Use {
  std::uint64_t memory = 0;  // resident, bytes
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
  std::uint64_t children = 0;  // of its process, dead ones too
};
Use use_of(const Mounted& mounted);

class Watch {
 public:
  Watch(const std::filesystem::path& curve, std::chrono::milliseconds every,
        const std::vector<std::unique_ptr<Mounted>>& mounts, const SoakCounts& counts);

  // To be called when nobody reads. In the first half of a soak this notes the most that is in use
  // at rest; in the second half it waits until all is within the bounds beyond that. What stays
  // beyond them, or nothing.
  std::string rest(bool second_half);
  // The bounds, for people.
  static std::string bounds();

 private:
  void add_rows(const char* when);
  std::string excess(std::size_t mount, const Use& use) const;

  const std::vector<std::unique_ptr<Mounted>>& mounts_;
  const SoakCounts& counts_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::vector<Use> most_;  // at rest, in the first half
  Guarded<std::ofstream> curve_;
  std::jthread thread_;
};

}  // namespace restree::testing
