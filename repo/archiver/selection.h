// Leaves out of a backup what the options exclude.
//
// By path: --exclude and similar options, and the program's own cache.
// By attributes: --exclude-larger-than, --one-file-system (the folder on which another file system
// is mounted is kept, but nothing in it).
// Always: what lies in a mount of restreefs, which holds all that was ever saved (the folder on
// which it is mounted is kept). A folder below the top of such a mount is saved if it is a target.
// By a file in the folder that marks it: --exclude-if-present, --exclude-caches (the folder and the
// marking file are kept, but nothing else in it).
//
// Threads: any; immutable but for the list of mounts that were named.
// Errors:  from make(): kInvalid, naming the option; those of reading a file. A marking file that
//          cannot be read or has the wrong content causes a warning and excludes nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "repo/archiver/source_filter.h"
#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/pattern/pattern_filter.h"

namespace restree {

struct SelectionOptions {
  PatternOptions excludes = {};
  std::vector<std::string> exclude_if_present = {};  // NAME or NAME:HEADER
  bool exclude_caches = false;
  std::optional<std::uint64_t> exclude_larger_than = std::nullopt;
  bool one_file_system = false;
  std::vector<std::string> cache_folders = {};  // absolute; left out with all they hold
};

// Parses the value of --exclude-larger-than: "500", "500b", "10M"; letters stand for powers of
// 1024.
Result<std::uint64_t> parse_size_limit(std::string_view text);

class Selection final : public SourceFilter {
 public:
  // `target_paths`: absolute, as in the snapshot; --one-file-system looks up their devices.
  // `warn` is called for marking files that should exclude a folder but do not, and once for each
  // mount of restreefs that is left out.
  static Result<Selection> make(const SelectionOptions& options,
                                const std::vector<std::string>& target_paths,
                                std::function<void(const Error&)> warn);

  bool wants_path(const std::string& path) const override;
  bool wants(const std::string& path, const struct stat& attributes) const override;
  void thin_out(const UniqueFd& folder, const std::string& path,
                std::vector<std::string>& names) const override;

 private:
  // A file that marks its folder as one to leave out.
  struct Mark {
    std::string name;
    std::string header;  // what the file must begin with; empty: anything
  };
  static Result<Mark> parse_mark(const std::string& text);
  bool is_marked(const UniqueFd& folder, const std::string& path, const Mark& mark) const;
  // Whether it is the first call for this path.
  bool is_news(const std::string& path) const;
  bool is_on_allowed_device(std::string_view path, dev_t device) const;

  PatternFilter excludes_;
  std::vector<Mark> marks_;
  std::optional<std::uint64_t> largest_;
  std::vector<std::string> cache_folders_;
  std::optional<std::unordered_map<std::string, dev_t>> devices_;  // by target
  std::function<void(const Error&)> warn_;
  // The mounts that were named: the scan for the progress line meets them as well as the backup.
  std::shared_ptr<Guarded<std::set<std::string>>> named_mounts_ =
      std::make_shared<Guarded<std::set<std::string>>>();
};

}  // namespace restree
