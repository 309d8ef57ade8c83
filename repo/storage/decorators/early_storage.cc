#include "repo/storage/decorators/early_storage.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "repo/base/thread_pool.h"
#include "repo/base/waiting.h"

namespace restree {
namespace {

// Index files and snapshots are small and far away: several at once hide the round trips.
constexpr std::size_t kReaders = 4;
// restic's key files have about 450 bytes.
constexpr std::uint64_t kMostKeyBytes = 64 << 10;

}  // namespace

EarlyStorage::~EarlyStorage() {
  stop();
  // Joined without the lock, which they need.
  const std::vector<std::jthread> threads = std::exchange(state_.lock()->threads, {});
}

void EarlyStorage::stop() { state_.lock()->is_ending = true; }

std::optional<std::size_t> EarlyStorage::place_of(FileType type) {
  const auto* const found = std::find(kTypes.begin(), kTypes.end(), type);
  if (found == kTypes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kTypes.begin());
}

void EarlyStorage::begin(FileType type, Deadline by) {
  const std::size_t place = *place_of(type);
  const auto read = [this, place, by] {
    try {
      run(place, by);
    } catch (const std::bad_alloc&) {
      give_up(place);
    }
  };
  try {
    auto state = state_.lock();
    Listing& listing = state->listings.at(place);
    if (std::exchange(listing.has_begun, true)) return;
    listing.stage = Stage::kReading;
    state->threads.emplace_back(read);
  } catch (const std::exception&) {  // the system has no more threads to give, or no memory
    give_up(place);
  }
}

void EarlyStorage::give_up(std::size_t place) {
  {
    auto state = state_.lock();
    state->listings.at(place) = {.stage = Stage::kFailed, .files = {}};
    forget(*state, kTypes.at(place));
  }
  moved_.notify_all();
}

void EarlyStorage::forget(State& state, FileType type) {
  std::erase_if(state.files, [type](const auto& file) { return file.first.type == type; });
}

void EarlyStorage::run(std::size_t place, Deadline by) {
  const std::vector<FileName> wanted = note(place, inner().list(kTypes.at(place), by));
  const Status ended = parallel_for(wanted.size(), kReaders, [&](std::size_t i) -> Status {
    read_early(wanted[i], by);
    return {};
  });
  static_cast<void>(ended);  // a caller that wants a file that failed reads it again
}

std::vector<FileName> EarlyStorage::note(std::size_t place,
                                         Result<std::vector<ListedFile>> listed) {
  std::vector<FileName> wanted;
  {
    auto state = state_.lock();
    Listing& listing = state->listings.at(place);
    if (listing.stage != Stage::kReading) return wanted;  // a caller has listed by itself
    const FileType type = kTypes.at(place);
    const bool is_believed = listed && (type != FileType::kKey || !listed->empty());
    listing.stage = is_believed ? Stage::kRead : Stage::kFailed;
    if (is_believed) listing.files = std::move(*listed);
    wanted = choose(*state, type, listing.files);
    for (const FileName& file : wanted) state->files.try_emplace(file);
  }
  moved_.notify_all();
  return wanted;
}

std::vector<FileName> EarlyStorage::choose(State& state, FileType type,
                                           const std::vector<ListedFile>& files) {
  std::vector<FileName> chosen;
  for (const ListedFile& file : files) {
    if (type == FileType::kKey) {
      // A size of 0 may mean that the server does not tell it; the reader of keys finds out.
      const bool is_usual = file.size_bytes > 0 && file.size_bytes <= kMostKeyBytes;
      if (!is_usual || chosen.size() == kMostKeys) continue;
    } else {
      if (file.size_bytes > state.bytes_left) continue;
      state.bytes_left -= file.size_bytes;
    }
    chosen.push_back({type, file.name});
  }
  return chosen;
}

void EarlyStorage::read_early(const FileName& file, Deadline by) {
  {
    auto state = state_.lock();
    const auto found = state->files.find(file);
    // Gone: a caller wanted it before its turn, and reads it by itself.
    if (state->is_ending || found == state->files.end()) return;
    found->second.stage = Stage::kReading;
  }
  Result<Bytes> content = inner().read_all(file, by);
  {
    auto state = state_.lock();
    const auto found = state->files.find(file);
    if (found == state->files.end()) return;
    found->second.stage = content ? Stage::kRead : Stage::kFailed;
    if (content) found->second.content = std::move(*content);
  }
  moved_.notify_all();
}

std::optional<std::vector<ListedFile>> EarlyStorage::take_listing(FileType type, Deadline by) {
  const auto place = place_of(type);
  if (!place) return std::nullopt;
  auto state = state_.lock();
  Listing& listing = state->listings.at(*place);
  wait_until(moved_, state, by, [&] { return listing.stage != Stage::kReading; });
  const Stage stage = std::exchange(listing.stage, Stage::kWaiting);
  if (stage == Stage::kRead) return std::exchange(listing.files, {});
  // A caller that lists again is past the opening, and has all files that it wanted.
  forget(*state, type);
  return std::nullopt;
}

std::optional<Bytes> EarlyStorage::take(const FileName& file, Deadline by) {
  auto state = state_.lock();
  auto found = state->files.end();
  wait_until(moved_, state, by, [&] {
    found = state->files.find(file);
    return found == state->files.end() || found->second.stage != Stage::kReading;
  });
  if (found == state->files.end()) return std::nullopt;
  File taken = std::move(found->second);
  state->files.erase(found);
  if (taken.stage != Stage::kRead) return std::nullopt;
  return std::move(taken.content);
}

Result<std::vector<ListedFile>> EarlyStorage::list(FileType type, Deadline by) {
  if (auto early = take_listing(type, by)) return std::move(*early);
  return inner().list(type, by);
}

Result<Bytes> EarlyStorage::read_all(const FileName& file, Deadline by) {
  if (std::optional<Bytes> early = take(file, by)) return std::move(*early);
  if (file.type != FileType::kConfig) return inner().read_all(file, by);
  RETURN_IF_ERROR(inner().reach(by));
  begin(FileType::kKey, by);
  Result<Bytes> content = inner().read_all(file, by);
  if (content && !what_.only_keys) {
    begin(FileType::kIndex, by);
    begin(FileType::kSnapshot, by);
  }
  return content;
}

}  // namespace restree
