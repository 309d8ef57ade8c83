// Loading the index of a repository of two million blobs, and asking it.
//
// 40 index files of 50,000 blobs, sealed and compressed as a repository holds them, lie in memory;
// loading opens, parses and sorts them on two threads, as opening a repository does. The same index
// merged into a file, which lies in the current folder, is what a cache opens instead.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "repo/base/thread_pool.h"
#include "repo/crypto/seal.h"
#include "repo/format/index_file.h"
#include "repo/format/unpacked.h"
#include "repo/index/index.h"
#include "repo/index/stored_index.h"
#include "repo/index/stored_index_writer.h"

namespace restree {
namespace {

constexpr std::size_t kFiles = 40;
constexpr std::size_t kPacksPerFile = 500;
constexpr std::size_t kBlobsPerPack = 100;
constexpr std::size_t kBlobs = kFiles * kPacksPerFile * kBlobsPerPack;
constexpr std::size_t kThreads = 2;

template <class IdType>
IdType random_id(std::mt19937_64& random) {
  IdType id;
  for (std::byte& byte : id.bytes) byte = static_cast<std::byte>(random());
  return id;
}

std::string index_json(std::mt19937_64& random) {
  std::string json = R"({"packs":[)";
  for (std::size_t pack = 0; pack < kPacksPerFile; ++pack) {
    json += fmt::format(R"({}{{"id":"{}","blobs":[)", pack == 0 ? "" : ",",
                        random_id<PackId>(random).hex());
    std::uint32_t offset = 0;
    for (std::size_t blob = 0; blob < kBlobsPerPack; ++blob) {
      const auto length = static_cast<std::uint32_t>(1000 + random() % 100'000);
      json += fmt::format(
          R"({}{{"id":"{}","type":"{}","offset":{},"length":{},"uncompressed_length":{}}})",
          blob == 0 ? "" : ",", random_id<BlobId>(random).hex(), blob % 8 == 0 ? "tree" : "data",
          offset, length, 3 * length);
      offset += length;
    }
    json += "]}";
  }
  return json += "]}\n";
}

SealKey bench_key() {
  const std::string part(32, 'k');
  return *SealKey::make(as_bytes(part), as_bytes(part).first(16), as_bytes(part).first(16));
}

std::vector<Bytes> make_files(const SealKey& key) {
  std::mt19937_64 random(1);
  std::vector<Bytes> files;
  for (std::size_t i = 0; i < kFiles; ++i) {
    const std::string json = index_json(random);
    std::string payload(1 + ZSTD_compressBound(json.size()), '\x02');
    payload.resize(
        1 + ZSTD_compress(payload.data() + 1, payload.size() - 1, json.data(), json.size(), 3));
    files.push_back(*seal(key, as_bytes(payload)));
  }
  malloc_trim(0);
  return files;
}

const std::vector<Bytes>& files() {
  static const std::vector<Bytes> made = make_files(bench_key());
  return made;
}

std::shared_ptr<const Index> load_index() {
  const SealKey key = bench_key();
  IndexBuilder builder;
  const Status loaded = parallel_for(kFiles, kThreads, [&](std::size_t i) -> Status {
    ASSIGN_OR_RETURN(const Bytes json, open_unpacked(key, Bytes::copy_of(files()[i])));
    return parse_index_file(json, [&](const PackId& pack, std::span<const IndexedBlob> blobs) {
      builder.add(pack, blobs);
    });
  });
  if (!loaded) std::abort();
  return std::move(builder).build(kThreads);
}

double peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

double allocated_bytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Peak memory is the process's, so the first iteration's: run this one alone to measure it.
void load(benchmark::State& state) {
  static_cast<void>(files());
  const double before_peak = peak_rss_bytes();
  std::shared_ptr<const Index> index;
  double allocated = 0;
  for (auto _ : state) {
    index.reset();
    const double before = allocated_bytes();
    index = load_index();
    allocated = allocated_bytes() - before;
  }
  state.counters["blobs"] = static_cast<double>(index->blob_count());
  state.counters["counted_B/blob"] = static_cast<double>(index->memory_bytes()) / kBlobs;
  state.counters["allocated_B/blob"] = allocated / kBlobs;
  state.counters["peak_rss_growth_MiB"] = (peak_rss_bytes() - before_peak) / (1 << 20);
}
BENCHMARK(load)->Unit(benchmark::kMillisecond)->UseRealTime();

UniqueFd unnamed_file() { return UniqueFd(::open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); }

Status write_to(int fd, const SealKey& key) {
  return write_stored_index(fd, key, {.stored = nullptr, .parts = {load_index()}, .files = {}},
                            [] { return Status(); });
}

int stored_file() {
  static const UniqueFd file = [] {
    UniqueFd fd = unnamed_file();
    if (!write_to(fd.get(), bench_key())) std::abort();
    return fd;
  }();
  return file.get();
}

std::shared_ptr<const StoredIndex> open_stored(const SealKey& key) {
  return *StoredIndex::open(UniqueFd(::dup(stored_file())), key);
}

void store(benchmark::State& state) {
  const SealKey key = bench_key();
  const IndexesToStore what{.stored = nullptr, .parts = {load_index()}, .files = {}};
  for (auto _ : state) {
    const UniqueFd fd = unnamed_file();
    if (!write_stored_index(fd.get(), key, what, [] { return Status(); })) std::abort();
  }
}
BENCHMARK(store)->Unit(benchmark::kMillisecond)->UseRealTime();

// One more index file has come: what is stored already is read, and all of it written again.
void merge(benchmark::State& state) {
  const SealKey key = bench_key();
  const IndexesToStore what{.stored = open_stored(key), .parts = {}, .files = {}};
  for (auto _ : state) {
    const UniqueFd fd = unnamed_file();
    if (!write_stored_index(fd.get(), key, what, [] { return Status(); })) std::abort();
  }
}
BENCHMARK(merge)->Unit(benchmark::kMillisecond)->UseRealTime();

void open_file(benchmark::State& state) {
  const SealKey key = bench_key();
  std::shared_ptr<const StoredIndex> index;
  static_cast<void>(stored_file());
  for (auto _ : state) index = open_stored(key);
  state.counters["counted_B/blob"] = static_cast<double>(index->memory_bytes()) / kBlobs;
}
BENCHMARK(open_file)->Unit(benchmark::kMillisecond)->UseRealTime();

std::vector<BlobId> ids_to_find(bool there) {
  std::vector<BlobId> wanted;
  std::mt19937_64 random(2);
  if (!there) {
    while (wanted.size() < 1 << 16) wanted.push_back(random_id<BlobId>(random));
    return wanted;
  }
  const Bytes json = *open_unpacked(bench_key(), Bytes::copy_of(files()[7]));
  const auto keep = [&](const PackId&, std::span<const IndexedBlob> blobs) {
    for (const IndexedBlob& blob : blobs) {
      if (blob.type == BlobType::kData) wanted.push_back(blob.id);
    }
  };
  if (!parse_index_file(json, keep)) std::abort();
  std::ranges::shuffle(wanted, random);
  return wanted;
}

void find(benchmark::State& state, bool there) {
  const auto index = load_index();
  const std::vector<BlobId> wanted = ids_to_find(there);
  std::size_t i = 0;
  for (auto _ : state) {
    auto location = index->find(BlobType::kData, wanted[i++ % wanted.size()]);
    if (location.has_value() != there) std::abort();
    benchmark::DoNotOptimize(location);
  }
}
BENCHMARK_CAPTURE(find, present, true);
BENCHMARK_CAPTURE(find, absent, false);

void find_in_file(benchmark::State& state, bool there) {
  const SealKey key = bench_key();
  const auto index = open_stored(key);
  const std::vector<BlobId> wanted = ids_to_find(there);
  std::size_t i = 0;
  for (auto _ : state) {
    auto places = index->find_all(BlobType::kData, wanted[i++ % wanted.size()]);
    if (!places || places->empty() == there) std::abort();
    benchmark::DoNotOptimize(places);
  }
}
BENCHMARK_CAPTURE(find_in_file, present, true);
BENCHMARK_CAPTURE(find_in_file, absent, false);

}  // namespace
}  // namespace restree

BENCHMARK_MAIN();
