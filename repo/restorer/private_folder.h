// A folder that only this user can enter, inside a folder that others may write to. What is made in
// it cannot be swapped for something else, so that it can be given its attributes by its name, which
// is the only way for links, FIFOs and devices. Finished, it is moved to its place.
//
// Ownership: its descriptor; removes the folder when it ends. The folder around it outlives it.
// Threads:   one at a time.
// Errors:    kLocalIo, kDenied: it cannot be made, or something else has taken its place.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/restorer/own_entries.h"

namespace restree {

class PrivateFolder {
 public:
  // `path`: of the folder around it, for messages.
  static Result<PrivateFolder> make(const UniqueFd& around, const std::string& path,
                                    OwnEntries& own);
  PrivateFolder(PrivateFolder&&) = default;
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  const UniqueFd& fd() const { return fd_; }

 private:
  PrivateFolder(const UniqueFd& around, std::string name, UniqueFd fd)
      : around_(&around), name_(std::move(name)), fd_(std::move(fd)) {}

  const UniqueFd* around_;
  std::string name_;
  UniqueFd fd_;  // invalid in an object that was moved from
};

}  // namespace restree
