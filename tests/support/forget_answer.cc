#include "tests/support/forget_answer.h"

#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace restree::testing {
namespace {

namespace dom = simdjson::dom;

std::string id_of(const dom::element& snapshot) {
  return std::string(std::string_view(snapshot["id"]));
}

std::vector<std::string> ids_of(const dom::element& list) {
  std::vector<std::string> ids;
  if (list.is_null()) return ids;
  for (const dom::element one : dom::array(list)) ids.push_back(id_of(one));
  return ids;
}

JudgedByProgram judged_in(const dom::element& group) {
  JudgedByProgram judged{ids_of(group["keep"]), ids_of(group["remove"]), {}};
  const dom::element reasons = group["reasons"];
  if (reasons.is_null()) return judged;
  for (const dom::element one : dom::array(reasons)) {
    if (judged.reasons.size() == judged.kept.size()) throw std::runtime_error("too many reasons");
    std::vector<std::string> matches;
    for (const dom::element match : dom::array(one["matches"])) {
      matches.emplace_back(std::string_view(match));
    }
    // In 0.14 the snapshots in this list have no ids, and the order of those that are kept.
    const bool has_id = one["snapshot"]["id"].error() == simdjson::SUCCESS;
    judged.reasons.emplace_back(
        has_id ? id_of(one["snapshot"]) : judged.kept[judged.reasons.size()], std::move(matches));
  }
  return judged;
}

}  // namespace

std::map<std::string, JudgedByProgram> parse_forget_answer(std::string_view json) {
  dom::parser parser;
  std::map<std::string, JudgedByProgram> groups;
  try {
    for (const dom::element group : dom::array(parser.parse(json.data(), json.size()))) {
      const std::string key = std::string(simdjson::minify(group["tags"])) + " " +
                              simdjson::minify(group["host"]) + " " +
                              simdjson::minify(group["paths"]);
      if (!groups.emplace(key, judged_in(group)).second) {
        throw std::runtime_error("there twice: " + key);
      }
    }
  } catch (const simdjson::simdjson_error& failure) {
    throw std::runtime_error(std::string(failure.what()) + ": " +
                             std::string(json.substr(0, 2000)));
  }
  return groups;
}

JudgedByProgram without_oldest(const JudgedByProgram& judged) {
  JudgedByProgram older{{}, {}, {}};
  for (const auto& [id, matches] : judged.reasons) {
    std::vector<std::string> others;
    std::ranges::remove_copy_if(matches, std::back_inserter(others), [](const std::string& match) {
      return match.starts_with("oldest ");
    });
    if (others.empty()) {
      older.removed.push_back(id);
    } else {
      older.kept.push_back(id);
      older.reasons.emplace_back(id, std::move(others));
    }
  }
  // The oldest snapshot of the group, if it moves, is older than all that are removed.
  older.removed.insert(older.removed.begin(), judged.removed.begin(), judged.removed.end());
  return older;
}

std::vector<std::string> sorted_elements(std::string_view json) {
  std::vector<std::string> elements;
  std::size_t begin = 0;
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' && json[i - 1] != '\\') in_text = !in_text;
    if (in_text) continue;
    if (c == '{' && ++depth == 1) begin = i;
    if (c == '}' && --depth == 0) elements.emplace_back(json.substr(begin, i + 1 - begin));
  }
  std::ranges::sort(elements);
  return elements;
}

}  // namespace restree::testing
