// A file of the local disk that appears under its name as a whole, or not at all.
//
// Until it is published it has a temporary name beside its final one, which Storage's leftovers are
// found by (kTemporaryMark).
// Ownership: the temporary file, removed again unless it was published.
// Threads:   one.
// Errors:    kNotFound: the folder is not there. kLocalIo, kDenied: the disk or a permission.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

class WholeFile {
 public:
  // `path`: the final name.
  static Result<WholeFile> create(const std::string& path);
  WholeFile(WholeFile&& other) noexcept;
  WholeFile& operator=(WholeFile&& other) noexcept;
  ~WholeFile();

  // Writes the content, syncs it, and gives the file its name. When this returns, no temporary file
  // is left, whether it succeeded or not. The name survives a power cut after sync_folder().
  Status publish(ByteView content, mode_t mode) &&;

 private:
  WholeFile(std::string temporary, std::string path, UniqueFd fd)
      : temporary_(std::move(temporary)), path_(std::move(path)), fd_(std::move(fd)) {}

  std::string temporary_;  // empty: nothing to remove
  std::string path_;
  UniqueFd fd_;
};

// Brings the names in a folder to the disk.
Status sync_folder(const std::string& folder);

}  // namespace restree
