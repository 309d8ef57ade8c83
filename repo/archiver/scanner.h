// Counts the files and bytes to back up while the backup already runs, so that progress can be
// shown.
//
// Threads: any; a call uses only the calling thread. Limits: a descriptor for each level of the
// deepest folder.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "repo/archiver/source_filter.h"
#include "repo/archiver/target_tree.h"
#include "repo/base/result.h"

namespace restree {

struct ScanTotals {
  std::uint64_t files = 0;  // regular files
  std::uint64_t bytes = 0;
};

struct ScanEvents {
  std::function<void(const std::string& path, const Error& error)> on_error;
  std::function<void(const ScanTotals& so_far)> on_progress;  // now and then
};

// Ends early when asked to stop.
ScanTotals scan(const TargetNode& targets, const SourceFilter& filter, const ScanEvents& events,
                const std::stop_token& stop);

}  // namespace restree
