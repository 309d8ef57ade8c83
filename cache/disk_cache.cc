#include "cache/disk_cache.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/sha256.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

using std::chrono::seconds;
using Clock = Deadline::Clock;

// After a wait for a slow disk that was in vain, no other reader waits for it this long.
constexpr seconds kPauseAfterTrouble{30};
// How long the destructor waits for parts that are still to be written.
constexpr seconds kLastPatience{10};
// The writer takes turns with other processes, and a turn costs more than writing a small part. So
// it gathers parts for this long, or until it has this many bytes.
constexpr std::chrono::milliseconds kGathering{50};
constexpr std::size_t kWriteBytes = 1 << 20;
// Seldom is enough, since `restree cache` counts days.
constexpr std::chrono::hours kBetweenTouches{1};
constexpr const char* kIndexedNote = "indexed";
constexpr const char* kMergedIndex = "merged";
constexpr const char* kMarks = "marks";
constexpr const char* kListedNote = "listed";
constexpr std::chrono::minutes kBetweenListedNotes{1};

std::string fingerprint(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += name;
  return to_hex(sha256(as_bytes(all)));
}

}  // namespace

Result<std::shared_ptr<DiskCache>> DiskCache::open(const std::string& base, const std::string& name,
                                                   CacheLimits limits,
                                                   std::chrono::milliseconds trouble_pause) {
  ASSIGN_OR_RETURN(CacheFolder folder, CacheFolder::open(base, name));
  return std::shared_ptr<DiskCache>(new DiskCache(std::move(folder), limits, trouble_pause));
}

