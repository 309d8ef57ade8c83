#include "tests/support/json_shape.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

namespace restree::testing {
namespace {

using Type = JsonValue::Type;

const char* name_of(Type type) {
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kBool:
      return "boolean";
    case Type::kNumber:
      return "number";
    case Type::kString:
      return "string";
    case Type::kList:
      return "list";
    case Type::kObject:
      return "object";
    case Type::kText:
      break;
  }
  return "text";
}

JsonValue value_of(const simdjson::dom::element& element);

JsonValue object_of(const simdjson::dom::object& object) {
  JsonValue value{.type = Type::kObject};
  std::set<std::string_view> seen;
  for (const auto& [key, member] : object) {
    if (!seen.insert(key).second) {
      throw std::runtime_error(fmt::format("the key \"{}\" is there twice", key));
    }
    value.members.emplace_back(key, value_of(member));
  }
  return value;
}

JsonValue value_of(const simdjson::dom::element& element) {
  using Kind = simdjson::dom::element_type;
  switch (element.type()) {
    case Kind::OBJECT:
      return object_of(element.get_object().value());
    case Kind::ARRAY: {
      JsonValue list{.type = Type::kList};
      const simdjson::dom::array elements = element.get_array().value();
      for (const auto& one : elements) list.elements.push_back(value_of(one));
      return list;
    }
    case Kind::STRING:
      return {.type = Type::kString, .text = std::string(element.get_string().value())};
    case Kind::BOOL:
      return {.type = Type::kBool, .text = simdjson::to_string(element)};
    case Kind::NULL_VALUE:
      return {.type = Type::kNull, .text = "null"};
    default:
      return {.type = Type::kNumber, .text = simdjson::to_string(element)};
  }
}

// nullopt: neither an object nor a list.
std::optional<JsonValue> parse(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (!root.is_object() && !root.is_array()) return std::nullopt;
  return value_of(root);
}

std::string kind_of(const JsonValue& message) {
  if (message.type == Type::kText) return "text";
  for (const auto& [name, value] : message.members) {
    if (name == "action" && value.text == "scan_finished") return value.text;
  }
  for (const char* const key : {"message_type", "struct_type"}) {
    for (const auto& [name, value] : message.members) {
      if (name == key) return value.text;
    }
  }
  return "{}";
}

bool is_progress(const std::string& kind) { return kind.ends_with(" status"); }

bool is_in_any_order(const std::string& kind) {
  return kind.ends_with(" verbose_status") || kind.ends_with(" error") || kind.ends_with(" text");
}

// What several values have in common, and where they differ in kind.
class Shape {
 public:
  void add(const JsonValue& value) {
    ++count_;
    types_.insert(name_of(value.type));
    if (value.type == Type::kObject) ++objects_;
    for (auto member = value.members.begin(); member != value.members.end(); ++member) {
      members_[member->first].add(member->second);
      for (auto before = value.members.begin(); before != member; ++before) {
        order_.emplace(before->first, member->first);
      }
    }
    for (const JsonValue& element : value.elements) {
      if (!elements_) elements_ = std::make_unique<Shape>();
      elements_->add(element);
    }
  }

  std::size_t count() const { return count_; }
  bool is_object() const { return types_ == std::set<std::string>{"object"}; }
  std::string types() const { return fmt::format("{}", fmt::join(types_, "|")); }

  // All below `path`.
  void append(const std::string& path, bool tells_missing, const Parts& without,
              Lines& lines) const {
    for (const std::string& key : keys()) {
      const Shape& member = members_.at(key);
      const bool is_optional = tells_missing && member.count_ < objects_;
      member.append_with_type(fmt::format("{}.{}", path, key), is_optional, tells_missing, without,
                              lines);
    }
    if (elements_) elements_->append_with_type(path + "[]", false, tells_missing, without, lines);
  }

 private:
  void append_with_type(const std::string& path, bool is_optional, bool tells_missing,
                        const Parts& without, Lines& lines) const {
    if (without.contains(path)) return;
    lines.push_back(path + " " + types() + (is_optional ? " ?" : ""));
    append(path, tells_missing, without, lines);
  }

