// The folders of a restore's target, as descriptors, so that no symbolic link is followed below the
// target.
//
// Ownership: the descriptors; the plan outlives it.
// Threads:   make_all(): one. open(): any, afterwards.
// Limits:    kMostOpen descriptors, and those that callers still hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/restorer/restore_plan.h"

namespace restree {

class TargetFolders {
 public:
  using Handle = std::shared_ptr<const UniqueFd>;
  enum class State : std::uint8_t {
    kAbsent,    // not there: a dry run makes nothing
    kMade,      // was not there before, so that nothing else lies in it
    kExisting,  // may hold anything
    kFailed,    // could not be made, nor could anything below it
  };

  TargetFolders(const RestorePlan& plan, std::string target, bool dry_run)
      : plan_(plan), target_(std::move(target)), dry_run_(dry_run) {}

  // Makes the target, the folders that lead to it, and every needed folder, so far for the owner
  // alone.
  // An error of one folder goes to `on_error`; one of the target is returned.
  Status make_all(const RestorePlan::OnError& on_error);
  State state(std::uint32_t folder) const { return states_[folder]; }

  // A descriptor of a folder that is there.
  Result<Handle> open(std::uint32_t folder);
  // For messages.
  std::string path(std::uint32_t folder) const;
  const std::string& target() const { return target_; }

 private:
  static constexpr std::size_t kMostOpen = 128;
  struct Open {
    std::unordered_map<std::uint32_t, Handle> handles;
    Handle root;
  };

  Status make_target();
  Result<State> make(std::uint32_t folder);
  Handle cached(std::uint32_t folder);
  void keep(std::uint32_t folder, const Handle& handle);

  const RestorePlan& plan_;
  const std::string target_;
  const bool dry_run_;
  std::vector<State> states_;
  Guarded<Open> open_;
};

}  // namespace restree
