// The kinds of damage that a repository can have, and what has to come of each: values, for
// damage_kinds_test.cc.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/damage_place.h"

namespace restree::testing {

using Lines = std::vector<std::string>;

inline Lines joined(std::initializer_list<Lines> parts) {
  Lines all;
  for (const Lines& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct DamageKind {
  std::string name;
  std::function<void(DamagedCopy&)> damage;

  // What `check` prints of it, names for ids, apart from its advice, in any order.
  std::vector<std::string> check = {};
  // What `check --read-data` prints besides. If there are no lines, no error is found.
  std::vector<std::string> reading = {};
  // The packs that its summary in JSON names as broken.
  std::set<std::string> broken_packs = {};
  // The commands of its advice, in this order: after them the repository is whole.
  std::vector<std::string> repairs = {};
  // Those of a check that does not read the data, if they are others.
  std::optional<std::vector<std::string>> repairs_without_reading = std::nullopt;

  // Blobs that are lost for good: a mount reads all others before the repair as well.
  std::set<std::string> lost = {};
  // Snapshots that a mount does not show, and that no repair brings back.
  std::set<std::string> gone = {};

  enum class Judge {
    kAgrees,      // finds an error, too, or none, too
    kIsSlow,      // tries for a minute to read what cannot be read; not asked
    kIsNotAsked,  // waits for ever for what is in the place of a file
  } restic = Judge::kAgrees;
};

std::ostream& operator<<(std::ostream& out, const DamageKind& kind);

// Data packs, packs of trees, index files, and all others.
std::vector<DamageKind> kinds_of_data_packs();
std::vector<DamageKind> kinds_of_tree_packs();
std::vector<DamageKind> kinds_of_indexes();
std::vector<DamageKind> kinds_of_other_files();

}  // namespace restree::testing
