// What `forget --json` says of the groups that it has judged, of restree's and of any restic's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restree::testing {

struct JudgedByProgram {
  // The ids, in the order in which they are printed.
  std::vector<std::string> kept;
  std::vector<std::string> removed;
  // For each that is kept, in this order: its id and the rules that keep it.
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;

  bool operator==(const JudgedByProgram&) const = default;
};

// By the JSON of the group's tags, host and paths. Throws std::runtime_error if it is not such JSON,
// or names a group twice.
std::map<std::string, JudgedByProgram> parse_forget_answer(std::string_view json);

// What restic 0.14 would have said: it has no rule for the oldest snapshot of a group. A snapshot that only such rules keep is removed.
JudgedByProgram without_oldest(const JudgedByProgram& judged);

// The texts of the groups in the array `json`, sorted: restic prints them in any order.
std::vector<std::string> sorted_elements(std::string_view json);

}  // namespace restree::testing
