// JSON from a repository, read once from front to back. For the .cc files of this room: the one
// place that includes simdjson.
//
// simdjson finds where tokens begin (and refuses what is not UTF-8 or does not close a string) and
// walks the structure; what a token says is decided here, since restic's rules differ: a number is
// an unsigned integer of 64 bits and never a double, `null` is the same as absent, and half a
// surrogate pair becomes U+FFFD as in Go.
//
// Errors: whatever is off throws BadJson inside of read_json(), which returns it as kCorrupt. That
//         keeps twenty fields a node free of plumbing. What a skipped value holds is not looked at.
// Threads: any. Views live until read_json() returns.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree::json {

// Why a document is refused; `reason` is a literal.
class BadJson : public std::exception {
 public:
  explicit BadJson(const char* reason) : reason_(reason) {}
  const char* what() const noexcept override { return reason_; }

 private:
  const char* reason_;
};

inline void require(simdjson::error_code code) {
  if (code != simdjson::SUCCESS) throw BadJson(simdjson::error_message(code));
}

// Appends what stands between the quotes of a JSON string to `out`, its escapes resolved.
void append_unescaped(std::string_view inside, std::string& out);

// A field's name as it is meant; `storage` holds it in the rare case that it has escapes.
inline std::string_view key_of(simdjson::ondemand::field& field, std::string& storage) {
  const char* const begin = field.key().raw();
  const char* end = begin;
  bool escaped = false;
  for (; *end != '"'; ++end) {
    if (*end != '\\') continue;
    escaped = true;
    ++end;
  }
  const std::string_view inside(begin, static_cast<std::size_t>(end - begin));
  if (!escaped) return inside;
  storage.clear();
  append_unescaped(inside, storage);
  return storage;
}

class Value;

// Calls `use(key, value)` for every field in order.
template <class Use>
void each_field(simdjson::ondemand::object object, Use&& use);
// Calls `use(value)` for every element.
template <class Use>
void each_element(simdjson::ondemand::array array, Use&& use);

// One value on the way: to be used at once, and once.
class Value {
 public:
  explicit Value(simdjson::ondemand::value value) : value_(value), token_(value_.raw_json_token()) {
    while (!token_.empty() && is_space(token_.back())) token_.remove_suffix(1);
    if (token_.empty()) throw BadJson("a value is missing");
  }

  bool is_null() const { return token_ == "null"; }
  // The value's text: all of a scalar, the bracket of anything else.
  std::string_view token() const { return token_; }

  // 0 for null.
  std::uint64_t to_u64() const;
  std::uint32_t to_u32() const;
  // What stands between the quotes, escapes unresolved.
  std::string_view quoted() const {
    if (token_.size() < 2 || token_.front() != '"' || token_.back() != '"') {
      throw BadJson("not a string");
    }
    return token_.substr(1, token_.size() - 2);
  }
  // Empty for null.
  std::string to_text() const;
  std::vector<std::string> to_texts();
  // The bytes that a base64 string stands for; empty for null.
  std::string to_bytes() const;
  template <class IdType>
  IdType to_id() const {
    IdType id;
    if (!from_hex(quoted(), id.bytes)) throw BadJson("not an id");
    return id;
  }

  template <class Use>
  void each_field(Use&& use) {
    if (is_null()) return;
    simdjson::ondemand::object object;
    require(value_.get_object().get(object));
    json::each_field(object, std::forward<Use>(use));
  }
  template <class Use>
  void each_element(Use&& use) {
    if (is_null()) return;
    simdjson::ondemand::array array;
    require(value_.get_array().get(array));
    json::each_element(array, std::forward<Use>(use));
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  simdjson::ondemand::value value_;
  std::string_view token_;
};

template <class Use>
void each_field(simdjson::ondemand::object object, Use&& use) {
  std::string storage;
  for (auto step : object) {
    simdjson::ondemand::field field;
    require(std::move(step).get(field));
    use(key_of(field, storage), Value(field.value()));
  }
}

template <class Use>
void each_element(simdjson::ondemand::array array, Use&& use) {
  for (auto step : array) {
    simdjson::ondemand::value element;
    require(std::move(step).get(element));
    use(Value(element));
  }
}

// A thread's parser and its copy of the text with the padding that simdjson reads into.
class Workspace {
 public:
  // A workspace that only the caller uses until it gives it back.
  static std::unique_ptr<Workspace> take();
  // Keeps it for the thread's next document unless it has grown large.
  static void give_back(std::unique_ptr<Workspace> workspace);

  simdjson::ondemand::document start(ByteView text);
  void wipe();

 private:
  simdjson::ondemand::parser parser_;
  Bytes padded_;
};

enum class Secrecy { kNone, kWipe };

// Reads a document whose root is an object (or, where `use` asks for it, an array) by calling
// `use(root)` with a Root. `what` names the document in the Error.
template <class Use>
Status read_json(ByteView text, std::string_view what, Use&& use, Secrecy secrecy = Secrecy::kNone);

class Root {
 public:
  explicit Root(simdjson::ondemand::document& document) : document_(document) {}

  bool is_array() {
    auto type = simdjson::ondemand::json_type::null;
    require(document_.type().get(type));
    return type == simdjson::ondemand::json_type::array;
  }
  template <class Use>
  void each_field(Use&& use) {
    simdjson::ondemand::object object;
    require(document_.get_object().get(object));
    json::each_field(object, std::forward<Use>(use));
    require_end();
  }
  template <class Use>
  void each_element(Use&& use) {
    simdjson::ondemand::array array;
    require(document_.get_array().get(array));
    json::each_element(array, std::forward<Use>(use));
    require_end();
  }

 private:
  void require_end() {
    if (document_.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw BadJson("something follows the end");
    }
  }

  simdjson::ondemand::document& document_;
};

template <class Use>
Status read_json(ByteView text, std::string_view what, Use&& use, Secrecy secrecy) {
  auto workspace = Workspace::take();
  Status status;
  try {
    auto document = workspace->start(text);
    use(Root(document));
  } catch (const BadJson& bad) {
    status = Error(ErrorKind::kCorrupt, std::string(what) + ": " + bad.what());
  }
  if (secrecy == Secrecy::kWipe) workspace->wipe();
  Workspace::give_back(std::move(workspace));
  return status;
}

}  // namespace restree::json
