#include "repo/storage/sftp/sftp_handles.h"

#include <algorithm>

#include "repo/base/waiting.h"

namespace restree {

void SftpHandles::set_most(std::size_t most) {
  auto state = state_.lock();
  state->peak = std::max<std::size_t>(1, most);
  state->is_limited = true;
}

template <class Predicate>
bool SftpHandles::wait_for_room(Guarded<State>::Handle& state, Deadline by, Predicate has_room) {
  if (has_room()) return true;
  // First, so that whoever ends a use from here on sees that somebody waits.
  ++state->waiting;
  state.mutex_lock().unlock();
  give_back_();
  state.mutex_lock().lock();
  const bool found = wait_until(moved_, state, by, has_room);
  --state->waiting;
  return found;
}

std::optional<SftpHandles::Turn> SftpHandles::begin(Deadline by) {
  auto state = state_.lock();
  const auto has_room = [&] { return !state->is_limited || state->begun < state->peak; };
  if (!wait_for_room(state, by, has_room)) return std::nullopt;
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
  auto state = state_.lock();
  return wait_for_room(state, by, [&] { return state->closed != turn.closed; });
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
