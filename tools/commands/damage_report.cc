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

}  // namespace

std::string damage_text(const Damage& damage) {
  const std::vector<DamagedPack> packs = damage.packs();
  const std::uint64_t lost_count = damage.lost_count();
  std::string text;
  if (!packs.empty()) {
    text += "\nDamaged or missing blobs lie in " + counted(packs.size(), "pack") + ":";
    const std::size_t named = std::min(packs.size(), kMostPacks);
    for (std::size_t i = 0; i < named; ++i) text += pack_line(packs[i]);
    text += more(packs.size(), named, "  ");
  }
  if (lost_count > 0) {
    if (!text.empty()) text += "\n";
    text += fmt::format("\nLost, since no other pack has them, {}:",
                        lost_count == 1 ? "is 1 blob" : fmt::format("are {} blobs", lost_count));
    const std::vector<LostBlob> lost = damage.lost(kMostBlobs);
    for (const LostBlob& blob : lost) {
      text += fmt::format("\n  {} {} {}", to_string(blob.type), blob.id.hex(),
                          blob.pack ? "in pack " + blob.pack->short_hex() : "in no index");
    }
    text += more(lost_count, lost.size(), "  ");
  }
  return text;
}

std::string hits_text(const std::vector<HitApp>& apps) {
  if (apps.empty()) return "\nNo snapshot that was checked needs what is damaged.\n";
  std::string text = "\nFiles and folders that cannot be restored whole:";
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
