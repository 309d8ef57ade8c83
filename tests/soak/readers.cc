#include "tests/soak/readers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "repo/base/unique_fd.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/scale.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

std::string failed(const char* call, const fs::path& path) {
  return std::string(call) + " " + path.string() + ": " + std::strerror(errno);
}

UniqueFd open_to_read(const fs::path& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

// What the kernel has of the file already would say nothing about the mount.
void forget_pages(const fs::path& path) {
  const UniqueFd fd = open_to_read(path);
  if (fd) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}
void forget_pages(const fs::path& folder, const Manifest& part) {
  for (const auto& [path, entry] : part) {
    if (entry.is_file()) forget_pages(folder / path);
  }
}

template <class Wanted>
const std::string& pick(const Manifest& manifest, SplitMix64& random, Wanted wanted) {
  std::vector<const std::string*> found;
  for (const auto& [path, entry] : manifest) {
    if (wanted(entry)) found.push_back(&path);
  }
  return *found.at(random() % found.size());
}
const std::string& pick_file(const Manifest& manifest, SplitMix64& random) {
  // Every other time one that has more than a block.
  const std::uint64_t least = random() % 2 == 0 ? kHashedBlock : 0;
  return pick(manifest, random,
              [&](const ManifestEntry& entry) { return entry.is_file() && entry.size >= least; });
}
const std::string& pick_folder(const Manifest& manifest, SplitMix64& random) {
  return pick(manifest, random, [](const ManifestEntry& entry) { return entry.is_folder(); });
}

std::string wrong_block(const fs::path& path, std::size_t block, std::string_view bytes) {
  const bool zeros = bytes.find_first_not_of('\0') == std::string_view::npos;
  return path.string() + ": block " + std::to_string(block) + " is wrong (" +
         std::to_string(bytes.size()) + " bytes" + (zeros ? ", all zero)" : ")");
}

// Reads from `at` until `into` is full or the file ends. false: errno says why.
bool read_at(const UniqueFd& fd, char* into, std::size_t size, std::uint64_t at,
             std::size_t& count) {
  count = 0;
  while (count < size) {
    const ssize_t more =
        ::pread(fd.get(), into + count, size - count, static_cast<off_t>(at + count));
    if (more < 0) return false;
    if (more == 0) break;
    count += static_cast<std::size_t>(more);
  }
  return true;
}

// From the beginning to the end.
void read_file_of(const fs::path& path, const ManifestEntry& entry, Reading& reading) {
  const UniqueFd fd = open_to_read(path);
  if (!fd) return void(reading.error = failed("open", path));
  std::string bytes(kHashedBlock, '\0');
  for (std::size_t block = 0; block < entry.blocks.size(); ++block) {
    std::size_t count = 0;
    if (!read_at(fd, bytes.data(), bytes.size(), block * kHashedBlock, count)) {
      return void(reading.error = failed("read", path));
    }
    const std::string_view got(bytes.data(), count);
    if (!entry.block_is(block, got)) return void(reading.wrong = wrong_block(path, block, got));
    reading.bytes += count;
  }
  char beyond = 0;
  std::size_t count = 0;
  if (!read_at(fd, &beyond, 1, entry.size, count)) reading.error = failed("read", path);
  if (count != 0) reading.wrong = path.string() + " is longer than it was";
}

Reading by_read(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_file(manifest, random);
  Reading reading;
  forget_pages(shown / name);
  read_file_of(shown / name, manifest.at(name), reading);
  return reading;
}

// Up to 24 blocks anywhere, each of them in four pieces of any length and in any order.
Reading by_pread(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_file(manifest, random);
  const ManifestEntry& entry = manifest.at(name);
  Reading reading;
  forget_pages(shown / name);
  const UniqueFd fd = open_to_read(shown / name);
  if (!fd) return {.error = failed("open", shown / name)};
  for (std::size_t i = 0; i < std::min<std::size_t>(24, entry.blocks.size()); ++i) {
    const std::size_t block = random() % entry.blocks.size();
    const std::size_t size = entry.block_size(block);
    std::array<std::size_t, 5> cuts{0, random() % size, random() % size, random() % size, size};
    std::sort(cuts.begin(), cuts.end());
    std::string bytes(size, '\0');
    const std::size_t first = random() % 4;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t from = cuts[(first + k) % 4];
      const std::size_t length = cuts[(first + k) % 4 + 1] - from;
      std::size_t count = 0;
      if (!read_at(fd, bytes.data() + from, length, block * kHashedBlock + from, count)) {
        reading.error = failed("pread", shown / name);
        return reading;
      }
    }
    if (!entry.block_is(block, bytes)) reading.wrong = wrong_block(shown / name, block, bytes);
    reading.bytes += size;
  }
  return reading;
}

