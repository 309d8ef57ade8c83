#include "repo/archiver/scanner.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "repo/archiver/source_folder.h"

namespace restree {
namespace {

constexpr std::uint64_t kFilesBetweenReports = 256;

class Scanner {
 public:
  Scanner(const SourceFilter& filter, const ScanEvents& events, const std::stop_token& stop)
      : filter_(filter), events_(events), stop_(stop) {}

  void scan_targets(const std::vector<TargetNode>& nodes) {
    for (const TargetNode& node : nodes) {
      if (stop_.stop_requested()) return;
      if (node.is_target) {
        scan_entry({AT_FDCWD, node.source_path}, node.absolute_path, node.is_explicit);
      } else {
        scan_targets(node.children);
      }
    }
  }
  const ScanTotals& totals() const { return totals_; }

 private:
  void scan_entry(const SourcePlace& place, const std::string& path, bool is_named) {
    if (!is_named && !filter_.wants_path(path)) return;
    struct stat attributes {};
    if (::fstatat(place.folder_fd, place.name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) events_.on_error(path, errno_error(errno, "stat " + path));
      return;
    }
    if (!is_named && !filter_.wants(path, attributes)) return;
    if (S_ISREG(attributes.st_mode)) count(attributes);
    if (S_ISDIR(attributes.st_mode)) scan_folder(place, path);
  }

  void count(const struct stat& attributes) {
    ++totals_.files;
    totals_.bytes += static_cast<std::uint64_t>(attributes.st_size);
    if (totals_.files % kFilesBetweenReports == 0) events_.on_progress(totals_);
  }

  void scan_folder(const SourcePlace& place, const std::string& path) {
    const auto folder = open_source_folder(place, path);
    auto names =
        folder ? names_in_folder(*folder, path) : Result<std::vector<std::string>>(folder.error());
    if (!names) {
      if (names.error().kind() != ErrorKind::kNotFound) events_.on_error(path, names.error());
      return;
    }
    filter_.thin_out(*folder, path, *names);
    const std::string prefix = path == "/" ? path : path + "/";
    for (const std::string& name : *names) {
      if (stop_.stop_requested()) return;
      scan_entry({folder->get(), name}, prefix + name, false);
    }
  }

  const SourceFilter& filter_;
  const ScanEvents& events_;
  const std::stop_token& stop_;
  ScanTotals totals_;
};

}  // namespace

ScanTotals scan(const TargetNode& targets, const SourceFilter& filter, const ScanEvents& events,
                const std::stop_token& stop) {
  Scanner scanner(filter, events, stop);
  scanner.scan_targets(targets.children);
  return scanner.totals();
}

}  // namespace restree
