#include "tools/output/human.h"

#include <fmt/core.h>

#include <algorithm>

namespace restree {

std::string format_bytes(std::uint64_t bytes) {
  struct Unit {
    unsigned shift;
    const char* name;
  };
  for (const Unit unit : {Unit{40, "TiB"}, Unit{30, "GiB"}, Unit{20, "MiB"}, Unit{10, "KiB"}}) {
    const std::uint64_t one = std::uint64_t{1} << unit.shift;
    if (bytes < one) continue;
    return fmt::format("{:.3f} {}", static_cast<double>(bytes) / static_cast<double>(one),
                       unit.name);
  }
  return fmt::format("{} B", bytes);
}

std::string format_duration(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds >= 3600) {
    return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string format_percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "0.00%";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return fmt::format("{:.2f}%", std::min(percent, 100.0));
}

std::string format_all_done(std::size_t count, std::string_view what,
                            std::chrono::seconds elapsed) {
  if (count == 0) return fmt::format("[{}] {:>10} {}", format_duration(elapsed), count, what);
  return fmt::format("[{}] {}  {} / {} {}", format_duration(elapsed), format_percent(count, count),
                     count, count, what);
}

}  // namespace restree
