// The output of a program with --json, as lines that a test can compare.
//
// Messages are told apart by their kind: their `message_type`, `struct_type` without one, "{}" with
// neither, "[]" for the elements of a list that is all of the output, "text" for a line that is no
// JSON; "scan_finished", which restic calls a `verbose_status`, is a kind of its own. How many
// messages there are of kind "status", and which of its keys each has, is a matter of time: these
// are taken together, and their values not compared.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace restree::testing {

using Lines = std::vector<std::string>;
// Parts of what was printed: "exit code", "stderr error" (all messages of that kind), "stdout
// node.mtime" (a key of theirs, and all below it), "*" (everything).
using Parts = std::set<std::string>;

// An object or list of JSON, or (kText) anything else.
struct JsonValue {
  enum class Type { kNull, kBool, kNumber, kString, kList, kObject, kText };
  Type type = Type::kText;
  std::string text =
      {};  // of a string what it says, of everything else but kObject and kList as it is
  std::vector<std::pair<std::string, JsonValue>> members = {};
  std::vector<JsonValue> elements = {};
};

class JsonOutput {
 public:
  // Throws std::runtime_error if an object has a key twice.
  explicit JsonOutput(const Finished& finished);

  // Kinds with their number, then each key with its type, in the order in which they are printed,
  // with a question mark if some messages are without it.
  Lines shape(const Parts& without = {}) const;
  // The messages in their order, but for those that threads print in any; these come last.
  Lines values(const Parts& without = {}) const;

 private:
  struct Message {
    std::string kind;  // with the stream in front
    JsonValue value;
  };
  void read(const std::string& stream, std::string_view text);

  int exit_code_;
  std::vector<Message> messages_;
};

// Lines with "- " that only the first has, with "+ " that only the second has; empty if both are
// the same.
std::string line_differences(const Lines& first, const Lines& second);

}  // namespace restree::testing
