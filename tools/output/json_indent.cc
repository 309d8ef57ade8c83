#include "tools/output/json_indent.h"

#include <cstddef>

namespace restree {
namespace {

// The position after the closing quote of the string that begins at `begin`.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
  std::size_t i = begin + 1;
  while (i < json.size() && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
  return i < json.size() ? i + 1 : json.size();
}

bool opens(char c) { return c == '{' || c == '['; }
bool closes(char c) { return c == '}' || c == ']'; }

}  // namespace

std::string indent_json(std::string_view compact) {
  std::string out;
  std::size_t depth = 0;
  const auto new_line = [&] { out += "\n" + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (c == '"') {
      const std::size_t end = end_of_string(compact, i);
      out += compact.substr(i, end - i);
      i = end - 1;
    } else if (opens(c) && i + 1 < compact.size() && closes(compact[i + 1])) {
      out += compact.substr(i++, 2);
    } else if (opens(c)) {
      out += c;
      ++depth;
      new_line();
    } else if (closes(c)) {
      if (depth > 0) --depth;
      new_line();
      out += c;
    } else if (c == ',') {
      out += c;
      new_line();
    } else if (c == ':') {
      out += ": ";
    } else if (c != '\n') {
      out += c;
    }
  }
  return out;
}

}  // namespace restree
