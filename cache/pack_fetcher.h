// Turns reads of single blobs into few large requests to a storage that is far away.
//
// A request costs a round trip, whatever it asks for; bytes that lie beside the wanted ones cost
// little more. So a missing blob is fetched with its neighbours, as far as they are likely to be
// wanted (PackRuns) and cheap on this line (LineEstimate). Blobs that readers announce with want()
// are fetched ahead in few requests, several at a time. Fetched bytes wait in memory, still sealed,
// until the repository reads them.
//
// A blob that a reader waits for is fetched at once, by the reader's own thread; it never waits
// behind requests ahead.
//
// Ownership: shares the storage; owns its threads.
// Threads:   any.
// Limits:    `budgets` of sealed bytes, and one request more for each waiting reader; as many
//            requests ahead at a time as threads, each of at most kMostRequest or one blob. Every
//            request ahead ends within `time_limit`.
// Errors:    of read(): those of Storage::read. A failed request ahead is not reported: the reader
//            that wants the blob fetches it again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/line_estimate.h"
#include "cache/pack_pieces.h"
#include "cache/pack_runs.h"
#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/sealed_source.h"
#include "repo/storage/storage.h"

namespace restree {

struct FetchOptions {
  PackPieces::Budgets budgets{.data_bytes = 20 << 20, .tree_bytes = 6 << 20};
  // Each thread waits for one request: with a round trip of 100 ms, 12 threads would make no more
  // than 120 requests a second.
  std::size_t threads = 32;
  std::chrono::milliseconds time_limit{60'000};
  // How long what was fetched ahead is kept at least for the reader that wants it.
  std::chrono::milliseconds kept{2'000};
  std::function<Deadline::Clock::time_point()> now = Deadline::Clock::now;
};

// Totals since the fetcher was made.
struct FetchFigures {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;        // received
  std::uint64_t ahead_bytes = 0;  // of these, fetched before a reader wanted them
  std::uint64_t ahead_used_bytes = 0;
  std::uint64_t wasted_bytes = 0;  // dropped without use
  std::uint64_t failed = 0;
  std::uint64_t joined = 0;               // reads that waited for the request of another reader
  std::chrono::nanoseconds round_trip{};  // measured lately; zero if nothing was measured
  double bytes_per_second = 0;
};

class PackFetcher final : public SealedSource {
 public:
  static constexpr std::uint64_t kMostRequest = 2 << 20;

  PackFetcher(std::shared_ptr<Storage> storage, FetchOptions options);

  Result<Bytes> read(const BlobLocation& place, BlobType type, Deadline by) override;
  void reject(const BlobLocation& place) override;

  // Fetches ahead blobs that will probably be read soon, in this order. Blobs for which there is no
  // room are left out.
  void want(std::span<const BlobLocation> places, BlobType type);
  // Blobs that will be wanted after those: their packs are made ready for reading.
  void expect(std::span<const BlobLocation> places);
  // Readers wait for memory, and so come later to what was fetched for them than the line's speed
  // lets expect: what is here counts as if it had come now.
  void readers_wait();

  // How many bytes are worth fetching ahead of a reader that reads sequentially.
  std::size_t window_bytes() const;
  FetchFigures figures() const;

 private:
  struct State {
    explicit State(PackPieces::Budgets budgets) : pieces(budgets) {}
    PackPieces pieces;
    PackRuns runs;
    LineEstimate line;
    Deadline::Clock::time_point readers_waited = Deadline::Clock::time_point::min();
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    std::uint64_t ahead_bytes = 0;
    std::uint64_t failed = 0;
    std::uint64_t joined = 0;
  };
  using Locked = Guarded<State>::Handle;

  bool make_room(State& state, BlobType type, std::uint64_t bytes) REQUIRES(state_);
  std::vector<SharedPiece> begin_ahead(State& state, const PackId& pack, BlobType type,
                                       ByteRange range, std::uint64_t most) REQUIRES(state_);
  void submit(const std::vector<SharedPiece>& ahead) EXCLUDES(state_);
  std::vector<SharedPiece> begin_missing(State& state, const BlobLocation& place, BlobType type,
                                         ByteRange worth_having) REQUIRES(state_);
  Status fetch_all(const std::vector<SharedPiece>& own, Deadline by) EXCLUDES(state_);
  Status fetch(const SharedPiece& piece, Deadline by) EXCLUDES(state_);
  Result<Bytes> read_or_explain(const Piece& piece, Deadline by);
  // nullopt: part of the blob is missing, and no request for it is under way.
  Result<std::optional<Bytes>> take(const BlobLocation& place, Deadline by) EXCLUDES(state_);

  const std::shared_ptr<Storage> storage_;
  const FetchOptions options_;
  Guarded<State> state_;
  std::condition_variable landed_;
  ThreadPool pool_;  // last member, since its threads use the others
};

}  // namespace restree
