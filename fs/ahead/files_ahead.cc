#include "fs/ahead/files_ahead.h"

#include <algorithm>
#include <utility>

#include "fs/ahead/walk_ahead.h"

namespace restree {
namespace {

// Directories and large files may lie between the files that a reader asks for.
constexpr std::uint32_t kMostBetween = 64;

// The small files that follow, up to one more than are wanted.
struct Following {
  FilesAhead::Range range = {};            // those that may be given
  std::optional<std::uint32_t> next = {};  // the one after them; nullopt: not seen
  bool has_ended = false;                  // the directory has no others
};

Following look(const CompactTree& tree, std::uint32_t position, std::size_t wanted) {
  const CompactTree::Nodes nodes = tree.nodes();
  const std::size_t end =
      std::min<std::size_t>(nodes.size(), position + 1 + FilesAhead::kMostLooked);
  Following found;
  found.range = {position + 1, position + 1};
  std::optional<std::uint32_t> last;
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = position + std::size_t{1}; i < end; ++i) {
    const Node node = nodes[i];
    if (!is_small_file(node)) continue;
    const auto here = static_cast<std::uint32_t>(i);
    bytes += node.size;
    if (count == wanted || bytes > FilesAhead::kMostBytes) {
      if (count > 0) found.range.end = here;
      found.next = here;
      return found;
    }
    ++count;
    last = here;
  }
  // The last file is to be asked for.
  found.has_ended = end == nodes.size();
  if (count > 1) found.range.end = *last;
  found.next = last;
  return found;
}

}  // namespace

FilesAhead::Reader* FilesAhead::find(State& state, std::uint64_t directory) {
  const auto found = std::ranges::find(state.readers, directory, &Reader::directory);
  if (found == state.readers.end()) return nullptr;
  state.readers.splice(state.readers.begin(), state.readers, found);
  return &state.readers.front();
}

FilesAhead::Range FilesAhead::file_is_read(std::uint64_t directory, const CompactTree& tree,
                                           std::uint32_t position) {
  auto state = state_.lock();
  Reader* reader = find(*state, directory);
  if (reader == nullptr) {
    if (state->readers.size() >= kMostReaders) state->readers.pop_back();
    state->readers.push_front({.directory = directory});
    reader = &state->readers.front();
    // Only a reader that came to the end of a directory hands on what it got, and to one other.
    if (position <= kMostBetween) reader->window = std::exchange(state->inherited, 0);
  } else if (position < reader->next) {
    return {};  // it was asked for before it was given, or is read once more
  } else if (position - reader->next <= kMostBetween) {
    reader->window = std::clamp(reader->window * 2, kFirst, kMost);
  } else {
    reader->window = 0;
  }
  const Following following = look(tree, position, reader->window);
  if (!following.next && following.has_ended) {
    state->inherited = reader->window;
    state->readers.pop_front();
    return {};
  }
  reader->next = following.next.value_or(position + 1);
  return following.range;
}

void FilesAhead::is_given_until(std::uint64_t directory, std::uint32_t position) {
  auto state = state_.lock();
  Reader* const reader = find(*state, directory);
  if (reader != nullptr) reader->next = std::min(reader->next, position);
}

}  // namespace restree
