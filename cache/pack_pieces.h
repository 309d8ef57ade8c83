// Pieces of packs in memory, sealed: landed, being fetched, or waiting to be fetched. No byte of a
// pack is in two of them.
//
// Pure: the caller fetches the bytes, sets the states and passes the time.
// Ownership: pieces are shared with the readers that wait for them or copy from them.
// Threads:   one at a time, also for changing the pieces. `bytes` of a landed piece do not change
//            any more and may be read by any thread.
// Limits:    make_room() keeps what is fetched ahead of one type within its budget; pieces that
//            readers wait for may exceed it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/storage/storage.h"

namespace restree {

enum class PieceState : std::uint8_t { kWaiting, kFlying, kLanded, kFailed };

struct Piece {
  PackId pack;
  BlobType type;
  ByteRange range;
  PieceState state = PieceState::kWaiting;
  bool ahead = false;  // made before a reader wanted it
  Bytes bytes;         // set when it has landed
  std::uint64_t used = 0;
  unsigned copying = 0;  // how many readers are copying its bytes, without a lock
  Deadline::Clock::time_point landed_at{};
  std::list<std::shared_ptr<Piece>>::iterator place;

  std::uint64_t end() const { return range.offset + range.length; }
};
using SharedPiece = std::shared_ptr<Piece>;

class PackPieces {
 public:
  struct Budgets {
    std::size_t data_bytes;
    std::size_t tree_bytes;
  };
  explicit PackPieces(Budgets budgets) : budgets_{budgets.data_bytes, budgets.tree_bytes} {}

  // The pieces that overlap the range, in order, and the gaps between them.
  std::vector<SharedPiece> covering(const PackId& pack, ByteRange range) const;
  std::vector<ByteRange> gaps(const PackId& pack, ByteRange range) const;

  // The range must lie in a gap.
  SharedPiece add(const PackId& pack, BlobType type, ByteRange range);
  // Does nothing if the piece was removed before. Landed bytes that were not used count as wasted.
  void remove(const SharedPiece& piece);
  // Notes that bytes of the piece were handed out; once all of them were, it is removed.
  void use(const SharedPiece& piece, std::uint64_t bytes);

  // Removes pieces that landed before `stale`, the oldest first, until there is room for `bytes`
  // more of the type; false if there is not enough. A piece that has just landed will be read next:
  // dropping it for one that is read later would mean to fetch it twice.
  bool make_room(BlobType type, std::uint64_t bytes, Deadline::Clock::time_point stale);

  std::uint64_t held_bytes(BlobType type) const { return held_[number(type)]; }
  std::uint64_t ahead_used_bytes() const { return ahead_used_; }
  std::uint64_t wasted_bytes() const { return wasted_; }

 private:
  static std::size_t number(BlobType type) { return type == BlobType::kTree ? 1 : 0; }

  using ByOffset = std::map<std::uint64_t, SharedPiece>;
  std::unordered_map<PackId, ByOffset> packs_;
  std::array<std::list<SharedPiece>, 2> oldest_first_;
  std::array<std::uint64_t, 2> held_{};
  std::array<std::size_t, 2> budgets_;
  std::uint64_t ahead_used_ = 0;
  std::uint64_t wasted_ = 0;
};

}  // namespace restree
