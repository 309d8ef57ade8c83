#include "tools/commands/counted_progress.h"

#include <fmt/core.h>

#include "tools/output/human.h"

namespace restree {

void CountedProgress::begin(std::uint64_t all) {
  ticker_.reset();
  all_ = all;
  done_ = 0;
  begun_ = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds never(0);
  ticker_.emplace(output_.is_json() ? never : output_.progress_interval(),
                  [this] { output_.io().status(line()); });
}

std::string CountedProgress::end() {
  ticker_.reset();  // first, as a line that it shows afterwards would stay
  output_.io().status("");
  return line();
}

std::string CountedProgress::line() const {
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
  const std::uint64_t done = done_;
  if (all_ == 0) return fmt::format("[{}]          {} {}", format_duration(elapsed), done, what_);
  return fmt::format("[{}] {}  {} / {} {}", format_duration(elapsed), format_percent(done, all_),
                     done, all_, what_);
}

}  // namespace restree
