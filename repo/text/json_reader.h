// JSON from a repository, read once from front to back. For the .cc files of this room.
//
// No library fits: a number is an unsigned integer of 64 bits and never a double, `null` is the same
// as absent, half a surrogate pair becomes U+FFFD as in Go, and a document of many MiB is read
// without a tree of its values. What differs from RFC 8259: the inside of a value that nobody asks
// for is only followed to its end.
//
// Errors: whatever is off throws BadJson inside of read_json(), which returns it as kCorrupt. That
//         keeps twenty fields a node free of plumbing. A value that is not what it was asked for throws
//         BadValue, after which a reader that can do without it may catch that and go on.
// Limits: a byte of memory for each bracket that is open.
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

namespace restree::json {

// Why a document is refused; `reason` is a literal.
class BadJson : public std::exception {
 public:
  explicit BadJson(const char* reason) : reason_(reason) {}
  const char* what() const noexcept override { return reason_; }

 private:
  const char* reason_;
};

// A value of another type or range than wanted, in a document whose structure is sound so far.
class BadValue : public BadJson {
 public:
  using BadJson::BadJson;
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
  // The bracket that comes next; leave() passes the one that closes it.
  void enter(char opening, const char* otherwise) {
    require(opening, otherwise);
    open_.push_back(opening == '{' ? '}' : ']');
  }
  void leave(const char* otherwise) {
    require(open_.back(), otherwise);
    open_.pop_back();
  }
  // How many brackets are open.
  std::size_t depth() const { return open_.size(); }
  // Passes all that comes, until no more brackets are open than that.
  void pass_to(std::size_t depth);

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  void pass_spaces() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  const char* at_;
  const char* end_;
  std::string open_;  // the brackets that close those which are open
};

// One value on the way: to be used at once, and once.
class Value {
 public:
  // Passes the value, unless it has brackets.
  explicit Value(Place& place) : place_(&place) {
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

  // All of the value as it is written. One with brackets has been read to its end, or not at all, in
  // which case this passes it.
  std::string_view text() const {
    if (begin_ == nullptr) return token_;
    if (place_->position() == begin_) pass_unread(place_->depth());
    return {begin_, static_cast<std::size_t>(place_->position() - begin_)};
  }

  // 0 for null.
  std::uint64_t to_u64() const;
  std::uint32_t to_u32() const;
  // What stands between the quotes, escapes unresolved.
  std::string_view quoted() const {
    if (token_.front() != '"') throw BadValue("not a string");
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
    if (!from_hex(quoted(), id.bytes)) throw BadValue("not an id");
    return id;
  }

  // Calls `use(key, value)` for every field in order.
  template <class Use>
  void each_field(Use&& use);
  // Calls `use(value)` for every element in order.
  template <class Use>
  void each_element(Use&& use);

  // Passes what was not read of a value with brackets; `depth`: how many were open before it.
  void pass_unread(std::size_t depth) const {
    if (begin_ != nullptr && place_->position() == begin_) place_->enter(*begin_, "");
    place_->pass_to(depth);
  }

 private:
  Place* place_;
  const char* begin_ = nullptr;  // of an object or array; nullptr: a scalar
  std::string_view token_;       // at least one byte
};

// Calls `use(key, value)` for every field of the object that comes next.
template <class Use>
void each_field(Place& place, Use&& use) {
  place.enter('{', "not an object");
  const std::size_t depth = place.depth();
  if (place.next() == '}') return place.leave("");
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
    value.pass_unread(depth);
  } while (place.pass(','));
  place.leave("an object has no end");
}

// Calls `use(value)` for every element of the array that comes next.
template <class Use>
void each_element(Place& place, Use&& use) {
  place.enter('[', "not an array");
  const std::size_t depth = place.depth();
  if (place.next() == ']') return place.leave("");
  do {
    const Value value(place);
    use(Value(value));
    value.pass_unread(depth);
  } while (place.pass(','));
  place.leave("an array has no end");
}

template <class Use>
void Value::each_field(Use&& use) {
  if (is_null()) return;
  if (token_.front() != '{') throw BadValue("not an object");
  json::each_field(*place_, std::forward<Use>(use));
}

template <class Use>
void Value::each_element(Use&& use) {
  if (is_null()) return;
  if (token_.front() != '[') throw BadValue("not an array");
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
