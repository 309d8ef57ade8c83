// The result of a call that can fail: a value, or an Error that says what happened and what to do.
//
//   Result<Index> load(Storage& storage, const FileName& file, Deadline by) {
//     ASSIGN_OR_RETURN(const Bytes content, storage.read_all(file, by));
//     auto index = parse(content);
//     if (!index) return std::move(index).error().with("load " + file.name);
//     return index;
//   }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace restree {

// A kind exists because some caller branches on it; everything else about a failure is message.
enum class ErrorKind : std::uint8_t {
  kNotFound,       // not there; a retry will not help
  kCorrupt,        // contradicts its hash, MAC, length or format
  kUnavailable,    // network or server trouble; a retry may help
  kDenied,         // refused login, unknown host key, missing permission
  kNoRepository,   // nothing at the location is a repository
  kWrongPassword,  // no key file opens with it
  kLocked,         // another process holds a conflicting lock
  kCancelled,      // the caller, or a signal, asked to stop
  kInvalid,        // the input is wrong: an option, a path, a location
  kUnsupported,    // valid, but not something that Restree can do
  kLocalIo,        // the local machine failed: disk, memory, descriptor
};

std::string_view to_string(ErrorKind kind);

class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  // What happened, to which file or host. One line, no trailing full stop.
  const std::string& message() const { return message_; }
  // What the reader of the message can do about it; may be empty.
  const std::string& hint() const { return hint_; }

  // Adds the caller's view in front: "load tree 3fa2: read pack 77c1: nas: connection reset".
  Error with(std::string_view doing) &&;
  Error hinting(std::string hint) &&;

  // Message and hint for a terminal: "message\n  hint" or just the message.
  std::string for_people() const;

 private:
  ErrorKind kind_;
  std::string message_;
  std::string hint_;
};

// The Error for a failed system call; `doing` says what to which file ("open /srv/repo/config").
// `errno_value` ENOENT gives kNotFound, EACCES and EPERM kDenied, anything else kLocalIo.
Error errno_error(int errno_value, std::string_view doing);

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};
using Status = Result<void>;

}  // namespace restree

#define RESTREE_CONCAT_INNER(a, b) a##b
#define RESTREE_CONCAT(a, b) RESTREE_CONCAT_INNER(a, b)

// Returns the error of `expr` (a Status or Result) from the enclosing function, if it has one.
#define RETURN_IF_ERROR(expr)                                      \
  do {                                                             \
    auto&& restree_status = (expr);                                \
    if (!restree_status) return std::move(restree_status).error(); \
  } while (false)

// Declares or assigns `lhs` from the value of `expr`, or returns its error.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(RESTREE_CONCAT(restree_result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                          \
  if (!result) return std::move(result).error(); \
  lhs = std::move(*result)
