// What lies under the name of a repository's file and is not a regular file: a folder, a FIFO, a
// device, a socket. Such a thing is no file of the repository: to read a FIFO or a device may take
// for ever.
//
// Threads: any.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <string_view>

#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

// kCorrupt, unless the mode (as in st_mode) is that of a regular file. `path`: for the message.
Status expect_regular(const std::string& path, mode_t mode);

// Names in the log what listings leave out, each path once.
//
// Limits: kMostNamed paths; the rest are left out without a word.
class OddFiles {
 public:
  static constexpr std::size_t kMostNamed = 100;

  void leave_out(const std::string& path, const Error& why);

 private:
  Guarded<std::set<std::string>> named_;
};

}  // namespace restree