DiskCache::~DiskCache() {
  {
    auto state = state_.lock();
    state->ending = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  hand_over_lookups();
  // The counts only inform users, so a failed write does not matter.
  static_cast<void>(writer_.write_lookups());
}

void DiskCache::hand_over_lookups() {
  const std::uint64_t hits = counters_.hits;
  const std::uint64_t misses = counters_.misses;
  writer_.note_lookups(hits - std::exchange(told_hits_, hits),
                       misses - std::exchange(told_misses_, misses));
}

std::optional<Bytes> DiskCache::read(const SealedPlace& place) {
  std::optional<Bytes> sealed = reader_.read(place);
  if (sealed) {
    ++counters_.hits;
    counters_.hit_bytes += sealed->size();
  } else {
    ++counters_.misses;
  }
  return sealed;
}

bool DiskCache::has(const SealedPlace& place) { return reader_.has(place); }

std::optional<Bytes> DiskCache::read(const FileName& file) {
  return reader_.read(cache_path(file));
}

void DiskCache::reject(const SealedPlace& place) { note_damage(cache_path(place)); }
void DiskCache::reject(const FileName& file) { note_damage(cache_path(file)); }

// By the thread that writes, behind what is still to be kept of the file.
void DiskCache::forget(const FileName& file) {
  submit([path = cache_path(file)](CacheWriter& writer) { return writer.forget(path); });
}

void DiskCache::note_damage(const std::string& path) {
  ++counters_.damaged;
  log::info("{}/{} is damaged; it will be read from the repository again", folder_.path(), path);
}

void DiskCache::keep(const SealedPlace& place, Bytes sealed) {
  const CachedKind kind = place.type == BlobType::kTree ? CachedKind::kTree : CachedKind::kData;
  keep(KeptPart{kind, cache_path(place), place.range.offset, std::move(sealed)});
}

void DiskCache::keep(const FileName& file, ByteView content) {
  keep(KeptPart{CachedKind::kFile, cache_path(file), 0, Bytes::copy_of(content)});
}

bool DiskCache::takes(State& state) const {
  return !state.ending && Clock::now() >= state.idle_until;
}

void DiskCache::keep(KeptPart part) {
  const std::size_t size = part.bytes.size();
  auto state = state_.lock();
  const auto has_room = [&] { return state->bytes == 0 || state->bytes + size <= kQueueBytes; };
  if (!takes(*state)) {
    ++counters_.dropped;
    return;
  }
  const bool may_wait = Clock::now() >= state->hurried_until;
  if (!has_room() &&
      !(may_wait && moved_.wait_for(state.mutex_lock(), limits_.queue_patience, has_room))) {
    // Only this part is dropped: the disk may have stopped for a moment, and later parts are kept
    // as soon as there is room.
    if (may_wait) state->hurried_until = Clock::now() + kPauseAfterTrouble;
    ++counters_.dropped;
    return;
  }
  state->bytes += size;
  state->parts.push_back(std::move(part));
  const bool wakes = state->parts.size() == 1 || state->bytes >= kWriteBytes;
  if (wakes || !state->busy) start_writing(*state);
}

void DiskCache::submit(Job job) {
  auto state = state_.lock();
  if (!takes(*state)) return;
  state->jobs.push_back(std::move(job));
  start_writing(*state);
}

void DiskCache::start_writing(State& state) {
  state.busy = true;
  try {
    if (!thread_.joinable()) thread_ = std::jthread([this] { write_on(); });
  } catch (const std::system_error&) {  // the system has no more threads to give
    counters_.dropped += state.parts.size();
    state = State();
    state.idle_until = Clock::now() + trouble_pause_;
  }
  wake_.notify_one();
}

void DiskCache::write_on() {
  std::optional<Deadline> last;
  for (;;) {
    std::vector<KeptPart> parts;
    std::vector<Job> jobs;
    {
      auto state = state_.lock();
      state->busy = !state->parts.empty() || !state->jobs.empty();
      moved_.notify_all();
      wake_.wait(state.mutex_lock(),
                 [&] { return state->ending || !state->parts.empty() || !state->jobs.empty(); });
      wake_.wait_for(state.mutex_lock(), kGathering, [&] {
        return state->ending || !state->jobs.empty() || state->bytes >= kWriteBytes;
      });
      if (state->parts.empty() && state->jobs.empty()) return;
      if (state->ending && !last) last = Deadline::after(kLastPatience);
      if (last && last->expired()) return;
      parts.swap(state->parts);
      jobs.swap(state->jobs);
      state->bytes = 0;
    }
    moved_.notify_all();
    try {
      run(std::move(parts), jobs);
    } catch (const std::bad_alloc&) {
      note_trouble(Error(ErrorKind::kLocalIo, "out of memory"));
    }
  }
}

void DiskCache::run(std::vector<KeptPart> parts, const std::vector<Job>& jobs) {
  hand_over_lookups();
  const std::size_t count = parts.size();
  if (folder_.is_deleted() && !remake_folder()) {
    counters_.dropped += count;
    return;
  }
  if (!parts.empty()) {
    const Result<CacheWriter::Written> written = writer_.write(std::move(parts));
    if (written) {
      counters_.kept_bytes += written->bytes;
      counters_.evicted_bytes += written->evicted_bytes;
      counters_.dropped += written->dropped;
      if (written->bytes > 0) note_success();
    } else {
      counters_.dropped += count;
      note_trouble(written.error());
    }
  }
  for (const Job& job : jobs) {
    if (const Status done = job(writer_); !done) note_trouble(done.error());
  }
}

bool DiskCache::remake_folder() {
  if (Status made = folder_.reopen(); !made) {
    note_trouble(std::move(made).error().with(folder_.path() + " was deleted"));
    return false;
  }
  reader_.close_all();
  {
    auto state = state_.lock();
    state->is_remade = true;
    state->snapshots.clear();
  }
  log::warning("{} was deleted: it is made again, and what is read from now on is kept there",
               folder_.path());
  return true;
}

void DiskCache::note_success() {
  {
    // What was queued before the trouble may still find room; the trouble is not over for that.
    auto state = state_.lock();
    if (Clock::now() < state->idle_until) return;
  }
  if (told_.exchange(false)) log::warning("what is read is kept in the cache again");
}

void DiskCache::note_trouble(const Error& error) {
  if (error.kind() == ErrorKind::kUnavailable) {  // waited in vain for another process's turn
    if (!told_busy_.exchange(true)) {
      log::warning("not everything is kept in the cache: {}", error.message());
    }
    return;
  }
  state_.lock()->idle_until = Clock::now() + trouble_pause_;
  if (told_.exchange(true)) return;
  log::warning("nothing more is kept in the cache for now: {}", error.message());
}

std::vector<std::string> DiskCache::names(FileType type) {
  return folder_.names_in(std::string(directory_of(type)).c_str());
}

std::optional<std::chrono::system_clock::time_point> DiskCache::listed() const {
  const std::optional<Bytes> note = reader_.read(kListedNote);
  if (!note) return std::nullopt;
  const std::string_view text = as_text(*note);
  std::int64_t count = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc()) {
    return std::nullopt;
  }
  return std::chrono::system_clock::time_point(std::chrono::seconds(count));
}

