#include "tools/commands/damage_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "repo/snapshots/app_sources.h"
#include "repo/text/go_quote.h"

namespace restree {
namespace {

constexpr std::size_t kMostPacks = 20;
constexpr std::size_t kMostBlobs = 20;
constexpr std::size_t kMostApps = 20;
constexpr std::size_t kMostGroups = 5;
constexpr std::size_t kMostSnapshots = 10;
constexpr std::size_t kMostPaths = 20;

// "3 blobs", "1 blob".
std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// The line behind a list that names fewer than there are; or nothing.
std::string more(std::uint64_t all, std::size_t named, std::string_view indent) {
  return all > named ? fmt::format("\n{}and {} more", indent, all - named) : "";
}

std::string pack_line(const DamagedPack& pack) {
  if (pack.damaged == pack.blobs) {
    return fmt::format("\n  pack {}: all of its {}", pack.id.hex(), counted(pack.blobs, "blob"));
  }
  return fmt::format("\n  pack {}: {} of its {}", pack.id.hex(), pack.damaged,
                     counted(pack.blobs, "blob"));
}

std::string group_text(const HitSnapshots& group) {
  std::string text = "\n  snapshot";
  if (group.ids.size() > 1) text += "s";
  const std::size_t named = std::min(group.ids.size(), kMostSnapshots);
  for (std::size_t i = 0; i < named; ++i) text += " " + group.ids[i].short_hex();
  if (named < group.ids.size()) text += fmt::format(" and {} more", group.ids.size() - named);
  text += fmt::format(
      " ({}{}):", group.ids.size() > 1 ? "the newest of " : "",
      format_zoned_timestamp({{group.newest.time.seconds, 0}, group.newest.offset_seconds}));
  for (const std::string& path : group.paths) text += "\n    " + quoted_if_odd(path);
  return text + more(group.path_count, group.paths.size(), "    ");
}

std::string are_blobs(std::uint64_t count) {
  return count == 1 ? "is 1 blob:" : fmt::format("are {} blobs:", count);
}

std::string lost_text(const Damage& damage) {
  const std::uint64_t count = damage.lost_count();
  if (count == 0) return "\nNone of them is lost: other packs have them, too.";
  std::string text = "\n\nLost, since no other pack has them, " + are_blobs(count);
  const std::vector<LostBlob> lost = damage.lost(kMostBlobs);
  for (const LostBlob& blob : lost) {
    text += fmt::format("\n  {} {} in pack {}", to_string(blob.type), blob.id.hex(),
                        blob.pack.short_hex());
  }
  return text + more(count, lost.size(), "  ");
}

std::string unknown_text(const Damage& damage) {
  const auto& unknown = damage.unknown();
  std::string text = "\nIn no index, though a pack may have them, " + are_blobs(unknown.size());
  std::size_t named = 0;
  for (const auto& [type, id] : unknown) {
    if (named == kMostBlobs) break;
    text += fmt::format("\n  {} {}", to_string(type), id.hex());
    ++named;
  }
  return text + more(unknown.size(), named, "  ");
}

}  // namespace

std::string damage_text(const Damage& damage) {
  std::string text;
  if (const std::vector<DamagedPack> packs = damage.packs(); !packs.empty()) {
    text += "\nDamaged or missing blobs lie in " + counted(packs.size(), "pack") + ":";
    const std::size_t named = std::min(packs.size(), kMostPacks);
    for (std::size_t i = 0; i < named; ++i) text += pack_line(packs[i]);
    text += more(packs.size(), named, "  ");
    text += lost_text(damage);
  }
  if (!damage.unknown().empty()) text += (text.empty() ? "" : "\n") + unknown_text(damage);
  return text;
}

std::string misplaced_text(std::uint64_t blobs) {
  if (blobs == 0) return "";
  if (blobs == 1) {
    return "\nThe index is wrong about the place of 1 blob, which is whole: it can be read once "
           "that "
           "is repaired.\n";
  }
  return fmt::format(
      "\nThe index is wrong about the places of {} blobs, which are whole: they can "
      "be read once that is repaired.\n",
      blobs);
}

std::string hits_text(const std::vector<HitApp>& apps, bool may_be_found) {
  if (apps.empty()) return "\nNo snapshot that was checked needs what is damaged.\n";
  std::string text = "\nFiles and folders that cannot be restored whole";
  text += may_be_found ? ", unless the repair finds what they need:" : ":";
  const std::size_t named = std::min(apps.size(), kMostApps);
  for (std::size_t i = 0; i < named; ++i) {
    const HitApp& app = apps[i];
    text +=
        fmt::format("\napp {}: {} of {}", app.name, app.hit, counted(app.snapshots, "snapshot"));
    std::size_t in_groups = 0;
    for (const HitSnapshots& group : app.groups) {
      text += group_text(group);
      in_groups += group.ids.size();
    }
    if (in_groups < app.hit) {
      text += fmt::format("\n  and {}, with other files",
                          counted(app.hit - in_groups, "older snapshot"));
    }
  }
  return text + more(apps.size(), named, "") + "\n";
}

Result<std::vector<HitApp>> find_hits(const std::vector<Snapshot>& snapshots, HitTrees& trees) {
  std::vector<const Snapshot*> all;
  for (const Snapshot& snapshot : snapshots) all.push_back(&snapshot);
  std::vector<HitApp> hit_apps;
  for (App& app : apps_of(all)) {
    std::ranges::sort(app.snapshots, [](const Snapshot* a, const Snapshot* b) {
      return std::tie(b->time, b->id) < std::tie(a->time, a->id);
    });
    HitApp hit{.name = app.name, .hit = 0, .snapshots = app.snapshots.size(), .groups = {}};
    for (const Snapshot* const snapshot : app.snapshots) {
      const std::uint64_t count = trees.hits(snapshot->tree);
      if (count == 0) continue;
      ++hit.hit;
      // One group more than is named would only be listed to be counted.
      const bool is_full = hit.groups.size() > kMostGroups;
      if (is_full) continue;
      ASSIGN_OR_RETURN(std::vector<std::string> paths, trees.list(snapshot->tree, kMostPaths));
      const bool is_same = !hit.groups.empty() && hit.groups.back().paths == paths &&
                           hit.groups.back().path_count == count;
      if (!is_same) {
        hit.groups.push_back({.ids = {},
                              .newest = {snapshot->time, snapshot->time_offset_seconds},
                              .paths = std::move(paths),
                              .path_count = count});
      }
      hit.groups.back().ids.push_back(snapshot->id);
    }
    if (hit.groups.size() > kMostGroups) hit.groups.resize(kMostGroups);
    if (hit.hit > 0) hit_apps.push_back(std::move(hit));
  }
  std::ranges::sort(hit_apps, {}, &HitApp::name);
  return hit_apps;
}

}  // namespace restree
