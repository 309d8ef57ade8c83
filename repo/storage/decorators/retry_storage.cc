#include "repo/storage/decorators/retry_storage.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/waiting.h"

namespace restree {

std::chrono::milliseconds BackOff::wait(unsigned failures, double luck) const {
  const double exponent = std::min(failures == 0 ? 0U : failures - 1, 60U);
  const double grown = static_cast<double>(first.count()) * std::pow(factor, exponent);
  const double full = std::min(grown, static_cast<double>(most.count()));
  return std::chrono::milliseconds(std::llround(full * (0.5 + 0.5 * luck)));
}

RetryWorld RetryWorld::real(const std::stop_token& stop) {
  return {
      [] { return Deadline::Clock::now(); },
      [stop](Deadline::Clock::time_point when) { restree::sleep_until(stop, when); },
      [] {
        thread_local std::minstd_rand engine{std::random_device{}()};
        return std::uniform_real_distribution<double>(0, 1)(engine);
      },
  };
}

RetryStorage::RetryStorage(std::shared_ptr<Storage> inner, BackOff back_off,
                           const std::stop_token& stop)
    : RetryStorage(std::move(inner), back_off, stop, RetryWorld::real(stop)) {}

RetryStorage::RetryStorage(std::shared_ptr<Storage> inner, BackOff back_off, std::stop_token stop,
                           RetryWorld world)
    : ForwardingStorage(std::move(inner)),
      back_off_(back_off),
      stop_(std::move(stop)),
      world_(std::move(world)) {}

template <class Attempt>
auto RetryStorage::repeat(Deadline by, Attempt attempt) -> decltype(attempt()) {
  note_call();
  for (unsigned failures = 1;; ++failures) {
    auto result = attempt();
    if (result || result.error().kind() != ErrorKind::kUnavailable) {
      // Any other error is an answer too: the other side is there.
      note_success();
      return result;
    }
    const auto until = end_of_attempts(by);
    note_failure(result.error(), until);
    if (stop_.stop_requested()) {
      return Error(ErrorKind::kCancelled, "stopped: " + result.error().message());
    }
    const auto now = world_.now();
    if (now >= until) return result;
    world_.sleep_until(std::min(until, now + back_off_.wait(failures, world_.luck())));
    if (stop_.stop_requested()) {
      return Error(ErrorKind::kCancelled, "stopped: " + result.error().message());
    }
    if (world_.now() >= until) return result;
  }
}

void RetryStorage::note_call() {
  auto trouble = trouble_.lock();
  if (!trouble->asked) trouble->asked = world_.now();
}

Deadline::Clock::time_point RetryStorage::end_of_attempts(Deadline by) const {
  const auto trouble = trouble_.lock();
  const auto asked = trouble->asked;
  if (trouble->was_reached || !asked) return by.when();
  return std::min(by.when(), *asked + kFirstContact);
}

void RetryStorage::note_failure(const Error& error, Deadline::Clock::time_point until) {
  const auto now = world_.now();
  {
    auto trouble = trouble_.lock();
    if (trouble->announced) return;
    if (!trouble->since) trouble->since = now;
    const auto told = trouble->told;
    trouble->announced = !told || now - *told >= kQuietTime;
    if (!trouble->announced) return;
    trouble->told = now;
  }
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(until - now);
  const bool has_end = left < std::chrono::hours(24 * 365);
  const std::time_t end = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() +
                                                               (has_end ? left : left.zero()));
  log::warning("{}: {}; trying again{}", description(), error.message(),
               has_end ? fmt::format(" until {:%H:%M:%S}", fmt::localtime(end)) : "");
}

void RetryStorage::note_success() {
  std::chrono::duration<double> lasted{};
  {
    const auto now = world_.now();
    auto trouble = trouble_.lock();
    trouble->was_reached = true;
    const auto since = std::exchange(trouble->since, std::nullopt);
    if (!since) return;
    lasted = now - *since;
    if (!std::exchange(trouble->announced, false)) return;
    trouble->told = now;
  }
  log::warning("{}: works again, after {:.1f} s", description(), lasted.count());
}

Status RetryStorage::reach(Deadline by) {
  return repeat(by, [&] { return inner().reach(by); });
}

Status RetryStorage::make_folders(Deadline by) {
  return repeat(by, [&] { return inner().make_folders(by); });
}

Result<std::vector<ListedFile>> RetryStorage::list(FileType type, Deadline by) {
  return repeat(by, [&] { return inner().list(type, by); });
}

Result<std::uint64_t> RetryStorage::size(const FileName& file, Deadline by) {
  return repeat(by, [&] { return inner().size(file, by); });
}

Result<Bytes> RetryStorage::read(const FileName& file, ByteRange range, Deadline by) {
  return repeat(by, [&] { return inner().read(file, range, by); });
}

Result<MutableByteView> RetryStorage::read_into(Bytes& buffer, const FileName& file,
                                                ByteRange range, Deadline by) {
  return repeat(by, [&] { return inner().read_into(buffer, file, range, by); });
}

Result<Bytes> RetryStorage::read_all(const FileName& file, Deadline by) {
  return repeat(by, [&] { return inner().read_all(file, by); });
}

Status RetryStorage::write(const FileName& file, ByteView content, Deadline by) {
  return repeat(by, [&] { return inner().write(file, content, by); });
}

Status RetryStorage::remove(const FileName& file, Deadline by) {
  bool again = false;
  return repeat(by, [&]() -> Status {
    Status removed = inner().remove(file, by);
    const bool gone = !removed && removed.error().kind() == ErrorKind::kNotFound;
    if (std::exchange(again, true) && gone) return {};
    return removed;
  });
}

Result<std::size_t> RetryStorage::remove_leftovers(const Leftovers& which, Deadline by) {
  return repeat(by, [&] { return inner().remove_leftovers(which, by); });
}

Result<std::optional<std::uint64_t>> RetryStorage::free_bytes(Deadline by) {
  return repeat(by, [&] { return inner().free_bytes(by); });
}

}  // namespace restree
