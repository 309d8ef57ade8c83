// Gives what was restored its owner, extended attributes, times and mode.
//
// Threads: any.
// Errors:  the first one, without the item's name; the other attributes are set all the same. A
//          user other than root gets no error for what only root may do, as with restic.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
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
  // To any item, which is not opened: devices and links have no use for that.
  Status apply_at(int folder, const std::string& name, const Node& node) const;

 private:
  struct Object;
  Status apply_to(const Object& object, const Node& node, What what) const;
  Result<bool> set_xattrs(const Object& object, const Node& node) const;
  std::uint32_t owner(const Node& node) const;
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
