// What makes a policy's work on a repository suspicious: it removes too much of a group, or the
// groups or the times of the snapshots are hardly what the policy's author had in mind.
//
// Pure functions of values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/retention/judged_groups.h"

namespace restree {

// The share of a group, in percent, of which a run may remove no more.
inline constexpr double kUsualMostRemoved = 50;
inline constexpr double kAnyShare = 100;

// "50%", "12.5%", or `unlimited`. kInvalid: anything else, or a share beyond 0% to 100%.
Result<double> parse_most_removed(std::string_view text);

// The group that loses the largest share, if that is more than `most_percent`; else nullptr.
const JudgedGroup* find_group_losing_most(const std::vector<JudgedGroup>& groups,
                                          double most_percent);

// Snapshots that are dated in the future, by more than clocks of machines differ: the newest first.
std::vector<const Snapshot*> snapshots_of_the_future(const std::vector<JudgedGroup>& groups,
                                                     Timestamp now);

// A repository of which most groups hold one snapshot: a policy never forgets these.
struct LonelyGroups {
  std::size_t lonely;
  std::size_t all;
  // A value of --group-by with which most groups hold more; nullopt: none of them would.
  std::optional<std::string> better;
};
// nullopt: most groups hold more, or there are too few groups to say.
std::optional<LonelyGroups> find_lonely_groups(const std::vector<JudgedGroup>& groups);

}  // namespace restree
