#include "tests/support/filled_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

constexpr int kMostRounds = 5;

std::string status_of(const Mounted& mounted, const char* field) {
  return status_fields(read_file(mounted / ".restree/status")).at(field);
}

}  // namespace

void fill_cache(const MountRequest& request, const std::function<void(const Mounted&)>& read) {
  std::string left_out;
  for (int round = 0; round < kMostRounds; ++round) {
    Mounted mounted(request);
    const std::string before = status_of(mounted, "fetched_bytes");
    read(mounted);
    const bool is_filled = status_of(mounted, "fetched_bytes") == before;
    EXPECT_TRUE(is_filled || left_out != "0") << "not kept, though nothing was left out";
    left_out = status_of(mounted, "cache_left_out");
    mounted.unmount();
    if (is_filled) return;
  }
  ADD_FAILURE() << "the cache is not filled after " << kMostRounds << " rounds";
}

}  // namespace restree::testing
