#include "repo/archiver/selection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fuse.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <limits>
#include <utility>

#include "repo/base/path.h"

namespace restree {
namespace {

// See bford.info/cachedir.
constexpr const char* kCacheMark = "CACHEDIR.TAG:Signature: 8a477f597d28d172789f06886806bc55";

bool is_in_folder(std::string_view path, std::string_view folder) {
  if (!path.starts_with(folder)) return false;
  return path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/';
}

// The first bytes of a file, as many as there are up to `size`.
Result<std::string> beginning_of(int fd, std::size_t size, const std::string& path) {
  std::string beginning(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(fd, beginning.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, "read " + path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  beginning.resize(filled);
  return beginning;
}

// Whether the folder is the top of a mount of restreefs: every FUSE file system numbers its root 1,
// and restreefs has a file there that no listing shows. Works without /proc.
bool is_restreefs_mount(const UniqueFd& folder) {
  struct stat attributes {};
  if (::fstat(folder.get(), &attributes) != 0 || attributes.st_ino != FUSE_ROOT_ID) return false;
  struct statfs figures {};
  if (::fstatfs(folder.get(), &figures) != 0 || figures.f_type != FUSE_SUPER_MAGIC) return false;
  return ::fstatat(folder.get(), ".restree/status", &attributes, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Result<std::uint64_t> parse_size_limit(std::string_view text) {
  constexpr std::string_view kUnits = "bkmgt";
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const auto fail = [&] {
    return Error(ErrorKind::kInvalid, fmt::format("'{}' is not a size", text))
        .hinting("write a whole number, alone for bytes or followed by k, m, g or t");
  };
  if (text.empty()) return fail();
  std::string_view digits = text;
  const char last = static_cast<char>(std::tolower(static_cast<unsigned char>(text.back())));
  const std::size_t unit = kUnits.find(last);
  if (unit != std::string_view::npos) digits.remove_suffix(1);
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end) return fail();
  const std::size_t shift = unit == std::string_view::npos ? 0 : 10 * unit;
  if (value > kLargest >> shift) return fail();
  return value << shift;
}

Result<Selection::Mark> Selection::parse_mark(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (colon == 0) {
    return Error(ErrorKind::kInvalid, "--exclude-if-present: the name of a file is missing")
        .hinting("it takes NAME or NAME:BEGINNING");
  }
  const std::size_t header = std::min(colon + 1, text.size());
  return Mark{text.substr(0, colon), text.substr(header)};
}

Result<Selection> Selection::make(const SelectionOptions& options,
                                  const std::vector<std::string>& target_paths,
                                  std::function<void(const Error&)> warn) {
  Selection selection;
  ASSIGN_OR_RETURN(selection.excludes_, PatternFilter::make(options.excludes, "exclude"));
  std::vector<std::string> marks = options.exclude_if_present;
  if (options.exclude_caches) marks.emplace_back(kCacheMark);
  for (const std::string& text : marks) {
    ASSIGN_OR_RETURN(Mark mark, parse_mark(text));
    selection.marks_.push_back(std::move(mark));
  }
  selection.largest_ = options.exclude_larger_than;
  selection.cache_folders_ = options.cache_folders;
  selection.warn_ = std::move(warn);
  if (!options.one_file_system) return selection;
  selection.devices_.emplace();
  for (const std::string& path : target_paths) {
    struct stat attributes {};
    if (::lstat(path.c_str(), &attributes) != 0) {
      return errno_error(errno, "--one-file-system: stat " + path);
    }
    (*selection.devices_)[path] = attributes.st_dev;
  }
  return selection;
}

bool Selection::wants_path(const std::string& path) const {
  const bool is_cache = std::ranges::any_of(
      cache_folders_, [&](const std::string& folder) { return is_in_folder(path, folder); });
  return !is_cache && !excludes_.matches(path);
}

// The nearest target above the path decides. A path in no target is the stand-in for a target (an
// entry of `.` or `/`) and is allowed.
bool Selection::is_on_allowed_device(std::string_view path, dev_t device) const {
  if (!devices_) return true;
  for (;; path = parent_path(path)) {
    const auto target = devices_->find(std::string(path));
    if (target != devices_->end()) return target->second == device;
    if (path == "/" || path == ".") return true;
  }
}

bool Selection::wants(const std::string& path, const struct stat& attributes) const {
  const bool is_folder = S_ISDIR(attributes.st_mode);
  if (largest_ && !is_folder && static_cast<std::uint64_t>(attributes.st_size) > *largest_) {
    return false;
  }
  if (!devices_ || is_on_allowed_device(path, attributes.st_dev)) return true;
  if (!is_folder) return false;
  // A mount point itself still counts as part of the file system around it.
  const std::string parent(parent_path(path));
  struct stat around {};
  return ::lstat(parent.c_str(), &around) == 0 && is_on_allowed_device(parent, around.st_dev);
}

bool Selection::is_marked(const UniqueFd& folder, const std::string& path, const Mark& mark) const {
  const auto says_nothing = [&](Error error) {
    warn_(std::move(error).hinting("it does not exclude anything"));
    return false;
  };
  const std::string mark_path = join_path(path, mark.name);
  struct stat attributes {};
  if (::fstatat(folder.get(), mark.name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? false : says_nothing(errno_error(errno, "stat " + mark_path));
  }
  if (mark.header.empty()) return true;
  const UniqueFd file(::openat(folder.get(), mark.name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return says_nothing(errno_error(errno, "open " + mark_path));
  auto beginning = beginning_of(file.get(), mark.header.size(), mark_path);
  if (!beginning) return says_nothing(std::move(beginning).error());
  if (*beginning == mark.header) return true;
  return says_nothing(
      Error(ErrorKind::kInvalid, fmt::format("{} does not begin with the signature that "
                                             "marks a folder to leave out",
                                             mark_path)));
}

bool Selection::is_news(const std::string& path) const {
  return named_mounts_->lock()->insert(path).second;
}

void Selection::thin_out(const UniqueFd& folder, const std::string& path,
                         std::vector<std::string>& names) const {
  if (is_restreefs_mount(folder)) {
    names.clear();
    if (is_news(path)) {
      warn_(Error(ErrorKind::kInvalid,
                  path + " is a mount of restreefs, and what it holds is left out")
                .hinting("To save one of its snapshots, name that folder itself."));
    }
    return;
  }
  for (const Mark& mark : marks_) {
    if (is_marked(folder, path, mark)) {
      std::erase_if(names, [&](const std::string& name) { return name != mark.name; });
    }
  }
}

}  // namespace restree
