#include "repo/restorer/target_folders.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

constexpr mode_t kNewFolderMode = 0700;

}  // namespace

// Links in the path to the target are followed: the user has named that path.
Status TargetFolders::make_target() {
  if (!dry_run_) {
    for (std::size_t end = target_.find('/', 1);; end = target_.find('/', end + 1)) {
      const std::string part = target_.substr(0, end);
      if (::mkdir(part.c_str(), kNewFolderMode) != 0 && errno != EEXIST && errno != EROFS &&
          errno != EACCES) {
        return errno_error(errno, "make the target folder " + part);
      }
      if (end == std::string::npos) break;
    }
  }
  UniqueFd root(::open(target_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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
    return result == 0 && S_ISDIR(attributes.st_mode) ? State::kExisting : State::kAbsent;
  }
  if (::mkdirat(parent->get(), name.c_str(), kNewFolderMode) == 0) return State::kMade;
  if (errno != EEXIST) return errno_error(errno, "make folder " + path(folder));
  if (::fstatat(parent->get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error(errno, "look at " + path(folder));
  }
  if (S_ISDIR(attributes.st_mode)) return State::kExisting;
  if (planned.unreadable) {
    return Error(ErrorKind::kCorrupt, path(folder) + " is not a folder, and left as it was");
  }
  if (::unlinkat(parent->get(), name.c_str(), 0) != 0) {
    return errno_error(errno, "remove " + path(folder) + ", which is not a folder");
  }
  if (::mkdirat(parent->get(), name.c_str(), kNewFolderMode) != 0) {
    return errno_error(errno, "make folder " + path(folder));
  }
  return State::kMade;
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
    if (!fd) return errno_error(errno, "open folder " + path(way.back()));
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
