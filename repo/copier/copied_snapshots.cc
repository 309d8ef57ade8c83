#include "repo/copier/copied_snapshots.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace restree {
namespace {

auto plain_fields(const Snapshot& snapshot) {
  return std::tie(snapshot.time, snapshot.tree, snapshot.hostname, snapshot.username, snapshot.uid,
                  snapshot.gid, snapshot.excludes);
}

// As restic: equally many, and all of `wanted` among them.
bool has_same(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return words.size() == wanted.size() && std::ranges::all_of(wanted, [&](const std::string& word) {
           return std::ranges::find(words, word) != words.end();
         });
}

const SnapshotId& first_of(const Snapshot& snapshot) {
  return snapshot.original ? *snapshot.original : snapshot.id;
}

}  // namespace

bool is_same_backup(const Snapshot& a, const Snapshot& b) {
  return plain_fields(a) == plain_fields(b) && has_same(a.paths, b.paths) &&
         has_same(a.tags, b.tags);
}

Snapshot copied_form(Snapshot source) {
  source.original = first_of(source);
  source.parent.reset();
  return source;
}

CopiedSnapshots::CopiedSnapshots(const std::vector<Snapshot>& there) {
  for (const Snapshot& snapshot : there) add(snapshot);
}

void CopiedSnapshots::add(const Snapshot& copy) {
  if (copy.original) by_id_.emplace(*copy.original, copy);
  by_id_.emplace(copy.id, copy);
}

std::optional<SnapshotId> CopiedSnapshots::find(const Snapshot& source) const {
  const auto [begin, end] = by_id_.equal_range(first_of(source));
  const auto found = std::find_if(
      begin, end, [&](const auto& entry) { return is_same_backup(source, entry.second); });
  if (found == end) return std::nullopt;
  return found->second.id;
}

}  // namespace restree
