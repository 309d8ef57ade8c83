// The names of users and groups; each is looked up once.
//
// Ownership: the returned names live as long as this object. Threads: any.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "repo/base/guarded.h"

namespace restree {

class OwnerNames {
 public:
  // Empty if the system knows no name.
  std::string_view user(uid_t id);
  std::string_view group(gid_t id);

 private:
  using Names = std::unordered_map<std::uint32_t, std::unique_ptr<const std::string>>;
  Guarded<Names> users_;
  Guarded<Names> groups_;
};

}  // namespace restree
