#include "fs/walk_ahead.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace restree {
namespace {

constexpr std::uint64_t kLargestSmall = 1 << 20;

// The next directory in a tree, from `next` on, which is moved past it; nullopt: there is none.
std::optional<BlobId> next_directory(const Tree& tree, std::size_t& next) {
  const std::span<const Node> nodes = tree.nodes();
  while (next < nodes.size()) {
    const Node& node = nodes[next++];
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

// Twice as much each time, but not more than a part of what has been read on this walk: where it
// ends, all of it is in vain.
std::size_t WalkAhead::widen(const BlobId& directory, std::size_t most_bytes) {
  auto state = state_.lock();
  const auto foreseen = state->trees.find(directory);
  if (foreseen == state->trees.end()) {
    state->walked = 0;
    state->window = 0;
  } else {
    state->walked += foreseen->second.bytes;
    state->window = std::min({state->window * 2, state->walked / kPartOfWalk, most_bytes});
  }
  state->window = std::max(state->window, std::min(kFirstWindow, most_bytes));
  return state->window;
}

// What of the way is in memory, from the inside out as far as nothing is missing.
std::vector<WalkAhead::Frame> WalkAhead::frames_of(const std::vector<Step>& way) const {
  std::vector<Frame> frames;
  for (const Step& step : way) {
    SharedTree tree = trees_.peek(step.tree);
    if (tree == nullptr) {
      frames.clear();
    } else {
      frames.push_back({std::move(tree), step.position + std::size_t{1}});
    }
  }
  return frames;
}

bool WalkAhead::is_new(const BlobId& directory) {
  auto state = state_.lock();
  if (state->prepared.size() >= kMostKnown) state->prepared.clear();
  return state->prepared.insert(directory).second;
}

void WalkAhead::prepare(const Frame& frame) {
  std::vector<BlobId> fresh;
  std::size_t next = frame.next;
  for (std::size_t i = 0; i < kSiblings; ++i) {
    const auto id = next_directory(*frame.tree, next);
    if (!id) break;
    if (is_new(*id)) fresh.push_back(*id);
  }
  if (!fresh.empty()) wanting_.fetch_trees(*frame.tree);
  for (const BlobId& id : fresh) {
    const Result<SharedTree> tree = trees_.load(id, Deadline::after(time_limit_));
    if (!tree) return;
    wanting_.fetch_trees(**tree);
  }
}

void WalkAhead::go_on(const std::vector<Step>& way, std::size_t most_bytes) {
  if (way.empty()) return;
  const std::size_t window = widen(way.back().tree, most_bytes);
  std::vector<Frame> frames = frames_of(way);
  if (window > kFirstWindow) std::ranges::for_each(frames, [&](const Frame& one) { prepare(one); });
  Plan plan;
  for (std::size_t count = 0; count < kMostTrees && plan.bytes < window && !frames.empty();) {
    const auto id = next_directory(*frames.back().tree, frames.back().next);
    if (!id) {
      frames.pop_back();
      continue;
    }
    // Half a window at a time: fewer and larger requests, and still half a window in hand.
    if (!plan.goes_further && plan.bytes > window / 2 && !is_known(*id)) break;
    ++count;
    Result<SharedTree> tree = trees_.load(*id, Deadline::after(time_limit_));
    if (!tree) break;
    add(plan, *id, **tree);
    frames.push_back({std::move(*tree), 0});
  }
  if (!plan.fetch.empty()) wanting_.fetch(plan.fetch);
  if (!plan.decode.empty()) wanting_.decode(plan.decode);
}

bool WalkAhead::is_known(const BlobId& directory) const {
  return state_.lock()->trees.contains(directory);
}

void WalkAhead::add(Plan& plan, const BlobId& id, const Tree& tree) {
  const bool is_near = plan.bytes < kDecoded;
  {
    auto state = state_.lock();
    if (state->trees.size() >= kMostKnown) state->trees.clear();
    const auto [place, is_new] = state->trees.try_emplace(id);
    const Known known = place->second;
    plan.goes_further |= is_new;
    if (!is_new && (known.is_decoded || !is_near)) {
      plan.bytes += known.bytes;
      return;
    }
  }
  std::size_t bytes = 0;
  for (const Node& node : tree.nodes()) {
    if (bytes >= kMostOfOne) break;
    if (!is_small_file(node)) continue;
    plan.fetch.push_back({node.content.front(), node.size});
    if (is_near) plan.decode.push_back(plan.fetch.back());
    bytes += node.size;
  }
  plan.bytes += bytes;
  state_.lock()->trees[id] = {.bytes = bytes, .is_decoded = is_near};
}

}  // namespace restree
