#include "fs/ahead/walk_ahead.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace restree {
namespace {

constexpr std::uint64_t kLargestSmall = 1 << 20;

// The next directory in a tree from position `next` on. Moves `next` behind it. nullopt: no
// directory follows.
std::optional<BlobId> next_directory(const CompactTree& tree, std::size_t& next) {
  const CompactTree::Nodes nodes = tree.nodes();
  while (next < nodes.size()) {
    const Node node = nodes[next++];
    if (node.type == NodeType::kDirectory && node.subtree) return *node.subtree;
  }
  return std::nullopt;
}

}  // namespace

bool is_small_file(const Node& node) {
  return node.type == NodeType::kFile && node.content.size() == 1 && node.size <= kLargestSmall;
}

WalkAhead::WalkAhead(TreeSource& trees, Wanting wanting, std::chrono::milliseconds time_limit)
    : trees_(trees), wanting_(std::move(wanting)), time_limit_(time_limit) {}

std::size_t WalkAhead::widen(const BlobId& directory, std::size_t most_bytes) {
  auto state = state_.lock();
  const bool was_foreseen = state->trees.contains(directory);
  state->window = was_foreseen ? std::min(state->window * 2, most_bytes) : 0;
  state->window = std::max(state->window, std::min(kFirstWindow, most_bytes));
  return state->window;
}

// The part of the way whose trees are in memory: from the innermost outwards, up to the first tree
// that is missing.
std::vector<WalkAhead::Frame> WalkAhead::frames_of(const std::vector<Step>& way) const {
  std::vector<Frame> frames;
  for (const Step& step : way) {
    SharedCompactTree tree = trees_.peek(step.tree);
    if (tree == nullptr) {
      frames.clear();
    } else {
      frames.push_back({std::move(tree), step.position + std::size_t{1}});
    }
  }
  return frames;
}

void WalkAhead::go_on(const std::vector<Step>& way, std::size_t most_bytes) {
  if (way.empty()) return;
  const std::size_t window = widen(way.back().tree, most_bytes);
  std::vector<Frame> frames = frames_of(way);
  std::size_t bytes = 0;
  for (std::size_t count = 0; count < kMostTrees && bytes < window && !frames.empty();) {
    const auto id = next_directory(*frames.back().tree, frames.back().next);
    if (!id) {
      frames.pop_back();
      continue;
    }
    ++count;
    Result<SharedCompactTree> tree = trees_.load(*id, Deadline::after(time_limit_));
    if (!tree) return;
    bytes += want(*id, **tree, bytes < kDecoded);
    frames.push_back({std::move(*tree), 0});
  }
}

std::size_t WalkAhead::want(const BlobId& id, const CompactTree& tree, bool is_near) {
  Known before;
  {
    auto state = state_.lock();
    if (state->trees.size() >= kMostKnown) state->trees.clear();
    const auto [known, is_new] = state->trees.try_emplace(id);
    before = known->second;
    if (!is_new && (before.is_decoded || !is_near)) return before.bytes;
  }
  std::vector<Prefetcher::Wanted> files;
  std::size_t bytes = 0;
  for (const Node node : tree.nodes()) {
    if (bytes >= kMostOfOne) break;
    if (!is_small_file(node)) continue;
    files.push_back({node.content.front(), memory_size(node.size)});
    bytes += files.back().size_bytes;
  }
  state_.lock()->trees[id] = {.bytes = bytes, .is_decoded = is_near};
  wanting_.fetch(files);
  if (is_near) wanting_.decode(files);
  return bytes;
}

}  // namespace restree
