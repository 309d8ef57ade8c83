#include "tests/soak/source_folder.h"

#include <string>

#include "tests/support/files.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFolders = 12;
constexpr unsigned kFilesOfAFolder = 24;
constexpr unsigned kMiddleFiles = 6;

std::uint64_t below(SplitMix64& random, std::uint64_t limit) { return random() % limit; }

fs::path small_file(const fs::path& root, SplitMix64& random) {
  return root / ("folder-" + std::to_string(below(random, kFolders))) /
         ("file-" + std::to_string(below(random, kFilesOfAFolder)));
}
fs::path middle_file(const fs::path& root, std::uint64_t number) {
  return root / "middle" / ("file-" + std::to_string(number));
}

// Some of it is text that compresses well, as in any folder; the rest is random.
void write_some(const fs::path& path, SplitMix64& random, std::uint64_t size) {
  if (below(random, 3) != 0) return write_random_file(path, random(), size);
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random()) + " of a log\n";
  text.resize(size);
  write_file(path, text);
}

void write_small(const fs::path& path, SplitMix64& random) {
  write_some(path, random, below(random, 30'000));
}
void write_middle(const fs::path& path, SplitMix64& random) {
  write_some(path, random, 512 * kKiB + below(random, scaled(3 * kMiB, kMiB)));
}

void write_with_hole(const fs::path& path, SplitMix64& random) {
  write_random_file(path, random(), 100'000);
  fs::resize_file(path, scaled(8 * kMiB, 2 * kMiB));
}

// Some bytes in the middle are others, the rest stays: most chunks are those of the backup before.
void change_the_middle(const fs::path& path, SplitMix64& random) {
  std::string content = read_file(path);
  const std::string other = random_bytes(random(), 10'000);
  content.replace(below(random, content.size()), 5000, other);
  write_file(path, content);
}

}  // namespace

void make_source_folder(const fs::path& root, SplitMix64& random) {
  for (unsigned folder = 0; folder < kFolders; ++folder) {
    const fs::path here = root / ("folder-" + std::to_string(folder));
    fs::create_directories(here);
    for (unsigned file = 0; file < kFilesOfAFolder; ++file) {
      write_small(here / ("file-" + std::to_string(file)), random);
    }
    fs::create_symlink("file-0", here / "link");
  }
  fs::create_directories(root / "middle/empty");
  for (unsigned i = 0; i < kMiddleFiles; ++i) write_middle(middle_file(root, i), random);
  fs::create_hard_link(middle_file(root, 0), root / "middle/linked");
  write_random_file(root / "large", random(), scaled(16 * kMiB, 4 * kMiB));
  write_with_hole(root / "hole", random);
}

void change_source_folder(const fs::path& root, SplitMix64& random) {
  for (unsigned i = 0; i < kFilesOfAFolder; ++i) write_small(small_file(root, random), random);
  for (unsigned i = 0; i < kFolders; ++i) fs::remove(small_file(root, random));
  const fs::path moved = small_file(root, random);
  if (fs::exists(moved)) fs::rename(moved, small_file(root, random));

  write_middle(middle_file(root, below(random, kMiddleFiles)), random);
  change_the_middle(root / "large", random);
  if (below(random, 4) == 0) write_with_hole(root / "hole", random);
  // Once in a while the large file is another one, so that a prune has something to remove.
  const std::uint64_t size = scaled(16 * kMiB, 4 * kMiB);
  if (below(random, 3) == 0) write_random_file(root / "large", random(), size);
}

}  // namespace restree::testing
