// What `forget` prints about the groups that a policy has judged: restic's tables and its JSON.
//
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include "repo/retention/judged_groups.h"
#include "tools/commands/forget_explanation.h"
#include "tools/output/output.h"

namespace restree {

// The tables of one group. Makes its names harmless for a terminal, which changes them.
void print_judged_group(JudgedGroup& group, GroupBy by, bool compact, const Output& output);

// One array of all groups; with `by.app` each has a member "app", and with `judging` a member
// "explain", which restic does not know.
std::string json_of_judged(const std::vector<JudgedGroup>& groups, GroupBy by,
                           const Judging* judging);

}  // namespace restree
