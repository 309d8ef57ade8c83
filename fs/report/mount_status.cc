#include "fs/report/mount_status.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

namespace restree {
namespace {

// The largest number is shorter, and so is a time with its quotes.
constexpr int kValueWidth = 22;
constexpr int kNameWidth = 26;

std::string value(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string value(const std::optional<MountStatus::Time>& time) {
  if (!time) return "null";
  const std::time_t seconds = std::chrono::system_clock::to_time_t(*time);
  return fmt::format("\"{:%Y-%m-%dT%H:%M:%SZ}\"", fmt::gmtime(seconds));
}

}  // namespace

// Names and values come from this file, so none of them needs to be escaped.
std::string status_json(const MountStatus& status) {
  std::string json = "{";
  const auto add = [&](std::string_view name, const std::string& text) {
    json += fmt::format("{}\n  {:<{}}{:>{}}", json.size() > 1 ? "," : "",
                        fmt::format("\"{}\":", name), kNameWidth, text, kValueWidth);
  };
  add("online", status.online ? "true" : "false");
  add("since", value(status.since));
  add("listed", value(status.listed));
  add("audit_findings", value(status.audit_findings));
  add("connections", value(status.connections));
  add("round_trip_us", value(status.round_trip_us));
  add("bytes_per_second", value(status.bytes_per_second));
  add("requests", value(status.requests));
  add("failed_requests", value(status.failed_requests));
  add("fetched_bytes", value(status.fetched_bytes));
  add("cache_hits", value(status.cache_hits));
  add("cache_misses", value(status.cache_misses));
  add("cache_hit_bytes", value(status.cache_hit_bytes));
  add("cache_kept_bytes", value(status.cache_kept_bytes));
  add("cache_left_out", value(status.cache_left_out));
  add("cache_damaged", value(status.cache_damaged));
  add("reads", value(status.reads));
  add("given_files", value(status.given_files));
  add("served_bytes", value(status.served_bytes));
  add("given_up_bytes", value(status.given_up_bytes));
  add("errors", value(status.errors));
  add("problems", value(status.problems));
  add("second_blobs", value(status.second_blobs));
  add("prefetch_used_bytes", value(status.prefetch_used_bytes));
  add("prefetch_wasted_bytes", value(status.prefetch_wasted_bytes));
  add("warm_bytes", value(status.warm_bytes));
  add("warm_bytes_done", value(status.warm_bytes_done));
  add("inodes", value(status.inodes));
  add("index_blobs", value(status.index_blobs));
  add("index_bytes", value(status.index_bytes));
  add("memory_bytes", value(status.memory_bytes));
  add("memory_peak_bytes", value(status.memory_peak_bytes));
  json += "\n}\n";
  return json;
}

std::size_t status_bytes() {
  static const std::size_t bytes = status_json({}).size();
  return bytes;
}

void add_memory_use(MountStatus& status) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (file >> all >> resident) {
    status.memory_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    status.memory_peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  }
}

}  // namespace restree
