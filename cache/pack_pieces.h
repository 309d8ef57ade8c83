// Pieces of packs in memory, sealed: those that are here, those on their way, and those that wait
// to be asked for. No byte of a pack is in two of them.
//
// Pure: who makes a piece land, and what time it is, is somebody else's business.
// Ownership: shared with those who wait for one or copy from it.
// Threads:   one at a time, which is also who changes the pieces. `bytes` of one that has landed do
//            not change any more and may be read by any.
// Limits:    make_room() keeps all of one type within its budget; what readers wait for themselves
//            may pass it by one piece each.
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
  bool ahead = false;  // nobody has wanted it yet when it was made
  Bytes bytes;         // once it has landed
  std::uint64_t used = 0;
  unsigned copying = 0;  // readers who have its bytes before them, without a lock
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

  // In order; what no piece covers is between them.
  std::vector<SharedPiece> covering(const PackId& pack, ByteRange range) const;
  std::vector<ByteRange> gaps(const PackId& pack, ByteRange range) const;

  // The range must lie in a gap.
  SharedPiece add(const PackId& pack, BlobType type, ByteRange range);
  // Does nothing for one that was removed before. What has landed and was not used is wasted.
  void remove(const SharedPiece& piece);
  // Notes that bytes of it were handed out; one that was handed out as a whole is removed.
  void use(const SharedPiece& piece, std::uint64_t bytes);

  // Removes pieces that landed some time ago, the oldest first, until `bytes` more of the type have
  // room; false if there is none. What has landed just now is what is read next: to drop it for
  // what is read after that would be to fetch it twice.
  bool make_room(BlobType type, std::uint64_t bytes, Deadline::Clock::time_point now);
  static constexpr std::chrono::seconds kKept{2};

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
