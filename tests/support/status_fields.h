// The fields of .restree/status, taken apart by a parser of JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace restree::testing {

// Each field and its value as it is written; strings without their quotes. Throws
// std::runtime_error if that is no JSON object, has a field twice, or values that are no scalars.
std::map<std::string, std::string> status_fields(std::string_view json);

}  // namespace restree::testing
