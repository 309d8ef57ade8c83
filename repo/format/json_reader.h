// JSON from a repository, read once from front to back. For the .cc files of this room.
//
// No library fits: a number is an unsigned integer of 64 bits and never a double, `null` is the same
// as absent, half a surrogate pair becomes U+FFFD as in Go, and a document of many MiB is read
// without a tree of its values. What differs from RFC 8259: the inside of a value that nobody asks
// for is only followed to its end.
//
// Errors: whatever is off throws BadJson inside of read_json(), which returns it as kCorrupt. That
//         keeps twenty fields a node free of plumbing.
// Limits: a byte of memory for each bracket that is open in a value which is passed over.
// Threads: any. Nothing is copied: views live as long as the text that read_json() was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
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

// Appends what stands between the quotes of a JSON string to `out`, its escapes resolved.
void append_unescaped(std::string_view inside, std::string& out);

// How far a document has been read.
class Place {
 public:
  explicit Place(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* position() const { return at_; }
  bool is_at_end() {
    pass_spaces();
    return at_ == end_;
  }
  // The byte that comes next, behind any spaces; 0 at the end.
  char next() { return is_at_end() ? '\0' : *at_; }
  // Passes the byte that comes next if it is `wanted`.
  bool pass(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  void require(char wanted, const char* otherwise) {
    if (!pass(wanted)) throw BadJson(otherwise);
  }

  // The string that comes next, with its quotes.
  std::string_view pass_string();
  // The number, `true`, `false` or `null` that comes next.
  std::string_view pass_word();
  // The object or array that comes next, to its closing bracket.
  void pass_brackets();

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  void pass_spaces() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  const char* at_;
  const char* end_;
};

// One value on the way: to be used at once, and once.
class Value {
 public:
  // Passes the value, unless it has brackets.
  explicit Value(Place& place) : place_(&place), begin_(nullptr) {
    const char first = place.next();
    if (first == '{' || first == '[') {
      begin_ = place.position();
      token_ = std::string_view(begin_, 1);
    } else {
      token_ = first == '"' ? place.pass_string() : place.pass_word();
    }
  }

  bool is_null() const { return token_ == "null"; }
  // The value's text: all of a scalar, the bracket of anything else.
  std::string_view token() const { return token_; }

  // 0 for null.
  std::uint64_t to_u64() const;
  std::uint32_t to_u32() const;
  // What stands between the quotes, escapes unresolved.
  std::string_view quoted() const {
    if (token_.front() != '"') throw BadJson("not a string");
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

  // Calls `use(key, value)` for every field in order.
  template <class Use>
  void each_field(Use&& use);
  // Calls `use(value)` for every element in order.
  template <class Use>
  void each_element(Use&& use);

  // Passes what has brackets, unless it was read.
  void pass_unread() const {
    if (begin_ != nullptr && place_->position() == begin_) place_->pass_brackets();
  }

 private:
  Place* place_;
  const char* begin_;       // of an object or array; nullptr: a scalar
  std::string_view token_;  // at least one byte
};

// Calls `use(key, value)` for every field of the object that comes next.
template <class Use>
void each_field(Place& place, Use&& use) {
  place.require('{', "not an object");
  if (place.pass('}')) return;
  std::string unescaped;
  do {
    if (place.next() != '"') throw BadJson("a field has no name");
    std::string_view key = place.pass_string();
    key = key.substr(1, key.size() - 2);
    if (key.find('\\') != std::string_view::npos) {
      unescaped.clear();
      append_unescaped(key, unescaped);
      key = unescaped;
    }
    place.require(':', "a field has no value");
    const Value value(place);
    use(key, Value(value));
    value.pass_unread();
  } while (place.pass(','));
  place.require('}', "an object has no end");
}

// Calls `use(value)` for every element of the array that comes next.
template <class Use>
void each_element(Place& place, Use&& use) {
  place.require('[', "not an array");
  if (place.pass(']')) return;
  do {
    const Value value(place);
    use(Value(value));
    value.pass_unread();
  } while (place.pass(','));
  place.require(']', "an array has no end");
}

template <class Use>
void Value::each_field(Use&& use) {
  if (is_null()) return;
  if (begin_ == nullptr) throw BadJson("not an object");
  json::each_field(*place_, std::forward<Use>(use));
}

template <class Use>
void Value::each_element(Use&& use) {
  if (is_null()) return;
  if (begin_ == nullptr) throw BadJson("not an array");
  json::each_element(*place_, std::forward<Use>(use));
}

// The whole of a document.
class Root {
 public:
  explicit Root(Place& place) : place_(place) {}

  bool is_array() { return place_.next() == '['; }
  template <class Use>
  void each_field(Use&& use) {
    json::each_field(place_, std::forward<Use>(use));
    require_end();
  }
  template <class Use>
  void each_element(Use&& use) {
    json::each_element(place_, std::forward<Use>(use));
    require_end();
  }

 private:
  void require_end() {
    if (!place_.is_at_end()) throw BadJson("something follows the end");
  }

  Place& place_;
};

// Reads a document whose root is an object (or, where `use` asks for it, an array) by calling
// `use(root)` with a Root. `what` names the document in the Error.
template <class Use>
Status read_json(ByteView text, std::string_view what, Use&& use) {
  try {
    Place place(as_text(text));
    use(Root(place));
  } catch (const BadJson& bad) {
    return Error(ErrorKind::kCorrupt, std::string(what) + ": " + bad.what());
  }
  return {};
}

}  // namespace restree::json
