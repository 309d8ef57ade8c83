// What lies under the name of a repository's file and is not a regular file: a folder, a FIFO, a
// device, a socket. It must not be read as a file of the repository: a read of a FIFO or a device
// may never end.
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

// The error of removing a folder that holds something: whose that is cannot be known.
Error filled_folder(const std::string& path);

// Writes a warning to the log for each path that a listing leaves out, once.
//
// Limits: kMostNamed paths; further ones are not logged.
class OddFiles {
 public:
  static constexpr std::size_t kMostNamed = 100;

  void warn_once(const std::string& path, const Error& why);

 private:
  Guarded<std::set<std::string>> named_;
};

}  // namespace restree
