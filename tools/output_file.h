// A file that a command writes its output to, made or overwritten.
//
// Errors: kLocalIo, with the file's path.
#pragma once

#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  Status write(ByteView bytes);

 private:
  OutputFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

}  // namespace restree