  // An order that no object contradicts: the one in which a program writes its fields.
  Lines keys() const {
    Lines left;
    for (const auto& [key, member] : members_) left.push_back(key);
    Lines sorted;
    while (!left.empty()) {
      auto next = std::find_if(left.begin(), left.end(), [&](const std::string& key) {
        return std::none_of(left.begin(), left.end(), [&](const std::string& other) {
          return order_.contains({other, key});
        });
      });
      if (next == left.end()) next = left.begin();
      sorted.push_back(*next);
      left.erase(next);
    }
    return sorted;
  }

  std::size_t count_ = 0;
  std::size_t objects_ = 0;
  std::set<std::string> types_;
  std::map<std::string, Shape> members_;
  std::set<std::pair<std::string, std::string>> order_;  // of keys in the same object
  std::unique_ptr<Shape> elements_;
};

void append_text(const JsonValue& value, const std::string& path, const Parts& without,
                 std::string& text) {
  const char* separator = "";
  if (value.type == Type::kObject) {
    text += '{';
    for (const auto& [key, member] : value.members) {
      const std::string below = fmt::format("{}.{}", path, key);
      if (without.contains(below)) continue;
      text += std::exchange(separator, ", ") + key + ": ";
      append_text(member, below, without, text);
    }
    text += '}';
  } else if (value.type == Type::kList) {
    text += '[';
    for (const JsonValue& element : value.elements) {
      text += std::exchange(separator, ", ");
      append_text(element, path + "[]", without, text);
    }
    text += ']';
  } else {
    text += value.type == Type::kString ? "\"" + value.text + "\"" : value.text;
  }
}

}  // namespace

JsonOutput::JsonOutput(const Finished& finished) : exit_code_(finished.exit_code) {
  read("stdout ", finished.out);
  read("stderr ", finished.err);
}

void JsonOutput::read(const std::string& stream, std::string_view text) {
  if (auto whole = parse(text)) {
    if (whole->type != Type::kList) {
      messages_.push_back({stream + kind_of(*whole), std::move(*whole)});
      return;
    }
    // So that an empty list is not the same as nothing at all.
    messages_.push_back({stream + "list", {.type = Type::kText}});
    for (JsonValue& element : whole->elements) {
      messages_.push_back({stream + "[]", std::move(element)});
    }
    return;
  }
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    JsonValue message{.type = Type::kText, .text = std::string(line)};
    if (auto parsed = parse(line)) message = std::move(*parsed);
    std::string kind = stream + kind_of(message);
    messages_.push_back({std::move(kind), std::move(message)});
  }
}

Lines JsonOutput::shape(const Parts& without) const {
  if (without.contains("*")) return {};
  Lines lines;
  if (!without.contains("exit code")) lines.push_back(fmt::format("exit code {}", exit_code_));
  std::map<std::string, Shape> kinds;
  for (const Message& message : messages_) kinds[message.kind].add(message.value);
  for (const auto& [kind, shape] : kinds) {
    if (without.contains(kind)) continue;
    std::string line = kind;
    if (!shape.is_object()) line += " " + shape.types();
    if (!is_progress(kind)) line += fmt::format(" ({})", shape.count());
    lines.push_back(std::move(line));
    shape.append(kind, !is_progress(kind), without, lines);
  }
  return lines;
}

Lines JsonOutput::values(const Parts& without) const {
  if (without.contains("*")) return {};
  Lines ordered;
  Lines unordered;
  for (const Message& message : messages_) {
    if (without.contains(message.kind) || is_progress(message.kind)) continue;
    std::string line = message.kind + " = ";
    append_text(message.value, message.kind, without, line);
    (is_in_any_order(message.kind) ? unordered : ordered).push_back(std::move(line));
  }
  std::sort(unordered.begin(), unordered.end());
  ordered.insert(ordered.end(), unordered.begin(), unordered.end());
  return ordered;
}

std::string line_differences(const Lines& first, const Lines& second) {
  if (first == second) return {};
  std::string text;
  const auto append_missing = [&](const char* mark, const Lines& lines, const Lines& other) {
    std::multiset<std::string> left(other.begin(), other.end());
    for (const std::string& line : lines) {
      const auto found = left.find(line);
      if (found == left.end()) {
        text += mark + line + "\n";
      } else {
        left.erase(found);
      }
    }
  };
  append_missing("- ", first, second);
  append_missing("+ ", second, first);
  if (!text.empty()) return text;
  const auto [ours, theirs] = std::mismatch(first.begin(), first.end(), second.begin());
  return fmt::format("- in another order, here: {}\n+ in another order, here: {}\n", *ours,
                     *theirs);
}

}  // namespace restree::testing
