// A repository's cache on the local disk: its own ciphertext, sparse, so that it is there the next
// time and while the server is away.
//
// Ownership: owns a thread that writes, from the first byte on that is kept. The destructor writes
//            what still waits, if that takes no longer than a few seconds.
// Threads:   any. Reading takes no lock. Several caches, in this process or others, may use one
//            folder at the same time.
// Limits:    on the disk as in CacheLimits. At most kQueueBytes, or one part that is larger, wait
//            to be written, and as much is being written; who wants to keep more waits a little,
//            but not again and again, and if that does not help, it is not kept. Nothing is
//            searched when it is opened.
// Errors:    of open() as in CacheFolder. Later none: that something cannot be written is told to
//            the log once, and tried again now and then.
// Format:    cache_folder.h. What is there is what reads as something else than zeros; what is
//            right, the repository finds out.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_folder.h"
#include "cache/cache_pins.h"
#include "cache/cache_reader.h"
#include "cache/cache_writer.h"
#include "repo/base/guarded.h"
#include "repo/repository_cache.h"

namespace restree {

// Since the cache was opened.
struct CacheFigures {
  std::uint64_t hits = 0;
  std::uint64_t hit_bytes = 0;
  std::uint64_t misses = 0;
  std::uint64_t damaged = 0;
  std::uint64_t kept_bytes = 0;
  std::uint64_t evicted_bytes = 0;
  std::uint64_t dropped = 0;  // parts that were not kept, for lack of room or time
};

class DiskCache final : public RepositoryCache {
 public:
  static constexpr std::size_t kQueueBytes = 6 << 20;

  // In the folder of that name below `base`, which is made; the name is the repository's id.
  static Result<std::shared_ptr<DiskCache>> open(const std::string& base, const std::string& name,
                                                 CacheLimits limits);
  ~DiskCache() override;
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  std::optional<Bytes> read(const SealedPlace& place) override;
  bool has(const SealedPlace& place) override;
  void keep(const SealedPlace& place, Bytes sealed) override;
  void reject(const SealedPlace& place) override;
  std::optional<Bytes> read(const FileName& file) override;
  void keep(const FileName& file, ByteView content) override;
  void reject(const FileName& file) override;
  std::vector<std::string> names(FileType type) override;
  void retain_snapshots(std::vector<std::string> names) override;
  void retain_indexed(std::vector<std::string> index_names,
                      const std::function<std::vector<PackId>()>& packs) override;
  UniqueFd open_merged_index() override;
  bool keep_merged_index(std::uint64_t most_bytes,
                         const std::function<Status(int fd)>& write) override;

  // From now on these packs stay, as long as the snapshot is there. kInvalid: there is no room for
  // so much; kLocalIo, kUnavailable: the folder cannot be written to.
  Status pin(const SnapshotId& snapshot, const PinnedPacks& packs);
  // False: it was not pinned.
  bool unpin(const SnapshotId& snapshot);
  std::vector<std::string> pins() const { return pinned_snapshots(folder_); }

  // Returns once all that was given to it before is written, or was not to be written.
  void flush();
  CacheFigures figures() const;
  // When the storage last listed its snapshots to who used the cache, to the minute; nullopt:
  // never.
  std::optional<std::chrono::system_clock::time_point> listed() const;
  const std::string& path() const { return folder_.path(); }
  const CacheLimits& limits() const { return limits_; }

 private:
  using Job = std::function<Status(CacheWriter&)>;
  struct State {
    std::vector<KeptPart> parts;
    std::size_t bytes = 0;  // of the parts
    std::vector<Job> jobs;
    bool busy = false;  // until all of that is done
    bool ending = false;
    Deadline::Clock::time_point idle_until{};     // until then, nothing is taken
    Deadline::Clock::time_point hurried_until{};  // until then, nobody waits for room
    std::string snapshots;                        // those that were to be retained last
    Deadline::Clock::time_point touched{};        // when the folder was marked as used
    Deadline::Clock::time_point listed{};         // when that was noted
  };
  struct Counters {
    std::atomic<std::uint64_t> hits, hit_bytes, misses, damaged, kept_bytes, evicted_bytes, dropped;
  };

  DiskCache(CacheFolder folder, CacheLimits limits)
      : folder_(std::move(folder)), limits_(limits), reader_(folder_), writer_(make_writer()) {}

  CacheWriter make_writer() {
    return {folder_, limits_, [this] { reader_.close_all(); }};
  }

  void keep(KeptPart part);
  void submit(Job job);
  bool takes(State& state) const;
  void start_writing(State& state);
  void write_on();
  void run(std::vector<KeptPart> parts, const std::vector<Job>& jobs);
  void hand_over_lookups();
  void note_trouble(const Error& error);
  void note_damage(const std::string& path);
  void note_listing(bool is_other);
  bool is_news(const std::vector<std::string>& snapshot_names);

  CacheFolder folder_;
  const CacheLimits limits_;
  CacheReader reader_;
  CacheWriter writer_;  // the thread's, and the destructor's once that has ended
  Counters counters_{};
  std::uint64_t told_hits_ = 0;  // the writer knows of these
  std::uint64_t told_misses_ = 0;
  std::atomic<bool> deleted_ = false;
  std::atomic<bool> told_ = false;
  std::atomic<bool> told_busy_ = false;
  Guarded<State> state_;
  std::condition_variable wake_;   // for the thread
  std::condition_variable moved_;  // for who waits for it
  std::jthread thread_;            // only start_writing() and the destructor touch it
};

}  // namespace restree
