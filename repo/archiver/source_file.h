// A regular file that is backed up, from its opening to its last byte.
//
// Ownership: the descriptor. Threads: one at a time.
// Errors:    kNotFound: it is gone. kDenied. kLocalIo: also if it is no regular file any more.
//            kCancelled: `stop` was requested.
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
  // Never waits for a fifo, and follows no link, that has taken the file's place. `path` is for
  // messages.
  static Result<SourceFile> open(const SourcePlace& place, const std::string& path);

  // What comes out of a pipe: its attributes are zero. `stop` ends the waiting for a silent one.
  static SourceFile from_stream(UniqueFd fd, std::string name, std::stop_token stop = {});

  // As it was when it was opened: what is said of the file and what is read are of the same file.
  const struct stat& attributes() const { return attributes_; }

  // The next bytes, as many as fit; fewer only at the end.
  Result<std::size_t> read(MutableByteView into);

 private:
  // For a stream: until there is something to read, or its end.
  Status wait() const;

  SourceFile(UniqueFd fd, const struct stat& attributes, std::string path)
      : fd_(std::move(fd)), attributes_(attributes), path_(std::move(path)) {}

  UniqueFd fd_;
  struct stat attributes_;
  std::string path_;
  std::stop_token stop_;
};

}  // namespace restree
