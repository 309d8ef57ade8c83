#include "fs/restreefs/status_sources.h"

#include <utility>

#include "cache/disk_cache.h"
#include "cache/pack_fetcher.h"
#include "fs/restreefs/warming.h"
#include "program/repeated_visits.h"
#include "repo/second_repository.h"
#include "repo/storage/decorators/breaker_storage.h"

namespace restree {
namespace {

void add(const BreakerStorage::Figures& figures, MountStatus& status) {
  status.online = !figures.is_away;
  status.since = figures.since;
  status.requests = figures.requests;
  status.failed_requests = figures.failures;
  status.fetched_bytes = figures.read_bytes;
}

void add(const DiskCache& cache, MountStatus& status) {
  const CacheFigures figures = cache.figures();
  status.cache_hits = figures.hits;
  status.cache_misses = figures.misses;
  status.cache_hit_bytes = figures.hit_bytes;
  status.cache_kept_bytes = figures.kept_bytes;
  status.cache_left_out = figures.dropped;
  status.cache_damaged = figures.damaged;
  status.listed = cache.listed();
}

void add(const PackFetcher& fetcher, MountStatus& status) {
  const FetchFigures figures = fetcher.figures();
  status.prefetch_used_bytes = figures.ahead_used_bytes;
  status.prefetch_wasted_bytes = figures.wasted_bytes;
  if (figures.bytes_per_second == 0) return;
  status.round_trip_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(figures.round_trip).count());
  status.bytes_per_second = static_cast<std::uint64_t>(figures.bytes_per_second);
}

}  // namespace

std::function<void(MountStatus&)> status_of(StatusSources sources) {
  return [from = std::move(sources)](MountStatus& status) {
    add(from.storage->figures(), status);
    if (from.cache) add(*from.cache, status);
    if (from.fetcher) add(*from.fetcher, status);
    if (from.connections) status.connections = from.connections->load();
    if (from.second) status.second_blobs = from.second->given_blobs();
    if (from.visits) status.audit_findings = from.visits->findings();
    if (!from.warmed) return;
    const WarmProgress::Bytes bytes = from.warmed->bytes();
    status.warm_bytes = bytes.total;
    status.warm_bytes_done = bytes.done;
  };
}

}  // namespace restree
