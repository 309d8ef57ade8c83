#include "repo/restorer/shared_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "repo/base/log.h"
#include "repo/restorer/entry_identity.h"
#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

std::optional<EntryIdentity> entry_at(const UniqueFd& folder, const std::string& name) {
  struct stat attributes {};
  if (::fstatat(folder.get(), name.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return EntryIdentity::of(attributes);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The name with small letters for capital ones, and the reverse; empty if it has none of either.
std::string in_other_case(std::string name) {
  constexpr char kCaseBit = 0x20;
  if (std::ranges::none_of(name, is_letter)) return {};
  for (char& c : name) {
    if (is_letter(c)) c = static_cast<char>(c ^ kCaseBit);
  }
  return name;
}

// No system takes a name of digits and the like for another one. Those that fold letters beyond
// ASCII, or drop dots and spaces at the end, fold ASCII letters as well.
bool can_only_be_itself(const std::string& name) {
  return std::ranges::none_of(name, [](char c) { return is_letter(c) || (c & 0x80) != 0; }) &&
         !name.ends_with('.') && !name.ends_with(' ');
}

}  // namespace

bool SharedNames::tells_apart(std::uint32_t folder, const UniqueFd& fd, const std::string& name) {
  const Distinct known = (*distinct_.lock())[folder];
  if (known != Distinct::kUnknown) return known == Distinct::kYes;
  const std::string other = in_other_case(name);
  if (other.empty()) return can_only_be_itself(name);
  const auto entry = entry_at(fd, name);
  if (!entry) return true;  // nothing is there
  const bool distinct = entry_at(fd, other) != entry;
  (*distinct_.lock())[folder] = distinct ? Distinct::kYes : Distinct::kNo;
  return distinct;
}

Status SharedNames::check(std::uint32_t folder, const UniqueFd& fd, const std::string& name) {
  if (tells_apart(folder, fd, name)) return {};
  return check_new(folder, fd, name);
}

Status SharedNames::check_new(std::uint32_t folder, const UniqueFd& fd,
                              const std::string& name) const {
  const PlannedFolder& planned = plan_.folders()[folder];
  const auto entry = entry_at(fd, name);
  if (!entry || planned.tree == nullptr) return {};
  ASSIGN_OR_RETURN(const std::vector<std::string> listed, entries_of(fd, target_));
  const std::unordered_set<std::string_view> entries(listed.begin(), listed.end());
  if (entries.contains(name)) return {};
  bool is_before = true;
  for (const Node& node : planned.tree->nodes()) {
    const std::string other(node.name);
    if (other == name) {
      is_before = false;
    } else if ((is_before || entries.contains(other)) && is_wanted(folder, node) &&
               entry_at(fd, other) == entry) {
      return taken(folder, name, other);
    }
  }
  return {};
}

bool SharedNames::is_wanted(std::uint32_t folder, const Node& node) const {
  if (!select_) return true;
  const SelectVerdict verdict =
      select_(plan_.location({&node, folder}), node.type == NodeType::kDirectory);
  return verdict.selected || verdict.children;
}

Error SharedNames::taken(std::uint32_t folder, const std::string& name,
                         const std::string& other) const {
  const std::string place = folder == 0 ? "/" : plan_.location(folder);
  return Error(ErrorKind::kInvalid, "not restored: the target does not tell the names " +
                                        log::quoted(name) + " and " + log::quoted(other) + " in " +
                                        log::quoted(place) + " apart, and the second has the entry")
      .hinting(
          "Restore it to a file system that tells such names apart, or alone (--include) to "
          "another folder.");
}

}  // namespace restree