void DiskCache::note_listing(bool is_other) {
  {
    auto state = state_.lock();
    // The note lets the cache stand in for the storage, which it cannot without those files.
    if (state->is_remade) return;
    const bool is_time = Clock::now() - state->listed > kBetweenListedNotes;
    if (!is_other && !is_time) return;
    state->listed = Clock::now();
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  submit([text = std::to_string(std::chrono::duration_cast<seconds>(now).count())](
             CacheWriter& writer) { return writer.write_note(kListedNote, text); });
}

// Also marks the cache as used: snapshots are listed again and again as long as it is in use.
bool DiskCache::is_news(const std::vector<std::string>& snapshot_names) {
  std::string mark = fingerprint(snapshot_names);
  bool is_time = false;
  bool is_other = false;
  {
    auto state = state_.lock();
    is_time = Clock::now() - state->touched > kBetweenTouches;
    if (is_time) state->touched = Clock::now();
    is_other = std::exchange(state->snapshots, mark) != mark;
  }
  if (is_time) {
    folder_.touch();
    submit([](CacheWriter& writer) { return writer.write_lookups(); });
  }
  return is_other;
}

void DiskCache::retain_snapshots(std::vector<std::string> names) {
  std::ranges::sort(names);
  reader_.close_all();  // other processes may have removed files that are open here
  const bool is_other = is_news(names);
  if (names.empty()) return;  // for the reason given in retain_indexed()
  note_listing(is_other);
  if (!is_other) return;
  submit([names = std::move(names)](CacheWriter& writer) -> Status {
    const auto is_there = [&](const std::string& name) {
      return std::ranges::binary_search(names, name);
    };
    RETURN_IF_ERROR(writer.retain("pins", is_there));
    return writer.retain("snapshots", is_there);
  });
}

void DiskCache::retain_indexed(std::vector<std::string> index_names,
                               const std::function<std::vector<PackId>()>& packs) {
  // If the server's disk is not mounted, the repository looks empty. That is when the cache is
  // needed most, so nothing is removed; and keeping the cache of a truly empty repository is
  // harmless.
  if (index_names.empty()) return;
  std::ranges::sort(index_names);
  const std::string mark = fingerprint(index_names);
  const std::optional<Bytes> last = reader_.read(kIndexedNote);
  if (last && as_text(*last) == mark) return;
  submit([mark, names = std::move(index_names), indexed = packs()](CacheWriter& writer) -> Status {
    RETURN_IF_ERROR(writer.retain(
        "index", [&](const std::string& name) { return std::ranges::binary_search(names, name); }));
    const auto is_indexed = [&](const std::string& name) {
      const auto id = PackId::parse(name);
      return id && std::ranges::binary_search(indexed, *id);
    };
    RETURN_IF_ERROR(writer.retain("data", is_indexed));
    RETURN_IF_ERROR(writer.retain("trees", is_indexed));
    return writer.write_note(kIndexedNote, mark);
  });
}

UniqueFd DiskCache::open_merged_index() {
  auto fd = folder_.open_to_read(kMergedIndex);
  return fd ? std::move(*fd) : UniqueFd();
}

bool DiskCache::keep_merged_index(std::uint64_t most_bytes,
                                  const std::function<Status(int fd)>& write) {
  return replace(kMergedIndex, most_bytes, write);
}

std::optional<Bytes> DiskCache::read_marks() const { return reader_.read(kMarks); }

bool DiskCache::keep_marks(ByteView sealed) {
  return replace(kMarks, sealed.size(), [&](int fd) -> Status {
    const int error = write_at(fd, 0, sealed);
    return error == 0 ? Status() : errno_error(error, "write " + folder_.path() + "/" + kMarks);
  });
}

// Uses a writer of its own, since this takes too long for parts to wait behind it in the queue.
bool DiskCache::replace(const char* name, std::uint64_t most_bytes,
                        const std::function<Status(int fd)>& write) {
  if (folder_.is_deleted()) return false;
  CacheWriter writer = make_writer();
  const Result<bool> kept = writer.replace(name, most_bytes, write);
  if (kept) return *kept;
  const ErrorKind kind = kept.error().kind();
  if (kind == ErrorKind::kLocalIo || kind == ErrorKind::kDenied || kind == ErrorKind::kNotFound) {
    note_trouble(kept.error());
  } else {
    log::info("{} was not written to {}: {}", name, folder_.path(), kept.error().message());
  }
  return false;
}

Status DiskCache::pin(const SnapshotId& snapshot, const PinnedPacks& packs) {
  return make_writer().pin(snapshot.hex(), packs);
}

void DiskCache::shrink() {
  const auto counts = CacheUsage::look_at(folder_);
  if (counts && counts->bytes <= limits_.size_bytes) return;
  submit([this](CacheWriter& writer) -> Status {
    ASSIGN_OR_RETURN(const std::uint64_t evicted, writer.shrink());
    counters_.evicted_bytes += evicted;
    return {};
  });
}

bool DiskCache::unpin(const SnapshotId& snapshot) { return remove_pin(folder_, snapshot.hex()); }

void DiskCache::flush() {
  auto state = state_.lock();
  moved_.wait(state.mutex_lock(), [&] { return !state->busy; });
}

CacheFigures DiskCache::figures() const {
  return {.hits = counters_.hits,
          .hit_bytes = counters_.hit_bytes,
          .misses = counters_.misses,
          .damaged = counters_.damaged,
          .kept_bytes = counters_.kept_bytes,
          .evicted_bytes = counters_.evicted_bytes,
          .dropped = counters_.dropped};
}

}  // namespace restree
