#include "repo/archiver/files_from.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/pattern/glob.h"
#include "repo/pattern/text_file.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

bool has_meta(std::string_view path) {
  return path.find_first_of("*?[\\") != std::string_view::npos;
}

// A folder that cannot be read counts as empty, as in Go.
std::vector<std::string> sorted_names(const std::string& folder) {
  std::vector<std::string> names;
  const DirectoryStream directory(::opendir(folder.c_str()));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// The folder in which a pattern's last component is looked up.
std::string folder_of(std::string_view pattern) {
  const std::size_t slash = pattern.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(pattern.substr(0, std::max<std::size_t>(slash, 1)));
}

std::vector<std::string> matching(const std::string& pattern) {
  struct stat attributes {};
  if (!has_meta(pattern)) {
    if (::lstat(pattern.c_str(), &attributes) != 0) return {};
    return {pattern};
  }
  const std::string folder = folder_of(pattern);
  const std::string_view last = std::string_view(pattern).substr(pattern.rfind('/') + 1);
  std::vector<std::string> found;
  for (const std::string& in : has_meta(folder) ? matching(folder) : std::vector{folder}) {
    for (const std::string& name : sorted_names(in)) {
      if (glob_matches(last, name)) found.push_back(clean_path(join_path(in, name)));
    }
  }
  return found;
}

Result<std::string> content_of(const std::string& file) {
  return file == "-" ? read_standard_input() : read_whole_file(file);
}

// Calls on files would take such a line for what stands before the zero byte.
Status expect_no_zero_byte(const std::string& file, std::string_view line) {
  constexpr std::size_t kShownBytes = 100;
  if (line.find('\0') == std::string_view::npos) return {};
  return Error(ErrorKind::kInvalid, fmt::format("{}: a zero byte in the line {}", file,
                                                log::quoted(line.substr(0, kShownBytes))))
      .hinting(
          "Names that zero bytes end, as `find -print0` writes them, are for --files-from-raw.");
}

Result<std::vector<std::string>> from_patterns(const std::string& file,
                                               const std::function<void(const Error&)>& warn) {
  std::vector<std::string> targets;
  ASSIGN_OR_RETURN(const std::string content, content_of(file));
  for (const std::string& line : text_lines(content)) {
    const std::string pattern(trimmed(line));
    if (pattern.empty() || pattern.front() == '#') continue;
    RETURN_IF_ERROR(expect_no_zero_byte(file, pattern));
    ASSIGN_OR_RETURN(const std::vector<std::string> found, expand_glob(pattern));
    if (found.empty()) {
      warn(Error(ErrorKind::kNotFound,
                 fmt::format("{}: pattern {} does not match any files, skipping", file,
                             log::quoted(pattern))));
    }
    targets.insert(targets.end(), found.begin(), found.end());
  }
  return targets;
}

Result<std::vector<std::string>> from_lines(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string content, content_of(file));
  std::vector<std::string> targets = text_lines(content);
  std::erase(targets, "");
  for (const std::string& target : targets) RETURN_IF_ERROR(expect_no_zero_byte(file, target));
  return targets;
}

// Calls `read` for each file, and appends the paths that it returns to `targets`.
template <class Read>
Status add_from(const std::vector<std::string>& files, std::string_view option,
                std::vector<std::string>& targets, Read read) {
  for (const std::string& file : files) {
    auto from_file = read(file);
    if (!from_file) return std::move(from_file).error().with(option);
    targets.insert(targets.end(), from_file->begin(), from_file->end());
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> expand_glob(const std::string& pattern) {
  if (!is_glob(pattern)) {
    return Error(ErrorKind::kInvalid, fmt::format("invalid pattern {}", log::quoted(pattern)));
  }
  return matching(pattern);
}

Result<std::vector<std::string>> parse_raw_list(std::string_view bytes) {
  std::vector<std::string> paths;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos) {
      return Error(ErrorKind::kInvalid, "trailing zero byte missing")
          .hinting("each name must end in one, as `find -print0` writes them");
    }
    if (end == 0) return Error(ErrorKind::kInvalid, "empty filename in listing");
    paths.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return paths;
}

Result<std::vector<std::string>> targets_from_files(const FilesFromOptions& options,
                                                    const std::function<void(const Error&)>& warn) {
  std::vector<std::string> targets;
  RETURN_IF_ERROR(add_from(options.files_from, "--files-from", targets,
                           [&](const std::string& file) { return from_patterns(file, warn); }));
  RETURN_IF_ERROR(add_from(options.verbatim, "--files-from-verbatim", targets, from_lines));
  RETURN_IF_ERROR(add_from(options.raw, "--files-from-raw", targets,
                           [](const std::string& file) -> Result<std::vector<std::string>> {
                             ASSIGN_OR_RETURN(const std::string content, content_of(file));
                             return parse_raw_list(content);
                           }));
  return targets;
}

}  // namespace restree
