#include "program/called_name.h"

#include <errno.h>

#include <algorithm>

namespace restree {

std::string called_name(std::string_view usual) {
  const std::string_view called = program_invocation_short_name;
  const auto is_alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  const bool is_plain = !called.empty() && is_alphanumeric(called.front()) &&
                        std::ranges::all_of(called, [&](char c) {
                          return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
                        });
  return std::string(is_plain ? called : usual);
}

}  // namespace restree