// The kernel copies out of the mapping, since a page that cannot be read is then an error of that
// call, where this program would get a signal.
Reading by_mmap(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_file(manifest, random);
  const ManifestEntry& entry = manifest.at(name);
  forget_pages(shown / name);
  const UniqueFd fd = open_to_read(shown / name);
  if (!fd) return {.error = failed("open", shown / name)};
  if (entry.size == 0) return {};
  void* const mapped = ::mmap(nullptr, entry.size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return {.error = failed("mmap", shown / name)};
  const UniqueFd copy(::memfd_create("restree-test", MFD_CLOEXEC));
  Reading reading;
  for (std::size_t i = 0; i < std::min<std::size_t>(24, entry.blocks.size()); ++i) {
    const std::size_t block = random() % entry.blocks.size();
    std::string bytes(entry.block_size(block), '\0');
    const char* const from = static_cast<const char*>(mapped) + block * kHashedBlock;
    std::size_t count = 0;
    if (::pwrite(copy.get(), from, bytes.size(), 0) != static_cast<ssize_t>(bytes.size()) ||
        !read_at(copy, bytes.data(), bytes.size(), 0, count)) {
      reading.error = failed("mmap", shown / name);
      break;
    }
    if (!entry.block_is(block, bytes)) reading.wrong = wrong_block(shown / name, block, bytes);
    reading.bytes += count;
  }
  ::munmap(mapped, entry.size);
  return reading;
}

Finished run_patiently(std::vector<std::string> argv, const fs::path& folder = {}) {
  return run({.argv = std::move(argv),
              .env = {{"LC_ALL", "C"}},
              .folder = folder,
              .timeout = std::chrono::seconds(patient(600))});
}

Reading by_cat(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_file(manifest, random);
  forget_pages(shown / name);
  const Finished cat = run_patiently({"cat", (shown / name).string()});
  if (!cat.ok()) return {.error = "cat: " + cat.err};
  if (manifest.at(name).content_is(cat.out)) return {.bytes = cat.out.size()};
  return {.wrong = "cat " + (shown / name).string() + ": " + std::to_string(cat.out.size()) +
                   " bytes that are not what was saved"};
}

std::uint64_t bytes_in(const Manifest& manifest) {
  std::uint64_t sum = 0;
  for (const auto& [path, entry] : manifest) sum += entry.size;
  return sum;
}

Reading compared(const Manifest& part, const fs::path& copy, const std::string& how) {
  const std::string differing = differences(part, copy);
  if (differing.empty()) return {.bytes = bytes_in(part)};
  return {.wrong = how + "\n" + differing};
}

Reading by_cp(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_folder(manifest, random);
  const Manifest part = part_of(manifest, name);
  forget_pages(shown / name, part);
  const TempDir copy;
  const std::string from = (shown / name).string();
  const Finished cp = run_patiently({"cp", "-aT", from, copy.path().string()});
  if (!cp.ok()) return {.error = cp.report()};
  return compared(part, copy.path(), "cp -a " + from);
}

Reading by_tar(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_folder(manifest, random);
  const Manifest part = part_of(manifest, name);
  forget_pages(shown / name, part);
  const TempDir dir;
  const fs::path copy = dir.path() / "copy";
  fs::create_directory(copy);
  const std::string from = (shown / name).string();
  const std::string archive = (dir.path() / "tar").string();
  const Finished made = run_patiently({"tar", "-cf", archive, "-C", from, "."});
  if (!made.ok()) return {.error = made.report()};
  const Finished unpacked = run_patiently({"tar", "-xpf", archive, "-C", copy.string()});
  if (!unpacked.ok()) return {.wrong = "tar made of " + from + ": " + unpacked.report()};
  return compared(part, copy, "tar of " + from);
}

std::string line_of(const std::string& path, const ManifestEntry& entry) {
  const char* const type = entry.is_folder() ? "d" : entry.is_file() ? "f" : "l";
  const std::string size = entry.is_file() ? std::to_string(entry.size) : "";
  return path + "\t" + type + "\t" + size + "\t" + entry.target + "\n";
}

Reading by_find(const fs::path& shown, const Manifest& manifest, SplitMix64& random) {
  const std::string& name = pick_folder(manifest, random);
  const std::string from = (shown / name).string();
  const Finished find =
      run_patiently({"find", from, "(", "-type", "f", "-printf", R"(%P\tf\t%s\t\n)", ")", "-o",
                     "-printf", R"(%P\t%y\t\t%l\n)"});
  if (!find.ok()) return {.error = find.report()};
  std::vector<std::string> wanted;
  for (const auto& [path, entry] : part_of(manifest, name)) wanted.push_back(line_of(path, entry));
  std::vector<std::string> found;
  for (std::size_t at = 0; at < find.out.size();) {
    const std::size_t end = find.out.find('\n', at) + 1;
    found.push_back(find.out.substr(at, end - at));
    at = end;
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  if (wanted == found) return {.bytes = find.out.size()};
  return {.wrong = "find " + from + " printed\n" + find.out};
}

}  // namespace

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {{"read", by_read}, {"pread", by_pread}, {"mmap", by_mmap},
                                          {"cat", by_cat},   {"cp -a", by_cp},    {"tar", by_tar},
                                          {"find", by_find}};
  return all;
}

Reading read_all(const fs::path& shown, const Manifest& manifest) {
  Reading reading;
  forget_pages(shown, manifest);
  for (const auto& [path, entry] : manifest) {
    if (entry.is_file()) read_file_of(shown / path, entry, reading);
    if (entry.is_folder()) {
      const Manifest part = part_of(manifest, path);
      const auto count = std::ranges::count_if(part, [](const auto& below) {
        return !below.first.empty() && below.first.find('/') == std::string::npos;
      });
      try {
        if (names_in(shown / path).size() != static_cast<std::size_t>(count)) {
          reading.wrong = (shown / path).string() + " has other names than it had";
        }
      } catch (const std::system_error& error) {
        reading.error = error.what();
      }
    }
    if (!reading.wrong.empty() || !reading.error.empty()) break;
  }
  return reading;
}

}  // namespace restree::testing
