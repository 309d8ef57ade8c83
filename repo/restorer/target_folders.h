// The folders of a restore's target, as descriptors: of one name each, not followed if it is a link,
// relative to the descriptor of the folder above. So nothing outside of the target is reached,
// whatever others do in it meanwhile, and a folder that has taken the place of the one that was made
// or found is refused.
//
// Ownership: the descriptors; plan and shared names outlive it.
// Threads:   make_all(): one. open(): any, afterwards.
// Limits:    kMostOpen descriptors, and those that callers still hold.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/restorer/entry_identity.h"
#include "repo/restorer/own_entries.h"
#include "repo/restorer/restore_plan.h"
#include "repo/restorer/shared_names.h"

namespace restree {

class TargetFolders {
 public:
  using Handle = std::shared_ptr<const UniqueFd>;
  enum class State : std::uint8_t {
    kAbsent,    // not there: a dry run makes nothing
    kMade,      // nothing else lies in it, and no other user can change it until it is finished
    kExisting,  // may hold anything
    kFailed,    // could not be made, nor could anything below it
  };

  TargetFolders(const RestorePlan& plan, SharedNames& shared_names, std::string target,
                bool dry_run)
      : plan_(plan),
        shared_names_(shared_names),
        target_(std::move(target)),
        dry_run_(dry_run),
        own_entries_(!dry_run) {}

  // Makes the target, the folders that lead to it, and every needed folder, so far for the owner
  // alone.
  // An error of one folder goes to `on_error`; one of the target is returned.
  Status make_all(const RestorePlan::OnError& on_error);
  State state(std::uint32_t folder) const { return states_[folder]; }

  // A descriptor of a folder that is there. kLocalIo: another one is in its place now.
  Result<Handle> open(std::uint32_t folder);
  // Its owner was changed, through the descriptor.
  void note_owner(std::uint32_t folder, const UniqueFd& fd);
  OwnEntries& own_entries() { return own_entries_; }
  SharedNames& shared_names() { return shared_names_; }
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
  Result<State> take_made(std::uint32_t folder, const UniqueFd& parent, const std::string& name);
  State take_existing(std::uint32_t folder, const UniqueFd& parent, const std::string& name,
                      struct stat attributes);
  Handle cached(std::uint32_t folder);
  void keep(std::uint32_t folder, const Handle& handle);

  const RestorePlan& plan_;
  SharedNames& shared_names_;
  const std::string target_;
  const bool dry_run_;
  std::vector<State> states_;
  std::vector<EntryIdentity> identities_;  // of the folders that are there
  OwnEntries own_entries_;
  Guarded<Open> open_;
};

}  // namespace restree
