#include "repo/restorer/target_folders.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "repo/restorer/target_place.h"
#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

constexpr mode_t kNewFolderMode = 0700;

}  // namespace

// Links in the path to the target are followed: the user has named that path. But not a link in the
// place of a folder that was made just before.
Status TargetFolders::make_target() {
  UniqueFd at(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t begin = 1; at && begin < target_.size();) {
    const std::size_t end = std::min(target_.find('/', begin), target_.size());
    const std::string part = target_.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty()) continue;
    bool is_made = false;
    if (!dry_run_) {
      is_made = ::mkdirat(at.get(), part.c_str(), kNewFolderMode) == 0;
      if (!is_made && errno != EEXIST && errno != EROFS && errno != EACCES) {
        return errno_error(errno, "make the target folder " + target_.substr(0, end));
      }
    }
    const int follow = is_made ? O_NOFOLLOW : 0;
    at = UniqueFd(::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | follow));
  }
  UniqueFd root;
  if (at) root = UniqueFd(::openat(at.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    if (dry_run_ && errno == ENOENT) {
      states_[0] = State::kAbsent;
      return {};
    }
    return errno_error(errno, "open the target folder " + target_);
  }
  open_.lock()->root = std::make_shared<const UniqueFd>(std::move(root));
  states_[0] = State::kExisting;
  return {};
}

Status TargetFolders::make_all(const RestorePlan::OnError& on_error) {
  states_.assign(plan_.folders().size(), State::kFailed);
  identities_.resize(plan_.folders().size());
  RETURN_IF_ERROR(make_target());
  for (std::uint32_t i = 1; i < states_.size(); ++i) {
    const State parent = states_[plan_.folders()[i].parent];
    if (parent == State::kFailed || parent == State::kAbsent) {
      states_[i] = parent;
      continue;
    }
    Result<State> made = make(i);
    if (made) {
      states_[i] = *made;
    } else {
      on_error(plan_.location(i), std::move(made).error().with("nothing below is restored"));
    }
  }
  return {};
}

Result<TargetFolders::State> TargetFolders::make(std::uint32_t folder) {
  const PlannedFolder& planned = plan_.folders()[folder];
  const std::string name(planned.node->name);
  ASSIGN_OR_RETURN(const Handle parent, open(planned.parent));
  struct stat attributes {};
  if (dry_run_) {
    const int result = ::fstatat(parent->get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW);
    if (result != 0 || !S_ISDIR(attributes.st_mode)) return State::kAbsent;
    RETURN_IF_ERROR(shared_names_.check(planned.parent, *parent, name));
    return take_existing(folder, *parent, name, attributes);
  }
  if (::mkdirat(parent->get(), name.c_str(), kNewFolderMode) == 0) {
    return take_made(folder, *parent, name);
  }
  if (errno != EEXIST) return errno_error(errno, "make folder " + path(folder));
  if (::fstatat(parent->get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error(errno, "look at " + path(folder));
  }
  RETURN_IF_ERROR(shared_names_.check(planned.parent, *parent, name));
  if (S_ISDIR(attributes.st_mode)) return take_existing(folder, *parent, name, attributes);
  if (planned.unreadable) {
    return Error(ErrorKind::kCorrupt, path(folder) + " is not a folder, and left as it was");
  }
  RETURN_IF_ERROR(make_folder_in_place(*parent, name, kNewFolderMode, path(folder)));
  return take_made(folder, *parent, name);
}

// Where others can write to the parent, they may have moved a folder of theirs there already. It is
// then like one that was there before.
Result<TargetFolders::State> TargetFolders::take_made(std::uint32_t folder, const UniqueFd& parent,
                                                      const std::string& name) {
  UniqueFd fd(::openat(parent.get(), name.c_str(), kOpenFolder));
  struct stat attributes {};
  if (!fd || ::fstat(fd.get(), &attributes) != 0) {
    return errno_error(errno, "open folder " + path(folder));
  }
  identities_[folder] = EntryIdentity::of(attributes);
  const bool is_private = own_entries_.are_private(parent, attributes);
  keep(folder, std::make_shared<const UniqueFd>(std::move(fd)));
  return is_private ? State::kMade : State::kExisting;
}

// Opening it may mount something there (autofs), which is then meant.
TargetFolders::State TargetFolders::take_existing(std::uint32_t folder, const UniqueFd& parent,
                                                  const std::string& name, struct stat attributes) {
  UniqueFd fd(::openat(parent.get(), name.c_str(), kOpenFolder));
  const bool is_open = fd && ::fstat(fd.get(), &attributes) == 0;
  identities_[folder] = EntryIdentity::of(attributes);
  if (is_open) keep(folder, std::make_shared<const UniqueFd>(std::move(fd)));
  return State::kExisting;
}

void TargetFolders::note_owner(std::uint32_t folder, const UniqueFd& fd) {
  struct stat attributes {};
  if (::fstat(fd.get(), &attributes) == 0) identities_[folder] = EntryIdentity::of(attributes);
}

TargetFolders::Handle TargetFolders::cached(std::uint32_t folder) {
  auto open = open_.lock();
  if (folder == 0) return open->root;
  const auto at = open->handles.find(folder);
  return at == open->handles.end() ? nullptr : at->second;
}

void TargetFolders::keep(std::uint32_t folder, const Handle& handle) {
  auto open = open_.lock();
  // Work goes from folder to folder: it is rare that an earlier one is needed again.
  if (open->handles.size() >= kMostOpen) open->handles.clear();
  open->handles.emplace(folder, handle);
}

Result<TargetFolders::Handle> TargetFolders::open(std::uint32_t folder) {
  std::vector<std::uint32_t> way;
  Handle handle = cached(folder);
  for (std::uint32_t at = folder; handle == nullptr;) {
    way.push_back(at);
    at = plan_.folders()[at].parent;
    handle = cached(at);
  }
  for (; !way.empty(); way.pop_back()) {
    const std::string name(plan_.folders()[way.back()].node->name);
    UniqueFd fd(::openat(handle->get(), name.c_str(), kOpenFolder));
    struct stat attributes {};
    if (!fd || ::fstat(fd.get(), &attributes) != 0) {
      return errno_error(errno, "open folder " + path(way.back()));
    }
    if (!is_same_entry(fd.get(), attributes, identities_[way.back()])) {
      return Error(ErrorKind::kLocalIo,
                   path(way.back()) + " is another folder than when the restore began")
          .hinting("Somebody has moved it meanwhile. Nothing more was restored into it.");
    }
    handle = std::make_shared<const UniqueFd>(std::move(fd));
    keep(way.back(), handle);
  }
  return handle;
}

std::string TargetFolders::path(std::uint32_t folder) const {
  if (folder == 0) return target_;
  return (target_ == "/" ? "" : target_) + plan_.location(folder);
}

}  // namespace restree
