// A disk cache in a folder of its own, and the operations that tests do on it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cache/disk_cache.h"
#include "tests/support/cache_places.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {

inline const std::string kId(64, 'a');
// Demands no free space, so that tests do not depend on how full the disk is.
inline constexpr CacheLimits kWide{
    .size_bytes = 1 << 30, .least_free_bytes = 0, .least_free_percent = 0};

class DiskCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<DiskCache> open(CacheLimits limits = kWide) {
    return testing::value_of(DiskCache::open(base(), kId, limits));
  }
  static void keep(DiskCache& cache, const SealedPlace& place) {
    cache.keep(place, Bytes::copy_of(as_bytes(testing::content_of(place))));
    cache.flush();
  }
  static bool has(DiskCache& cache, const SealedPlace& place) {
    const auto sealed = cache.read(place);
    if (!sealed) return false;
    EXPECT_EQ(as_text(*sealed), testing::content_of(place));
    return true;
  }
  std::string base() const { return (dir_.path() / "cache" / "restree").string(); }
  std::filesystem::path folder() const { return std::filesystem::path(base()) / kId; }
  std::filesystem::path file_of(const SealedPlace& place) const {
    return folder() / cache_path(place);
  }
  // The disk space that the files take, as du counts it.
  std::uint64_t bytes_on_disk() const {
    std::uint64_t sum = 0;
    for (const std::filesystem::path& file : testing::files_below(folder())) {
      struct stat attributes {};
      if (::stat(file.c_str(), &attributes) == 0) {
        sum += static_cast<std::uint64_t>(attributes.st_blocks) * 512;
      }
    }
    return sum;
  }
  static void make_old(const std::filesystem::path& file, std::chrono::hours age) {
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - age);
  }

  testing::TempDir dir_;
};

}  // namespace restree
