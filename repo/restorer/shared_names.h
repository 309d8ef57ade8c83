// Finds entries of the target that two names of the snapshot lead to: on vfat, CIFS, or in ext4's
// case-insensitive folders "Notes" and "notes" are one entry, and the later would replace the earlier.
//
// The name that the entry bears has it, or else the first name in the order of the tree.
// Ownership: the plan outlives it. Threads: any.
// Limits:    in a folder that tells all names apart, one look at an entry that was there before.
//            Otherwise the folder is listed for each entry in question.
// Errors:    kInvalid: the name is another's, with both.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/restorer/restore_options.h"
#include "repo/restorer/restore_plan.h"

namespace restree {

class SharedNames {
 public:
  SharedNames(const RestorePlan& plan, const Select& select, std::string target)
      : plan_(plan),
        select_(select),
        target_(std::move(target)),
        distinct_(std::vector<Distinct>(plan.folders().size(), Distinct::kUnknown)) {}

  // Whether what is at `name` in this folder of the plan, if anything, may be that name's. `fd`: the
  // folder in the target.
  Status check(std::uint32_t folder, const UniqueFd& fd, const std::string& name);
  // The same for what has appeared since it was looked for, whatever check() has learned.
  Status check_new(std::uint32_t folder, const UniqueFd& fd, const std::string& name) const;

 private:
  // Whether the names in a folder are all told apart.
  enum class Distinct : std::uint8_t { kUnknown, kYes, kNo };
  bool tells_apart(std::uint32_t folder, const UniqueFd& fd, const std::string& name);
  bool is_wanted(std::uint32_t folder, const Node& node) const;
  Error taken(std::uint32_t folder, const std::string& name, const std::string& other) const;

  const RestorePlan& plan_;
  const Select& select_;
  const std::string target_;
  Guarded<std::vector<Distinct>> distinct_;
};

}  // namespace restree
