#include "cache/pack_pieces.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace restree {

std::vector<SharedPiece> PackPieces::covering(const PackId& pack, ByteRange range) const {
  std::vector<SharedPiece> pieces;
  const auto known = packs_.find(pack);
  if (known == packs_.end()) return pieces;
  const ByOffset& by_offset = known->second;
  auto at = by_offset.upper_bound(range.offset);
  if (at != by_offset.begin() && std::prev(at)->second->end() > range.offset) --at;
  for (; at != by_offset.end() && at->first < range.offset + range.length; ++at) {
    pieces.push_back(at->second);
  }
  return pieces;
}

std::vector<ByteRange> PackPieces::gaps(const PackId& pack, ByteRange range) const {
  std::vector<ByteRange> gaps;
  std::uint64_t at = range.offset;
  const std::uint64_t end = range.offset + range.length;
  for (const SharedPiece& piece : covering(pack, range)) {
    if (piece->range.offset > at) gaps.push_back({at, piece->range.offset - at});
    at = std::max(at, piece->end());
  }
  if (at < end) gaps.push_back({at, end - at});
  return gaps;
}

SharedPiece PackPieces::add(const PackId& pack, BlobType type, ByteRange range) {
  auto piece = std::make_shared<Piece>();
  piece->pack = pack;
  piece->type = type;
  piece->range = range;
  auto& order = oldest_first_[number(type)];
  piece->place = order.insert(order.end(), piece);
  packs_[pack].emplace(range.offset, piece);
  held_[number(type)] += range.length;
  return piece;
}

void PackPieces::remove(const SharedPiece& piece) {
  const auto known = packs_.find(piece->pack);
  if (known == packs_.end()) return;
  const auto found = known->second.find(piece->range.offset);
  if (found == known->second.end() || found->second != piece) return;
  if (piece->state == PieceState::kLanded) {
    wasted_ += piece->range.length - std::min(piece->used, piece->range.length);
  }
  held_[number(piece->type)] -= piece->range.length;
  oldest_first_[number(piece->type)].erase(piece->place);
  known->second.erase(found);
  if (known->second.empty()) packs_.erase(known);
}

void PackPieces::use(const SharedPiece& piece, std::uint64_t bytes) {
  piece->used += bytes;
  if (piece->ahead) ahead_used_ += bytes;
  if (piece->used >= piece->range.length) remove(piece);
}

bool PackPieces::make_room(BlobType type, std::uint64_t bytes, Deadline::Clock::time_point stale) {
  const std::size_t budget = budgets_[number(type)];
  auto& order = oldest_first_[number(type)];
  for (auto at = order.begin(); at != order.end() && held_[number(type)] + bytes > budget;) {
    const SharedPiece piece = *at++;
    if (piece->state == PieceState::kLanded && piece->landed_at <= stale) remove(piece);
  }
  return held_[number(type)] + bytes <= budget;
}

}  // namespace restree
