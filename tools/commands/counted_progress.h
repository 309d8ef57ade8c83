// How far a command has come with things that it counts: shown as it goes on, for commands that have
// no JSON, and as a line at the end.
//
// Ownership: `output` must outlive it. Threads: any for count(); one for the others.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tools/output/output.h"
#include "tools/output/ticker.h"

namespace restree {

class CountedProgress {
 public:
  // `what`: "packs copied".
  CountedProgress(const Output& output, std::string what)
      : output_(output), what_(std::move(what)) {}

  // Begins anew, with so many to come; 0: their number is not known.
  void begin(std::uint64_t all);
  // So many more are done.
  void count(std::uint64_t more = 1) { done_ += more; }
  // Nothing is shown any more. Returns the last state: "[0:07] 100.00%  3 / 3 packs copied".
  std::string end();

 private:
  std::string line() const;

  const Output& output_;
  const std::string what_;
  std::uint64_t all_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::chrono::steady_clock::time_point begun_ = {};
  // The last member, since its thread uses the others.
  std::optional<Ticker> ticker_;
};

}  // namespace restree
