#include "tests/support/status_fields.h"

#include <simdjson.h>

#include <stdexcept>

namespace restree::testing {

std::map<std::string, std::string> status_fields(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (const auto failure = parser.parse(json.data(), json.size()).get(object)) {
    throw std::runtime_error(std::string(simdjson::error_message(failure)) + ": " +
                             std::string(json));
  }
  std::map<std::string, std::string> fields;
  for (const auto& [name, value] : object) {
    if (value.is_object() || value.is_array()) throw std::runtime_error("not a scalar");
    std::string_view text;
    const bool is_text = value.get(text) == simdjson::SUCCESS;
    const std::string written = is_text ? std::string(text) : simdjson::minify(value);
    if (!fields.emplace(std::string(name), written).second) {
      throw std::runtime_error(std::string(name) + " is there twice");
    }
  }
  return fields;
}

}  // namespace restree::testing
