#include "repo/archiver/owner_names.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace restree {
namespace {

constexpr std::size_t kFirstBufferBytes = 1024;
constexpr std::size_t kMostBufferBytes = 1 << 20;

// Functions like getpwuid_r need a buffer for an entry of unknown size.
template <class Entry, class LookUp>
std::string name_from(char* Entry::*name, LookUp look_up) {
  for (std::vector<char> buffer(kFirstBufferBytes); buffer.size() <= kMostBufferBytes;
       buffer.resize(2 * buffer.size())) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look_up(&entry, buffer, &found);
    if (error == ERANGE) continue;
    return found == nullptr ? std::string() : std::string(found->*name);
  }
  return {};
}

}  // namespace

std::string_view OwnerNames::user(uid_t id) {
  auto users = users_.lock();
  auto& name = (*users)[id];
  if (!name) {
    name = std::make_unique<const std::string>(
        name_from(&passwd::pw_name, [id](passwd* entry, std::vector<char>& buffer, passwd** found) {
          return ::getpwuid_r(id, entry, buffer.data(), buffer.size(), found);
        }));
  }
  return *name;
}

std::string_view OwnerNames::group(gid_t id) {
  auto groups = groups_.lock();
  auto& name = (*groups)[id];
  if (!name) {
    name = std::make_unique<const std::string>(name_from(
        &::group::gr_name, [id](::group* entry, std::vector<char>& buffer, ::group** found) {
          return ::getgrgid_r(id, entry, buffer.data(), buffer.size(), found);
        }));
  }
  return *name;
}

}  // namespace restree
