// Finding the chunks of a file: of random bytes, with the minimum size skipped.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "repo/chunker/chunker.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

void find_cuts(benchmark::State& state) {
  const auto chunker = Chunker::make(0x3da3358b4dc173);
  if (!chunker) std::abort();
  const Bytes data = testing::split_mix_bytes(1, 64 << 20);
  std::size_t chunks = 0;
  for (auto _ : state) {
    for (ByteView rest = data; !rest.empty(); ++chunks) {
      rest = rest.subspan(chunker->find_cut(rest).value_or(rest.size()));
    }
  }
  const std::int64_t bytes = state.iterations() * static_cast<std::int64_t>(data.size());
  state.SetBytesProcessed(bytes);
  state.counters["chunk_B"] = static_cast<double>(bytes) / static_cast<double>(chunks);
}
BENCHMARK(find_cuts)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace restree

BENCHMARK_MAIN();
