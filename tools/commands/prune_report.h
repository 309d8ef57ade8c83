// What `prune` prints while it works and at its end, in restic's words and its JSON.
//
// Ownership: output must outlive it. Threads: one; progress is shown from a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "repo/pruner/pruner.h"
#include "tools/output/output.h"
#include "tools/output/ticker.h"

namespace restree {

class PruneReport final : public PruneListener {
 public:
  // `prints_json`: with --json, show_statistics() prints its object.
  PruneReport(const Output& output, bool prints_json)
      : output_(output), prints_json_(prints_json) {}

  // From now on, shows how far the work is: `done` of `total`, or only `done` if that is 0.
  void begin_counting(const std::string& what, std::uint64_t total,
                      std::function<std::uint64_t()> done);
  // Prints the line that says that all is done.
  void end_counting(std::uint64_t total);
  // The same without a line, after an error.
  void stop_counting();

  // What begin() shows as done.
  void count_by(std::function<std::uint64_t()> done) { done_ = std::move(done); }
  void begin(PruneStep step, std::uint64_t total) override;
  void end(PruneStep step) override;
  void not_removed(const std::string& file, const Error& error) override;

  // Says what the copies need. `room`: what may be written for them so that `keep_free_bytes` stay free.
  void show_need(std::uint64_t needed_bytes, std::uint64_t room, std::uint64_t keep_free_bytes);
  // What is about to be done is one round of several.
  void begin_round(const PrunePlan& plan, const PruneRound& round);

  void show_statistics(const PrunePlan& plan, const WholeIndex& index, bool is_dry_run);

 private:
  void show_amounts(const PruneStatistics& sum);
  void show_packs(const PruneStatistics& sum);
  void show_json(const PruneStatistics& sum) const;

  const Output& output_;
  const bool prints_json_;
  std::function<std::uint64_t()> done_;
  std::string what_;
  std::uint64_t total_ = 0;
  std::uint64_t repacked_packs_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace restree
