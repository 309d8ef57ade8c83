// Turns blobs that are wanted one by one into good requests to a storage that is far away.
//
// A request costs a round trip, whatever it asks for; bytes that lie beside the wanted ones cost
// little more. So a blob that is missing comes with its neighbours, as far as they are likely to be
// wanted (PackRuns) and as the line makes them cheap (LineEstimate); and what readers say that they
// will want next is asked for in few requests, several at a time. All of it waits sealed, in
// memory, until the repository takes it.
//
// What a reader waits for he fetches himself, at once; what is fetched ahead never takes his place.
//
// Ownership: shares the storage; owns its threads.
// Threads:   any.
// Limits:    `budgets` of sealed bytes, and one request more for each reader who waits; as many
//            requests ahead at a time as threads, each of at most kMostRequest or one blob. Every
//            request ahead ends within `time_limit`.
// Errors:    of read(): those of Storage::read. What fails ahead is found out by whoever wants it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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
  // Each waits for one request: at 100 ms a dozen would get no more than 120 of them a second.
  std::size_t threads = 32;
  std::chrono::milliseconds time_limit{60'000};
};

// Since it was made.
struct FetchFigures {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;        // that were answered
  std::uint64_t ahead_bytes = 0;  // of these, before anybody wanted them
  std::uint64_t ahead_used_bytes = 0;
  std::uint64_t wasted_bytes = 0;  // dropped without use
  std::uint64_t failed = 0;
  std::uint64_t joined = 0;               // reads that have waited for a request of somebody else's
  std::chrono::nanoseconds round_trip{};  // as measured of late; zero if nothing was
  double bytes_per_second = 0;
};

class PackFetcher final : public SealedSource {
 public:
  static constexpr std::uint64_t kMostRequest = 2 << 20;

  PackFetcher(std::shared_ptr<Storage> storage, FetchOptions options);

  Result<Bytes> read(const BlobLocation& place, BlobType type, Deadline by) override;
  void reject(const BlobLocation& place) override;

  // These will probably be wanted soon, in this order. What there is no room for is left out.
  void want(std::span<const BlobLocation> places, BlobType type);

  // How many bytes it is worth asking for ahead of one who reads on and on.
  std::size_t window_bytes() const;
  FetchFigures figures() const;

 private:
  struct State {
    explicit State(PackPieces::Budgets budgets) : pieces(budgets) {}
    PackPieces pieces;
    PackRuns runs;
    LineEstimate line;
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    std::uint64_t ahead_bytes = 0;
    std::uint64_t failed = 0;
    std::uint64_t joined = 0;
  };
  using Locked = Guarded<State>::Handle;

  std::vector<SharedPiece> begin_ahead(State& state, const PackId& pack, BlobType type,
                                       ByteRange range, std::uint64_t most);
  void submit(const std::vector<SharedPiece>& ahead);
  std::vector<SharedPiece> begin_missing(State& state, const BlobLocation& place, BlobType type,
                                         ByteRange worth_having);
  Status fetch_all(const std::vector<SharedPiece>& own, Deadline by);
  Status fetch(const SharedPiece& piece, Deadline by);
  Result<Bytes> read_or_explain(const Piece& piece, Deadline by);
  // nullopt: not all of it is here, though nothing of it is on its way.
  Result<std::optional<Bytes>> take(const BlobLocation& place, Deadline by);

  const std::shared_ptr<Storage> storage_;
  const FetchOptions options_;
  Guarded<State> state_;
  std::condition_variable landed_;
  ThreadPool pool_;  // last: its threads use what is above
};

}  // namespace restree
