// An open regular file, or a stream, whose content is backed up.
//
// Ownership: the descriptor. Threads: one at a time.
// Errors:    kNotFound: the file no longer exists. kDenied. kLocalIo: also if it is no longer a
//            regular file. kCancelled: `stop` was requested.
#pragma once

#include <sys/stat.h>

#include <stop_token>
#include <string>

#include "repo/archiver/source_node.h"
#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

class SourceFile {
 public:
  // If a FIFO or a symbolic link has taken the file's place, this does not wait for the FIFO nor
  // follow the link. `path` is for messages.
  static Result<SourceFile> open(const SourcePlace& place, const std::string& path);

  // A pipe as a file; its attributes are all zero. `stop` ends waiting for a pipe that stays
  // silent.
  static SourceFile from_stream(UniqueFd fd, std::string name, std::stop_token stop = {});

  // The attributes from the time of opening, so that they belong to the same file as the content.
  const struct stat& attributes() const { return attributes_; }

  // The next bytes, as many as fit; fewer only at the end.
  Result<std::size_t> read(MutableByteView into);

 private:
  // For a stream: waits until there are bytes to read, or its end.
  Status wait() const;

  SourceFile(UniqueFd fd, const struct stat& attributes, std::string path)
      : fd_(std::move(fd)), attributes_(attributes), path_(std::move(path)) {}

  UniqueFd fd_;
  struct stat attributes_;
  std::string path_;
  std::stop_token stop_;
};

}  // namespace restree
