// A repository's cache on the local disk. It holds parts of the repository's encrypted files, so
// that they are available in the next run and while the server is unreachable.
//
// Ownership: owns a thread that writes, started when the first bytes are kept. The destructor
//            writes the parts that still wait, unless that takes longer than a few seconds.
// Threads:   any. Reading takes no lock. Several caches, in this process or others, may use one
//            folder at the same time.
// Limits:    on the disk as in CacheLimits. At most kQueueBytes, or one part that is larger, wait
//            to be written, and as many are being written. keep() with a full queue waits a little;
//            if the queue stays full, the part is not kept, and for a while later calls do not wait
//            at all. Opening does not scan the folder.
// Errors:    of open() as in CacheFolder. Later none: a failed write is logged once, writing is
//            tried again now and then, and when it works again that is logged as well. A folder that
//            was deleted is made again when there is something to write.
// Format:    cache_folder.h. Bytes that read as zeros count as missing; the repository verifies the
//            others.
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

// Totals since the cache was opened.
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
  static constexpr std::chrono::seconds kTroublePause{30};

  // Uses the folder `base`/`name`, and makes it if it is missing; `name` is the repository's id.
  // After a failed write nothing is kept for `trouble_pause`.
  static Result<std::shared_ptr<DiskCache>> open(
      const std::string& base, const std::string& name, CacheLimits limits,
      std::chrono::milliseconds trouble_pause = kTroublePause);
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
  void forget(const FileName& file) override;
  std::vector<std::string> names(FileType type) override;
  void retain_snapshots(std::vector<std::string> names) override;
  void retain_indexed(std::vector<std::string> index_names,
                      const std::function<std::vector<PackId>()>& packs) override;
  UniqueFd open_merged_index() override;
  bool keep_merged_index(std::uint64_t most_bytes,
                         const std::function<Status(int fd)>& write) override;

  // What a prune has found out to be in use, as the caller has sealed it: it is replaced as a whole, and
  // does not belong to any file of the repository. keep_marks() returns once it is written, or false.
  std::optional<Bytes> read_marks() const;
  bool keep_marks(ByteView sealed);

  // From now on these packs are not evicted, as long as the snapshot exists. kInvalid: they do not
  // fit into the cache; kLocalIo, kUnavailable: the folder cannot be written to.
  Status pin(const SnapshotId& snapshot, const PinnedPacks& packs);
  // Brings a cache that is larger than its limit below it, some time later. Writing does that, too;
  // but where all that is read lies in the cache, nothing is written.
  void shrink();
  // False: the snapshot was not pinned.
  bool unpin(const SnapshotId& snapshot);
  std::vector<SnapshotId> pins() const { return pinned_snapshots(folder_); }

  // Returns once everything passed to keep() before is written or dropped.
  void flush();
  CacheFigures figures() const;
  // When a user of the cache last got a list of snapshots from the storage, to the minute; nullopt:
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
    bool busy = false;  // true until all parts and jobs are done
    bool ending = false;
    Deadline::Clock::time_point idle_until{};     // until then, nothing is accepted
    Deadline::Clock::time_point hurried_until{};  // until then, keep() does not wait for room
    bool is_remade = false;  // the folder was deleted: it lacks files that were read before
    std::string snapshots;   // fingerprint of the last list of snapshots
    Deadline::Clock::time_point touched{};  // when the folder was last marked as used
    Deadline::Clock::time_point listed{};   // when a listing was last noted
  };
  struct Counters {
    std::atomic<std::uint64_t> hits, hit_bytes, misses, damaged, kept_bytes, evicted_bytes, dropped;
  };

  DiskCache(CacheFolder folder, CacheLimits limits, std::chrono::milliseconds trouble_pause)
      : folder_(std::move(folder)),
        limits_(limits),
        trouble_pause_(trouble_pause),
        reader_(folder_),
        writer_(make_writer()) {}

  CacheWriter make_writer() {
    return {folder_, limits_, [this] { reader_.close_all(); }};
  }

  bool replace(const char* name, std::uint64_t most_bytes,
               const std::function<Status(int fd)>& write);
  void keep(KeptPart part) EXCLUDES(state_);
  void submit(Job job) EXCLUDES(state_);
  bool takes(State& state) const REQUIRES(state_);
  void start_writing(State& state) REQUIRES(state_);
  void write_on();
  void run(std::vector<KeptPart> parts, const std::vector<Job>& jobs);
  void hand_over_lookups();
  // False: the folder was deleted and could not be made again.
  bool remake_folder() EXCLUDES(state_);
  void note_trouble(const Error& error) EXCLUDES(state_);
  void note_success() EXCLUDES(state_);
  void note_damage(const std::string& path);
  void note_listing(bool is_other) EXCLUDES(state_);
  bool is_news(const std::vector<std::string>& snapshot_names) EXCLUDES(state_);

  CacheFolder folder_;
  const CacheLimits limits_;
  const std::chrono::milliseconds trouble_pause_;
  CacheReader reader_;
  CacheWriter writer_;  // used by the thread, and by the destructor once the thread has ended
  Counters counters_{};
  std::uint64_t told_hits_ = 0;  // already passed to the writer
  std::uint64_t told_misses_ = 0;
  std::atomic<bool> told_ = false;  // the log's last word is that nothing is kept
  std::atomic<bool> told_busy_ = false;
  Guarded<State> state_;
  std::condition_variable wake_;   // for the thread
  std::condition_variable moved_;  // for callers that wait for the thread
  std::jthread thread_;            // only start_writing() and the destructor touch it
};

}  // namespace restree
