// Which parts of a blob were read, and so whether a program will come back for the rest.
//
// The kernel cuts a program's reads into requests and hands these out in any order, several at a
// time, so it is not enough to remember how far a blob was read.
//
// Pure.
// Threads: one at a time.
#pragma once

#include <cstdint>

namespace restree {

class ReadMarks {
 public:
  explicit ReadMarks(std::uint64_t blob_bytes) : bytes_(blob_bytes) {}

  // A program that reads forward read the bytes from `begin` to `end`.
  void read(std::uint64_t begin, std::uint64_t end);
  // The blob was loaded before somebody asked for it. Changes nothing once it was read.
  void expect();
  // True if a part of the blob was not read yet: of a blob that is expected all of it.
  bool is_due() const;

 private:
  std::uint64_t bytes_;
  std::uint64_t was_read_ = 0;  // a bit for each of 64 stretches
  int visits_ = 0;              // reads of the begin, less reads of the end
  bool is_expected_ = false;
};

}  // namespace restree
