// Gives what was restored its owner, extended attributes, times and mode.
//
// Threads: any.
// Errors:  the first one, without the item's name, and how many there are; the other attributes are
//          set all the same. A user other than root gets no error for what only root may do, as
//          with restic.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/format/tree.h"

namespace restree {

class TargetMetadata {
 public:
  // `select_xattr`: see RestoreOptions.
  TargetMetadata(bool ownership_by_name, std::function<bool(std::string_view)> select_xattr);

  struct What {
    bool times = true;  // false: for a file whose content is not complete
  };
  // To an open file or folder.
  Status apply(int fd, const Node& node, What what) const;
  // To a link, FIFO or device, which is not opened, by its name in a folder that no other user can
  // change: see private_folder.h.
  Status apply_in(const UniqueFd& folder, const std::string& name, const Node& node) const;

  // An open file has the owner, mode and extended attributes already: who may use it, and how.
  bool has_access_of(int fd, const Node& node) const;
  std::uint32_t owner(const Node& node) const;

 private:
  struct Object;
  struct XattrChange;
  class Notes;
  Status apply_to(const Object& object, const Node& node, What what) const;
  bool set_xattrs(const Object& object, const Node& node, Notes& notes) const;
  std::vector<XattrChange> xattr_changes(const Object& object, const Node& node,
                                         Notes& notes) const;
  std::uint32_t group(const Node& node) const;

  struct Names {
    std::map<std::string, std::uint32_t, std::less<>> users;
    std::map<std::string, std::uint32_t, std::less<>> groups;
  };
  const bool ownership_by_name_;
  const std::function<bool(std::string_view)> select_xattr_;
  const bool is_root_;
  mutable Guarded<Names> names_;
};

}  // namespace restree
