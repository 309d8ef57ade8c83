// `forget --explain`: for each snapshot its buckets and its zone, the rules that keep it, and the day
// on which the policy will drop it.
//
// Threads: one.
#pragma once

#include <string>

#include "repo/retention/forecast.h"
#include "repo/retention/judged_groups.h"
#include "repo/text/json_writer.h"
#include "tools/output/output.h"

namespace restree {

// How the groups were judged. What it names must outlive it.
struct Judging {
  const RetentionPolicy& policy;
  Timestamp now;
  const TimeZone& zone;
};

// The group's name and a table, the oldest first. Makes the names harmless for a terminal, which changes
// them.
void print_explanation(JudgedGroup& group, GroupBy by, const Judging& judging,
                       const Output& output);

// As an object, the newest first.
void append_explanation(JsonWriter& json, const JudgedGroup& group, const Judging& judging);

}  // namespace restree
