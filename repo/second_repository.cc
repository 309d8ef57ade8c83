#include "repo/second_repository.h"

#include <fmt/core.h>

#include <exception>
#include <system_error>
#include <utility>

#include "repo/base/last_resort.h"
#include "repo/base/log.h"
#include "repo/base/waiting.h"
#include "repo/repository.h"

namespace restree {

Result<SharedBlob> SecondRepository::load(BlobType type, const BlobId& id, const Error& why,
                                          Deadline by) {
  const std::shared_ptr<Repository> repository = opened(by);
  if (repository == nullptr) return why;
  Result<SharedBlob> blob = repository->load(type, id, by);
  if (!blob) {
    return Error(why.kind(), fmt::format("{}; and not in the second repository either: {}",
                                         why.message(), blob.error().message()))
        .hinting(why.hint());
  }
  ++given_;
  if (!has_told_use_.exchange(true)) {
    log::warning(
        "what cannot be read here is taken from the second repository {} from now on; first: {}",
        settings_.name, why.message());
  }
  return blob;
}

std::optional<std::uint32_t> SecondRepository::blob_size(BlobType type, const BlobId& id) {
  const std::shared_ptr<Repository> repository = opened(Deadline::never());
  return repository != nullptr ? repository->blob_size(type, id) : std::nullopt;
}

std::shared_ptr<Repository> SecondRepository::opened(Deadline by) {
  auto state = state_.lock();
  if (state->repository != nullptr) return state->repository;
  if (!state->is_opening && settings_.now() >= state->next_attempt) begin(*state);
  wait_until(ended_, state, Deadline::earlier(by, state->waited_for),
             [&] { return !state->is_opening; });
  return state->repository;
}

void SecondRepository::begin(State& state) {
  state.is_opening = true;
  state.waited_for = Deadline::after(settings_.patience);
  try {
    // One that has ended holds no lock any more, so that it is joined at once.
    opener_ = std::jthread([this](const std::stop_token& ending) { open(ending); });
  } catch (const std::system_error& failure) {  // the system has no more threads to give
    state.is_opening = false;
    postpone(state);
    if (!has_told_failure_.exchange(true)) tell_failure(error_of(failure));
  }
}

void SecondRepository::open(const std::stop_token& ending) {
  std::stop_source giving_up;
  const auto give_up = [&giving_up] { giving_up.request_stop(); };
  const std::stop_callback at_the_end(ending, give_up);
  const std::stop_callback at_a_stop(settings_.stop, give_up);
  Result<std::shared_ptr<Repository>> opened = std::shared_ptr<Repository>();
  try {
    opened = settings_.open(giving_up.get_token());
  } catch (const std::exception& failure) {  // the system has no more memory or threads to give
    opened = error_of(failure);
  }
  if (!giving_up.stop_requested()) {
    if (opened) {
      tell_polynomial(**opened);
    } else if (!has_told_failure_.exchange(true)) {
      tell_failure(opened.error());
    }
  }
  settle(std::move(opened));
}

void SecondRepository::settle(Result<std::shared_ptr<Repository>> opened) {
  {
    auto state = state_.lock();
    state->is_opening = false;
    if (opened) {
      state->repository = std::move(*opened);
    } else {
      postpone(*state);
    }
  }
  ended_.notify_all();
}

void SecondRepository::postpone(State& state) const {
  ++state.failures;
  state.next_attempt = settings_.now() + settings_.between_attempts.wait(state.failures, 1);
}

void SecondRepository::tell_failure(const Error& error) const {
  const auto pause = std::chrono::ceil<std::chrono::seconds>(settings_.between_attempts.wait(1, 1));
  log::error(
      "the second repository {} cannot be opened, so what cannot be read from {} stays unreadable: "
      "{}; it is tried again, after {} s at the earliest{}{}",
      settings_.name, settings_.first_name, error.message(), pause.count(),
      error.hint().empty() ? "" : ". ", error.hint());
}

void SecondRepository::tell_polynomial(const Repository& repository) const {
  if (repository.config().chunker_polynomial == settings_.first_polynomial) return;
  log::warning(
      "the second repository {} cuts files in other places than {}, so it lacks most of large "
      "files; for the next one, `restree init --from-repo {} --copy-chunker-params` makes one that "
      "cuts as this one does",
      settings_.name, settings_.first_name, settings_.first_name);
}

}  // namespace restree
