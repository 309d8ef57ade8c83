// Templates of the paths under which snapshots are shown, as restic's --path-template has them:
// text with the words %i (short id), %I (id), %u (user), %h (host), %t (tag) and %T (time); any
// other character after a % stands for itself.
//
// Values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

// Limits: kMostPaths for one snapshot where a template has %t more than once, and so a path for each
//         combination of tags; those beyond are left out.
// Errors: of parse(): kInvalid, with what is wrong with the text.
class PathTemplate {
 public:
  static constexpr std::size_t kMostPaths = 4096;

  static Result<PathTemplate> parse(std::string_view text);

  // The entries of a path: folders, and last the name of the snapshot itself. Each is a name that a
  // directory can hold (entry_name()), whatever the snapshot says.
  using Path = std::vector<std::string>;
  // One path for each tag where the template has %t, and then none without tags; one for each pair
  // of tags where it has two, and so on. `time`: what %T stands for.
  std::vector<Path> paths_of(const Snapshot& snapshot, std::string_view time) const;

  // The leading folders that are the same for every snapshot.
  Path fixed_folders() const;
  // Whether the first entry of every path is `name`.
  bool begins_with(std::string_view name) const;
  // Whether the names of snapshots end with the time, so that the last of them is the newest.
  bool ends_with_time() const;

 private:
  struct Part {
    char word = 0;     // 0: plain text
    std::string text;  // of plain text
  };
  using Entry = std::vector<Part>;

  static bool is_fixed(const Entry& entry);

  std::vector<Entry> entries_;
};

}  // namespace restree
