// An index made of packs' headers, for blobs that the index files do not name, or name wrongly.
//
// What stands at the end of a pack says which blobs it has and where, and is authenticated. Nothing is
// read as long as nothing is missing. Then the headers are read of packs that no index file names, or
// that have room for more than is named in them: if an index file is lost, those are its packs. Once
// the index has proved wrong about a pack, the header of that one counts as well.
//
// Ownership: a thread while headers are read; the destructor asks it to stop, and waits for it. What
//            `Packs` uses must outlive it.
// Threads:   any. Many may ask at once: one thread reads, and all wait for it.
// Limits:    memory: index.h for what was read, 40 bytes for each of those packs, and meanwhile the
//            headers of 16 packs. A request takes no longer than `patience`. Callers wait until
//            their own deadlines; the reading goes on, and later callers find what it has found.
// Errors:    kUnavailable: not all headers have come by then. kCancelled: a stop is requested. Those of
//            the storage that keep packs from being listed. A header that cannot be read is a line in
//            the log, and what only that pack has stays missing.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/format/index_file.h"
#include "repo/index/index.h"
#include "repo/index/index_parts.h"
#include "repo/pack_file.h"

namespace restree {

class HeaderIndex {
 public:
  struct Settings {
    // Index files are not believed at all: the headers of all packs are read instead.
    bool replaces_index = false;
    std::chrono::milliseconds patience = std::chrono::minutes(15);  // for each request
    std::stop_token stop = {};  // ends the reading as the destructor does
  };
  // The repository, as far as it is needed here.
  struct Packs {
    std::function<Result<std::vector<ListedFile>>(Deadline by)> list;
    std::function<Result<std::uint64_t>(const PackId& pack, Deadline by)> size;
    std::function<Result<std::vector<IndexedBlob>>(const StoredPack& pack, Deadline by)> load;
    // Those that index files name, each once, in order.
    std::function<std::vector<NamedPack>()> named;
    std::string description;  // of their storage, for messages
    bool waits = true;        // of their storage: see ReadHabit
  };

  HeaderIndex(Settings settings, Packs packs)
      : settings_(std::move(settings)), packs_(std::move(packs)) {}

  bool replaces_index() const { return settings_.replaces_index; }
  std::chrono::milliseconds patience() const { return settings_.patience; }

  // Reads the headers that the index files of this state call for, unless that is done already.
  // `index_state`: a number that grows when the index files change.
  Status complete(std::uint64_t index_state, Deadline by);
  // The same for the headers of all packs: the index names blobs where they are not.
  Status complete_all(std::uint64_t index_state, Deadline by);
  // Reads the headers of packs that have come since. True if there were any, or packs have gone.
  Result<bool> refresh(Deadline by);
  // Reads the headers of these packs, in this thread. Those that cannot be read are not in the log: the
  // caller looks for a blob there that could not be read, and has that to say.
  Status read(std::span<const PackId> packs, Deadline by);

  // Whether anything was read: as long as it was not, nothing can be found.
  bool is_used() const { return is_used_; }
  // Whether the header of this pack was read.
  bool has_read(const PackId& pack) const;
  // Every place of the blob in those packs, by pack and offset.
  std::vector<BlobLocation> find_all(BlobType type, const BlobId& id) const;
  std::vector<std::shared_ptr<const Index>> parts() const { return *state_.lock()->parts; }

 private:
  struct Aim {
    std::uint64_t index_state = 0;
    bool all_packs = false;
  };
  struct State {
    std::shared_ptr<const IndexParts> parts = std::make_shared<IndexParts>();
    std::unordered_set<PackId> read;        // packs whose blobs are in `parts`
    std::unordered_set<PackId> unreadable;  // their headers are damaged
    // Of those that were read, the ones that the last listing lacked.
    std::shared_ptr<const std::unordered_set<PackId>> gone =
        std::make_shared<std::unordered_set<PackId>>();
    std::uint64_t changes = 0;  // of what can be found
    std::optional<Aim> done;
    std::uint64_t begun = 0;  // readings, by the thread
    std::uint64_t ended = 0;
    Status last;  // how the last one ended
  };
  // What one reading has found, which is kept even if it ended early.
  struct Found {
    struct Packs {
      std::vector<PackId> read;
      std::vector<PackId> unreadable;
    };
    IndexBuilder builder;
    Guarded<Packs> packs;
  };

  static bool is_done(const State& state, const Aim& aim);
  Status complete(const Aim& aim, Deadline by) EXCLUDES(state_);
  void begin(State& state, const Aim& aim) REQUIRES(state_);
  void run(const Aim& aim, const std::stop_token& ending) EXCLUDES(state_);
  Status read_missing(const Aim& aim, const std::stop_token& stop) EXCLUDES(state_);
  std::vector<StoredPack> missing(const Aim& aim, std::vector<StoredPack> stored) const
      EXCLUDES(state_);
  // `tells`: of a header that cannot be read, the log says so.
  Status read_headers(const std::vector<StoredPack>& packs, bool tells, const std::stop_token& stop,
                      Deadline by) EXCLUDES(state_);
  Status read_header(StoredPack pack, bool tells, Found& found, Deadline by) const;
  void keep(Found& found) EXCLUDES(state_);
  void note_gone(const std::vector<StoredPack>& stored) EXCLUDES(state_);
  void tell(const Aim& aim, std::size_t missing);

  const Settings settings_;
  const Packs packs_;
  std::atomic<bool> is_used_ = false;
  std::atomic<bool> has_told_ = false;
  std::atomic<std::size_t> headers_read_ = 0;  // of the reading under way
  std::atomic<std::size_t> headers_wanted_ = 0;
  std::atomic<std::uint64_t> refreshes_ = 0;
  Guarded<State> state_;
  std::condition_variable ended_;
  std::jthread reader_;  // started under the lock of state_; last: it uses what is above
};

}  // namespace restree
