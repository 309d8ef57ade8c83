#include "tests/support/fidelity.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "repo/base/log.h"
#include "tests/support/process.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using Listing = std::map<std::string, struct stat>;

Listing stat_all(const fs::path& root, const std::vector<std::string>& ignored) {
  Listing listing;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) continue;
    struct stat attributes {};
    if (::lstat(entry.path().c_str(), &attributes) == 0) listing[name] = attributes;
  }
  return listing;
}

// Which names are one file, as sets of names.
std::set<std::set<std::string>> link_groups(const Listing& listing) {
  std::map<std::pair<dev_t, ino_t>, std::set<std::string>> groups;
  for (const auto& [name, attributes] : listing) {
    groups[{attributes.st_dev, attributes.st_ino}].insert(name);
  }
  std::set<std::set<std::string>> result;
  for (auto& [inode, names] : groups) {
    if (names.size() > 1) result.insert(std::move(names));
  }
  return result;
}

template <class T>
void compare(std::string& lines, const std::string& name, const char* what, T shown, T source) {
  if (shown == source) return;
  lines += log::quoted(name) + ": " + what + " " + std::to_string(shown) + ", source has " +
           std::to_string(source) + "\n";
}

void compare_one(std::string& lines, const std::string& name, const struct stat& shown,
                 const struct stat& source) {
  compare(lines, name, "mode", shown.st_mode, source.st_mode);
  compare(lines, name, "uid", shown.st_uid, source.st_uid);
  compare(lines, name, "gid", shown.st_gid, source.st_gid);
  compare(lines, name, "mtime", shown.st_mtim.tv_sec, source.st_mtim.tv_sec);
  compare(lines, name, "mtime ns", shown.st_mtim.tv_nsec, source.st_mtim.tv_nsec);
  compare(lines, name, "ctime", shown.st_ctim.tv_sec, source.st_ctim.tv_sec);
  compare(lines, name, "ctime ns", shown.st_ctim.tv_nsec, source.st_ctim.tv_nsec);
  // restic records the mtime as atime unless told otherwise.
  compare(lines, name, "atime", shown.st_atim.tv_sec, source.st_mtim.tv_sec);
  if (S_ISDIR(source.st_mode)) {
    if (shown.st_nlink < 1) lines += log::quoted(name) + ": no links\n";
    return;
  }
  compare(lines, name, "rdev", shown.st_rdev, source.st_rdev);
  compare(lines, name, "size", shown.st_size, source.st_size);
  compare(lines, name, "nlink", shown.st_nlink, source.st_nlink);
  // A file without holes has a block for each 512 bytes that were begun.
  if (S_ISREG(source.st_mode) && source.st_blocks * 512 >= source.st_size) {
    compare(lines, name, "blocks", shown.st_blocks, (source.st_size + 511) / 512);
  }
}

}  // namespace

std::string differences(const fs::path& shown, const fs::path& source,
                        const std::vector<std::string>& ignored) {
  Command rsync{.argv = {"rsync", "-aHAXn", "--checksum", "--delete", "--itemize-changes",
                         "--numeric-ids", "--modify-window=-1"},
                .timeout = std::chrono::seconds(900)};
  for (const auto& pattern : ignored) rsync.argv.push_back("--exclude=/" + pattern);
  rsync.argv.push_back(shown.string() + "/");
  rsync.argv.push_back(source.string() + "/");
  const Finished finished = run(rsync);
  return finished.ok() ? finished.out + finished.err : finished.report();
}

std::string stat_differences(const fs::path& shown, const fs::path& source,
                             const std::vector<std::string>& ignored) {
  const Listing ours = stat_all(shown, ignored);
  const Listing theirs = stat_all(source, ignored);
  std::string lines;
  for (const auto& [name, attributes] : theirs) {
    const auto found = ours.find(name);
    if (found == ours.end()) {
      lines += log::quoted(name) + ": missing\n";
    } else {
      compare_one(lines, name, found->second, attributes);
    }
  }
  for (const auto& [name, attributes] : ours) {
    if (!theirs.contains(name)) lines += log::quoted(name) + ": not in the source\n";
  }
  if (link_groups(ours) != link_groups(theirs)) lines += "hard links are grouped differently\n";
  return lines;
}

}  // namespace restree::testing
