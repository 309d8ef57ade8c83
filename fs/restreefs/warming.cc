#include "fs/restreefs/warming.h"

#include <fmt/core.h>

#include <new>
#include <system_error>
#include <utility>

#include "repo/base/log.h"
#include "repo/snapshots/snapshot_selection.h"

namespace restree {
namespace {

// Fewer than a command has: programs that read from the mount come first.
constexpr std::size_t kThreads = 2;

struct Plan {
  Repository& repository;
  DiskCache& cache;
  std::vector<std::string> words;
  NamespaceOptions names;
  std::chrono::seconds patience;
  std::shared_ptr<WarmProgress> progress;
};

// Makes one warmer's figures part of the progress for as long as this object lives.
class Watched {
 public:
  Watched(WarmProgress& progress, const SnapshotWarmer& warmer) : progress_(progress) {
    progress_.begin(warmer.figures());
  }
  ~Watched() { progress_.end(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  WarmProgress& progress_;
};

Status warm(const Plan& plan, const std::string& words, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(AllSnapshots all,
                   load_all_snapshots(plan.repository, Deadline::after(plan.patience)));
  std::erase_if(all.readable, [&](const auto& one) { return !plan.names.filter.matches(one); });
  ASSIGN_OR_RETURN(const Snapshot snapshot,
                   find_app_snapshot(all.readable, words, plan.names.time_template));
  BulkOptions bulk;
  bulk.threads = kThreads;
  bulk.patience = plan.patience;
  bulk.stop = stop;
  SnapshotWarmer warmer(plan.repository, plan.cache, bulk,
                        [&](const std::string& path, const Error& error) {
                          log::error("warm {}: {}: {}", words, path, error.message());
                        });
  const Watched watched(*plan.progress, warmer);
  RETURN_IF_ERROR(warmer.run(snapshot, SnapshotWarmer::Pin::kNo));
  log::info("warm {}: {} blobs of snapshot {}, {} MiB, are in the cache", words,
            warmer.figures().blobs_total.load(), snapshot.id.short_hex(),
            warmer.figures().bytes_total >> 20);
  return {};
}

void warm_all(const Plan& plan, const std::stop_token& stop) {
  for (const std::string& words : plan.words) {
    try {
      const Status done = warm(plan, words, stop);
      if (stop.stop_requested()) return;
      if (!done) log::warning("warm {}: {}", words, done.error().message());
    } catch (const std::bad_alloc&) {
      log::warning("warm {}: out of memory", words);
    }
  }
}

}  // namespace

WarmProgress::Bytes WarmProgress::sum(const State& state) {
  if (state.current == nullptr) return state.before;
  return {.total = state.before.total + state.current->bytes_total,
          .done = state.before.done + state.current->bytes_done};
}

WarmProgress::Bytes WarmProgress::bytes() const { return sum(*state_.lock()); }

void WarmProgress::end() {
  auto state = state_.lock();
  state->before = sum(*state);
  state->current = nullptr;
}

Warming::Warming(Repository& repository, DiskCache& cache, std::vector<std::string> words,
                 NamespaceOptions names, std::chrono::seconds patience,
                 std::shared_ptr<WarmProgress> progress) {
  Plan plan{repository, cache, std::move(words), std::move(names), patience, std::move(progress)};
  try {
    thread_ = std::jthread(
        [plan = std::move(plan)](const std::stop_token& stop) { warm_all(plan, stop); });
  } catch (const std::system_error& failure) {
    log::warning("nothing is warmed: {}", failure.what());
  }
}

}  // namespace restree
