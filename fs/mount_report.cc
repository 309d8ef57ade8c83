// The part of Mount that tells people of failures.
#include <fmt/core.h>

#include <chrono>
#include <string>

#include "fs/inode_numbers.h"
#include "fs/mount.h"
#include "repo/base/log.h"

namespace restree {

std::string Mount::describe(std::uint64_t inode) {
  std::string below;
  while (!is_virtual(inode)) {
    const std::optional<Inodes::Known> known = inodes_.find(inode);
    if (!known) return "a forgotten file";
    const Place place = known->place;
    const BlobId parent_tree = is_virtual(place.parent)
                                   ? view(place.view)->tree
                                   : inodes_.find(place.parent).value_or(Inodes::Known{}).subtree;
    const SharedTree tree = trees_.peek(parent_tree);
    const std::string name(tree == nullptr ? std::string_view("?")
                                           : tree->nodes()[place.position].name);
    below.insert(0, "/" + name);
    inode = place.parent;
  }
  const auto found = virtual_node(inode);
  if (!found) return "a forgotten snapshot, path " + log::quoted(below);
  const VirtualNode& top = **found;
  if (top.snapshot == nullptr) return "path " + log::quoted(top.path + below);
  return fmt::format("snapshot {}, path {}", top.snapshot->id.short_hex(),
                     log::quoted(top.path + below));
}

Error Mount::report(Error error, std::uint64_t inode, std::string_view doing) {
  // The kernel asks for every page of what failed; people want to read of it once.
  constexpr std::size_t kMostReported = 4096;
  constexpr std::chrono::minutes kReportAgain{10};
  ++errors_;
  const std::string where = describe(inode);
  const std::string line = fmt::format("{}: {}: {}", doing, where, error.message());
  // Of what is out of reach for now, the name is news; which bytes of it are missing is not.
  const std::string key = error.kind() == ErrorKind::kUnavailable ? where : line;
  const auto now = Deadline::Clock::now();
  {
    auto reported = reported_.lock();
    if (reported->size() >= kMostReported) reported->clear();
    const auto [last, first] = reported->try_emplace(key, now);
    if (!first && now < last->second + kReportAgain) return error;
    last->second = now;
  }
  log::error("{}", line);
  return error;
}

}  // namespace restree
