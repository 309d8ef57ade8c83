// JSON written byte for byte as restic writes it.
//
// Compact, fields in the order of the calls, strings escaped as Go's encoding/json does it. Values;
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace restree {

// Appends `value` in quotes. Invalid UTF-8 is written as U+FFFD, byte by byte.
void append_json_text(std::string_view value, std::string& json);

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  // Invalid UTF-8 is written as U+FFFD, byte by byte.
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  // The shortest digits that give this number back. Not for infinity or NaN.
  JsonWriter& real(double value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  // Room for a document of about this size: one of megabytes is then not copied as it grows.
  void reserve(std::size_t bytes) { json_.reserve(bytes); }

  const std::string& json() const { return json_; }
  std::string take() && { return std::move(json_); }

 private:
  void separate();

  std::string json_;
  bool needs_comma_ = false;
};

}  // namespace restree
