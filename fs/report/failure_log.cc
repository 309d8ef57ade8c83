#include "fs/report/failure_log.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"

namespace restree {

FailureLog::FailureLog(Describe describe, std::function<Clock::time_point()> now)
    : describe_(std::move(describe)), now_(std::move(now)) {}

Error FailureLog::report(Error error, std::uint64_t inode, std::string_view doing) {
  ++count_;
  const std::string where = describe_(inode);
  const std::string line = fmt::format("{}: {}: {}", doing, where, error.message());
  const bool is_away = error.kind() == ErrorKind::kUnavailable;
  if (is_news(is_away ? where : line)) log::error("{}", line);
  return error;
}

void FailureLog::say_once(const std::string& subject, std::uint64_t inode, std::string_view what) {
  {
    auto said = said_.lock();
    if (said->contains(subject)) return;
    if (said->size() >= kMostRemembered) said->clear();
    said->insert(subject);
  }
  log::warning("{}: {}", describe_(inode), what);
}

bool FailureLog::is_news(const std::string& failure) {
  const Clock::time_point now = now_();
  auto logged = logged_.lock();
  if (logged->size() >= kMostRemembered && !logged->contains(failure)) logged->clear();
  const auto [last, is_first] = logged->try_emplace(failure, now);
  if (!is_first && now < last->second + kLoggedAgainAfter) return false;
  last->second = now;
  return true;
}

}  // namespace restree
