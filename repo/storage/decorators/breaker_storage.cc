#include "repo/storage/decorators/breaker_storage.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <random>
#include <system_error>
#include <type_traits>
#include <utility>

#include "repo/base/log.h"

namespace restree {
namespace {

using std::chrono::system_clock;

template <class T>
std::uint64_t size_of(const T& result) {
  if constexpr (std::is_same_v<T, Result<Bytes>> || std::is_same_v<T, Result<MutableByteView>>) {
    return result->size();
  } else {
    return 0;
  }
}

// Any other error, whatever it says, comes from a server that has answered.
bool is_answer(const Error& error) {
  return error.kind() != ErrorKind::kUnavailable && error.kind() != ErrorKind::kCancelled;
}

}  // namespace

BreakerStorage::BreakerStorage(std::shared_ptr<Storage> inner, BreakerTiming timing)
    : ForwardingStorage(std::make_shared<ConfirmedStorage>(
          std::move(inner), [this](const std::string& why) { note_vanished(why); })),
      confirmed_(static_cast<ConfirmedStorage&>(ForwardingStorage::inner())),
      timing_(std::move(timing)) {
  state_.lock()->figures.since = system_clock::now();
}

BreakerStorage::~BreakerStorage() {
  state_.lock()->ending = true;
  changed_.notify_all();
}

std::optional<Error> BreakerStorage::begin() {
  auto state = state_.lock();
  if (state->away) {
    ++state->figures.failures;
    return state->away;
  }
  if (state->pending++ == 0) state->unanswered_since = timing_.now();
  return std::nullopt;
}

void BreakerStorage::end(const Error* failure, std::uint64_t read_bytes) {
  std::chrono::duration<double> waited{};
  {
    const auto now = timing_.now();
    auto state = state_.lock();
    --state->pending;
    if (failure == nullptr || is_answer(*failure)) {
      ++state->figures.requests;
      state->figures.read_bytes += read_bytes;
      state->unanswered_since = now;
      return;
    }
    if (failure->kind() == ErrorKind::kCancelled) return;
    ++state->figures.failures;
    if (state->away || state->ending) return;
    // Most of a deadline: part of it may have passed before the server was asked.
    waited = now - state->unanswered_since;
    if (waited < timing_.patience * 3 / 4) return;
    set_away(*state, "the server is away", failure->message());
  }
  log::warning(
      "{}: no answer for {:.0f} s; until it is back, everything that needs it fails at once",
      description(), waited.count());
}

void BreakerStorage::believe_away(const Error& why) {
  auto state = state_.lock();
  if (!state->away && !state->ending) set_away(*state, "the server is away", why.message());
}

// Also if the server was away before: it is back, and the repository is not.
void BreakerStorage::note_vanished(const std::string& why) {
  {
    auto state = state_.lock();
    if (state->ending || state->vanished == why) return;
    state->vanished = why;
    set_away(*state, "the repository is away", why);
  }
  log::warning("{}: {}; until it is back, everything that needs it fails at once", description(),
               why);
}

void BreakerStorage::set_away(State& state, std::string_view what, const std::string& why) {
  if (!state.figures.is_away) {
    state.figures.is_away = true;
    state.figures.since = system_clock::now();
    state.away_since = timing_.now();
  }
  const std::tm local = fmt::localtime(system_clock::to_time_t(state.figures.since));
  state.away = Error(ErrorKind::kUnavailable,
                     fmt::format("{}: {} since {:%H:%M:%S}: {}", description(), what, local, why));
  try {
    if (!prober_.joinable()) prober_ = std::jthread([this] { probe_on(); });
  } catch (const std::system_error& failure) {  // the next call that fails tries it again
    log::debug("{} is not probed: {}", description(), failure.what());
  }
  changed_.notify_all();
}

void BreakerStorage::on_return(std::function<void()> call) { *on_return_.lock() = std::move(call); }

void BreakerStorage::probe_on() {
  std::minstd_rand engine{std::random_device{}()};
  std::uniform_real_distribution<double> luck(0, 1);
  unsigned failures = 0;
  for (;;) {
    {
      auto state = state_.lock();
      if (!state->away) failures = 0;
      changed_.wait(state.mutex_lock(), [&] { return state->away || state->ending; });
      changed_.wait_for(state.mutex_lock(), timing_.between_probes.wait(++failures, luck(engine)),
                        [&] { return state->ending; });
      if (state->ending) return;
    }
    const Status found = confirmed_.probe(Deadline::after(timing_.probe_limit));
    if (!found && found.error().kind() == ErrorKind::kCancelled) return;
    // A server that answers with an error is back; a repository that has vanished is back only if
    // the probe finds it.
    const bool had_vanished = !state_.lock()->vanished.empty();
    const bool is_back = found || (is_answer(found.error()) && !had_vanished);
    if (is_back) note_return();
  }
}

void BreakerStorage::note_return() {
  std::chrono::duration<double> lasted{};
  bool had_vanished = false;
  {
    auto state = state_.lock();
    const auto now = timing_.now();
    had_vanished = !std::exchange(state->vanished, {}).empty();
    lasted = now - state->away_since;
    outages_->note_end();
    state->away.reset();
    state->figures.is_away = false;
    state->figures.since = system_clock::now();
    state->unanswered_since = now;
  }
  if (had_vanished) {
    log::warning("{}: the repository is there again, after {:.1f} s", description(),
                 lasted.count());
  }
  const std::function<void()> call = *on_return_.lock();
  if (call) call();
}

BreakerStorage::Figures BreakerStorage::figures() const { return state_.lock()->figures; }

template <class Call>
auto BreakerStorage::pass(Call call) -> decltype(call()) {
  if (std::optional<Error> away = begin()) return std::move(*away);
  auto result = call();
  end(result ? nullptr : &result.error(), result ? size_of(result) : 0);
  return result;
}

Status BreakerStorage::reach(Deadline by) {
  return pass([&] { return inner().reach(by); });
}

Status BreakerStorage::make_folders(Deadline by) {
  return pass([&] { return inner().make_folders(by); });
}

Result<std::vector<ListedFile>> BreakerStorage::list(FileType type, Deadline by) {
  return pass([&] { return inner().list(type, by); });
}

Result<std::uint64_t> BreakerStorage::size(const FileName& file, Deadline by) {
  return pass([&] { return inner().size(file, by); });
}

Result<Bytes> BreakerStorage::read(const FileName& file, ByteRange range, Deadline by) {
  return pass([&] { return inner().read(file, range, by); });
}

Result<MutableByteView> BreakerStorage::read_into(Bytes& buffer, const FileName& file,
                                                  ByteRange range, Deadline by) {
  return pass([&] { return inner().read_into(buffer, file, range, by); });
}

Result<Bytes> BreakerStorage::read_all(const FileName& file, Deadline by) {
  return pass([&] { return inner().read_all(file, by); });
}

Status BreakerStorage::write(const FileName& file, ByteView content, Deadline by) {
  return pass([&] { return inner().write(file, content, by); });
}

Status BreakerStorage::join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
                            Deadline by) {
  return pass([&] { return inner().join(ranges, end, name, by); });
}

Status BreakerStorage::remove(const FileName& file, Deadline by) {
  return pass([&] { return inner().remove(file, by); });
}

Result<std::size_t> BreakerStorage::remove_leftovers(const Leftovers& which, Deadline by) {
  return pass([&] { return inner().remove_leftovers(which, by); });
}

Result<std::optional<std::uint64_t>> BreakerStorage::free_bytes(Deadline by) {
  return pass([&] { return inner().free_bytes(by); });
}

}  // namespace restree
