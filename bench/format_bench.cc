// What a blob passes on its way in: opening the seal, the hash, decompression, parsing a tree.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <zstd.h>

#include <cstdlib>
#include <random>
#include <string>

#include "repo/crypto/seal.h"
#include "repo/crypto/sha256.h"
#include "repo/format/tree.h"
#include "repo/format/tree_writer.h"
#include "repo/format/zstd.h"

namespace restree {
namespace {

SealKey bench_key() {
  const std::string part(32, 'k');
  return *SealKey::make(as_bytes(part), as_bytes(part).first(16), as_bytes(part).first(16));
}

// Text that compresses about as well as sources do.
std::string words(std::size_t size) {
  std::mt19937_64 random(1);
  std::string text;
  while (text.size() < size) text += fmt::format("{:x} word ", random() % 5000);
  text.resize(size);
  return text;
}

std::string random_hex(std::mt19937_64& random) {
  return fmt::format("{:016x}{:016x}{:016x}{:016x}", random(), random(), random(), random());
}

std::string tree_of_files(std::size_t count, std::size_t ids_each) {
  std::mt19937_64 random(1);
  std::string json = R"({"nodes":[)";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) json += ',';
    json += fmt::format(
        R"({{"name":"file-{:08}.txt","type":"file","mode":420,)"
        R"("mtime":"2023-11-14T18:43:{:02}.120000{:03}-03:30","atime":"2023-11-14T18:43:{:02}.120000{:03}-03:30",)"
        R"("ctime":"2026-11-22T17:10:49.702325215-03:30","uid":1000,"gid":1000,"user":"alice",)"
        R"("group":"users","inode":{},"device_id":65024,"size":123456,"links":1,"content":[)",
        i, i % 60, i % 1000, i % 60, i % 1000, 1359890 + i);
    for (std::size_t id = 0; id < ids_each; ++id) {
      json += fmt::format(R"({}"{}")", id == 0 ? "" : ",", random_hex(random));
    }
    json += "]}";
  }
  return json += "]}\n";
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void open_sealed(benchmark::State& state) {
  const SealKey key = bench_key();
  const auto size = static_cast<std::size_t>(state.range(0));
  const Bytes sealed = *seal(key, as_bytes(words(size)));
  Bytes plain(size);
  for (auto _ : state) {
    if (!open_into(key, sealed, plain.view())) std::abort();
  }
  count_bytes(state, size);
}
BENCHMARK(open_sealed)->Arg(32)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

void hash(benchmark::State& state) {
  const std::string text = words(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(sha256(as_bytes(text)));
  count_bytes(state, text.size());
}
BENCHMARK(hash)->Arg(32)->Arg(1 << 10)->Arg(1 << 20);

void decompress_text(benchmark::State& state) {
  const std::string text = words(1 << 20);
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), 3));
  Bytes raw(text.size());
  for (auto _ : state) {
    if (!decompress_into(as_bytes(frame), raw.view())) std::abort();
  }
  count_bytes(state, text.size());
}
BENCHMARK(decompress_text);

// Arguments: files in the directory, content ids in each.
void parse_tree(benchmark::State& state) {
  const std::string json = tree_of_files(static_cast<std::size_t>(state.range(0)),
                                         static_cast<std::size_t>(state.range(1)));
  std::size_t memory = 0;
  for (auto _ : state) {
    const auto tree = Tree::parse(as_bytes(json));
    if (!tree) std::abort();
    memory = (*tree)->memory_bytes();
  }
  count_bytes(state, json.size());
  state.counters["time/node"] = benchmark::Counter(
      static_cast<double>(state.range(0)),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["memory_B/node"] =
      static_cast<double>(memory) / static_cast<double>(state.range(0));
}
BENCHMARK(parse_tree)->Args({20, 1})->Args({1000, 1})->Args({100'000, 1})->Args({10, 100'000});

// Argument: files in the directory.
void write_tree(benchmark::State& state) {
  const std::string json = tree_of_files(static_cast<std::size_t>(state.range(0)), 1);
  const auto tree = Tree::parse(as_bytes(json));
  if (!tree) std::abort();
  const TimeZone zone = TimeZone::named("Europe/Berlin");
  for (auto _ : state) {
    TreeWriter writer(zone);
    for (const Node& node : (*tree)->nodes()) {
      if (!writer.append(node)) std::abort();
    }
    benchmark::DoNotOptimize(writer.finish());
  }
  count_bytes(state, json.size());
}
BENCHMARK(write_tree)->Arg(20)->Arg(60'000);

}  // namespace
}  // namespace restree

BENCHMARK_MAIN();
