// The state and the counters of a mount, and how .restree/status shows them.
//
// Pure values and functions; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace restree {

// Counted since the mount began, unless a comment says otherwise; nullopt: this mount has no such
// part. The file has a field of the same name for each, which restreefs(8) explains.
struct MountStatus {
  using Time = std::chrono::system_clock::time_point;

  bool online = true;
  std::optional<Time> since;                    // when `online` last changed
  std::optional<Time> listed;                   // when the storage last listed the snapshots
  std::optional<std::uint64_t> audit_findings;  // that `restree audit` would tell
  std::optional<std::uint64_t> connections;
  std::optional<std::uint64_t> round_trip_us;
  std::optional<std::uint64_t> bytes_per_second;
  std::optional<std::uint64_t> requests;
  std::optional<std::uint64_t> failed_requests;
  std::optional<std::uint64_t> fetched_bytes;

  std::optional<std::uint64_t> cache_hits;
  std::optional<std::uint64_t> cache_misses;
  std::optional<std::uint64_t> cache_hit_bytes;
  std::optional<std::uint64_t> cache_kept_bytes;
  std::optional<std::uint64_t> cache_left_out;
  std::optional<std::uint64_t> cache_damaged;

  std::uint64_t reads = 0;
  std::uint64_t given_files = 0;
  std::uint64_t served_bytes = 0;
  std::uint64_t given_up_bytes = 0;
  std::uint64_t errors = 0;
  std::uint64_t problems = 0;                 // in .restree/problems
  std::optional<std::uint64_t> second_blobs;  // that the second repository gave
  std::optional<std::uint64_t> prefetch_used_bytes;
  std::optional<std::uint64_t> prefetch_wasted_bytes;
  std::optional<std::uint64_t> warm_bytes;
  std::optional<std::uint64_t> warm_bytes_done;

  std::uint64_t inodes = 0;
  std::uint64_t index_blobs = 0;
  std::uint64_t index_bytes = 0;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> memory_peak_bytes;
};

// A JSON object, one field a line. Its length is always status_bytes(), whatever the values, since
// the length of a hidden file must not change (hidden_files.h).
std::string status_json(const MountStatus& status);
std::size_t status_bytes();

// What the process takes in memory now and took at most.
void add_memory_use(MountStatus& status);

}  // namespace restree
