#include "fs/ahead/read_ahead.h"

#include <algorithm>

namespace restree {

Ahead ForwardReader::note(std::uint64_t begin, std::uint64_t end, const Limits& limits) {
  const bool goes_on = begin <= reached_ + limits.slack && end + limits.slack >= reached_;
  if (!goes_on) {
    reached_ = end;
    requested_ = end;
    window_ = 0;
    return {};
  }
  if (end <= reached_) return {.goes_on = true};
  reached_ = end;
  if (requested_ > end && requested_ - end > window_ - window_ / limits.steps) {
    return {.goes_on = true};
  }
  window_ = std::clamp(window_ * 2, limits.first_window, limits.largest_window);
  const Ahead ahead{std::max(requested_, end), end + window_, true};
  if (ahead.end <= ahead.begin) return {.goes_on = true};
  requested_ = ahead.end;
  return ahead;
}

Ahead ReadAhead::note(std::uint64_t inode, std::uint64_t begin, std::uint64_t end,
                      std::uint64_t largest_window) {
  ForwardReader::Limits limits = limits_;
  limits.largest_window = std::min(largest_window, limits.largest_window);
  limits.first_window = std::min(limits.first_window, limits.largest_window);
  auto state = state_.lock();
  auto found = state->readers.find(inode);
  if (found == state->readers.end()) {
    if (state->readers.size() >= kMostReaders) {
      state->readers.erase(state->recent.back());
      state->recent.pop_back();
    }
    state->recent.push_front(inode);
    found =
        state->readers.emplace(inode, Reader{.reader = {}, .place = state->recent.begin()}).first;
  } else {
    state->recent.splice(state->recent.begin(), state->recent, found->second.place);
  }
  found->second.turn = ++state->turn;
  return found->second.reader.note(begin, end, limits);
}

void ReadAhead::is_through(std::uint64_t inode) {
  auto state = state_.lock();
  const auto found = state->readers.find(inode);
  if (found == state->readers.end()) return;
  found->second.turn = 0;
  state->recent.splice(state->recent.end(), state->recent, found->second.place);
}

std::size_t ReadAhead::active() const {
  const auto state = state_.lock();
  std::size_t count = 0;
  for (const std::uint64_t inode : state->recent) {
    const std::uint64_t turn = state->readers.find(inode)->second.turn;
    if (turn == 0 || turn + kActiveNotes <= state->turn) break;
    ++count;
  }
  return std::max<std::size_t>(count, 1);
}

}  // namespace restree
