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
  if (end <= reached_) return {};
  reached_ = end;
  if (requested_ > end && requested_ - end > window_ - window_ / limits.steps) return {};
  window_ = std::clamp(window_ * 2, limits.first_window, limits.largest_window);
  const Ahead ahead{std::max(requested_, end), end + window_};
  if (ahead.end <= ahead.begin) return {};
  requested_ = ahead.end;
  return ahead;
}

Ahead ReadAhead::note(std::uint64_t inode, std::uint64_t begin, std::uint64_t end,
                      std::uint64_t largest_window) {
  ForwardReader::Limits limits = limits_;
  limits.largest_window = std::clamp(largest_window, limits.first_window, limits.largest_window);
  auto state = state_.lock();
  auto found = state->readers.find(inode);
  if (found == state->readers.end()) {
    if (state->readers.size() >= kMostReaders) {
      state->readers.erase(state->recent.back());
      state->recent.pop_back();
    }
    state->recent.push_front(inode);
    found = state->readers.emplace(inode, Reader{{}, state->recent.begin()}).first;
  } else {
    state->recent.splice(state->recent.begin(), state->recent, found->second.place);
  }
  return found->second.reader.note(begin, end, limits);
}

}  // namespace restree
