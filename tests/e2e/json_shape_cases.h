// The commands that e2e.json_shape runs, and where Debian's restic is known to print something
// else.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/json_shape.h"

namespace restree::testing {

enum class How {
  kPlainly,
  // By a user who may not read everything, and for so long that progress is printed.
  kSlowlyAsNobody,
  // Restic prints what it holds in a hash table.
  kInAnyOrder,
};

struct JsonCase {
  std::string name;     // begins with the command's; a file in json_shapes/ has it, too
  std::string command;  // in braces: names of JsonShapePlace
  How how = How::kPlainly;
  std::string input = {};
};

// For the messages of GoogleTest, which wants it under this name.
inline void PrintTo(const JsonCase& one, std::ostream* out) { *out << one.command; }

const std::vector<JsonCase>& json_cases();

// Debian's restic is 0.14, older than the one whose JSON Restree follows: the known differences.
struct KnownDifference {
  std::vector<std::string> cases;  // the beginnings of their names
  Parts parts;                     // "order": that of the messages
  std::string why;
  bool by_chance = false;  // some runs need it, others do not

  // The one of `cases` that `name` begins with, or nullptr.
  const std::string* beginning_of(const std::string& name) const;
};

// Each difference must occur wherever it is listed, unless it is a matter of chance.
const std::vector<KnownDifference>& differences_of_0_14();

// Parts that differ even between two runs of one program.
const Parts& parts_that_take_time();       // keys that are printed only where something lasts
const Parts& values_of_time_and_chance();  // keys whose values are never the same
const Parts& values_of_the_program();      // words and compression are each program's own

}  // namespace restree::testing
