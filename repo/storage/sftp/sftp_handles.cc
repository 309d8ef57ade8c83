#include "repo/storage/sftp/sftp_handles.h"

#include <algorithm>

#include "repo/base/waiting.h"

namespace restree {

void SftpHandles::set_most(std::size_t most) {
  auto state = state_.lock();
  state->peak = std::max<std::size_t>(1, most);
  state->is_limited = true;
}

template <class HasRoom, class Take>
bool SftpHandles::wait_for_room(Deadline by, HasRoom has_room, Take take) {
  {
    auto state = state_.lock();
    if (has_room(*state)) {
      take(*state);
      return true;
    }
    // First, so that whoever ends a use from here on sees that somebody waits.
    ++state->waiting;
  }
  give_back_();
  auto state = state_.lock();
  const bool found = wait_until(moved_, state, by, [&] { return has_room(*state); });
  --state->waiting;
  if (found) take(*state);
  return found;
}

std::optional<SftpHandles::Turn> SftpHandles::begin(Deadline by) {
  std::optional<Turn> turn;
  wait_for_room(
      by, [](const State& state) { return !state.is_limited || state.begun < state.peak; },
      [&](State& state) { turn = Turn{.others = state.begun++, .closed = state.closed}; });
  return turn;
}

std::optional<SftpHandles::Turn> SftpHandles::begin_ahead() {
  auto state = state_.lock();
  if (state->is_limited && state->begun + kKeptFree >= state->peak) return std::nullopt;
  return Turn{.others = state->begun++, .closed = state->closed};
}

void SftpHandles::opened(const Turn& turn) {
  auto state = state_.lock();
  state->peak = std::max(state->peak, ++state->open);
  if (turn.repeated) state->is_limited = true;
}

void SftpHandles::opened_besides() {
  auto state = state_.lock();
  ++state->begun;
  state->peak = std::max(state->peak, ++state->open);
}

void SftpHandles::failed() {
  --state_.lock()->begun;
  moved_.notify_all();
}

bool SftpHandles::refused(const Turn& turn, Deadline by) {
  failed();
  if (turn.others == 0) return false;
  return wait_for_room(
      by, [&](const State& state) { return state.closed != turn.closed; }, [](State&) {});
}

void SftpHandles::closed() {
  {
    auto state = state_.lock();
    // A caller may close what it has opened by requests of its own.
    if (state->begun > 0) --state->begun;
    if (state->open > 0) --state->open;
    ++state->closed;
  }
  moved_.notify_all();
}

}  // namespace restree
