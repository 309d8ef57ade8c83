#include "repo/restorer/own_entries.h"

#include <fcntl.h>
#include <unistd.h>

#include "repo/restorer/target_place.h"

namespace restree {
namespace {

constexpr mode_t kProbeMode = 0600;
constexpr mode_t kForOthers = 077;

}  // namespace

OwnEntries::OwnEntries(bool may_make_files) : user_(::geteuid()), may_make_files_(may_make_files) {}

bool OwnEntries::are_private(const UniqueFd& folder, const struct stat& attributes) {
  const bool is_closed = (attributes.st_mode & kForOthers) == 0;
  if (attributes.st_uid == user_ && is_closed) return true;
  const std::optional<Seen> seen = seen_in(folder);
  return seen && attributes.st_uid == seen->owner && (is_closed || !seen->keeps_modes);
}

bool OwnEntries::are_of(const UniqueFd& folder, uid_t owner) {
  if (owner == user_) return true;
  const std::optional<Seen> seen = seen_in(folder);
  return seen && owner == seen->owner;
}

std::optional<OwnEntries::Seen> OwnEntries::seen_in(const UniqueFd& folder) {
  struct stat attributes {};
  if (!may_make_files_ || ::fstat(folder.get(), &attributes) != 0) return std::nullopt;
  {
    auto seen = seen_.lock();
    const auto at = seen->find(attributes.st_dev);
    if (at != seen->end()) return at->second;
  }
  const std::string name = unused_name();
  const UniqueFd made(::openat(folder.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kProbeMode));
  if (!made) return std::nullopt;
  const bool is_known = ::fstat(made.get(), &attributes) == 0;
  ::unlinkat(folder.get(), name.c_str(), 0);
  if (!is_known) return std::nullopt;
  const Seen found{.owner = attributes.st_uid,
                   .keeps_modes = (attributes.st_mode & kForOthers) == 0};
  seen_.lock()->emplace(attributes.st_dev, found);
  return found;
}

}  // namespace restree
