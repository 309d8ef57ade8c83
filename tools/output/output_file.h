// A file to which a command writes its output. An existing file is overwritten.
//
// Its old content stays until there is something to put in its place: a command that
// fails before its first byte leaves it as it was, or not made.
// Errors: kLocalIo, with the file's path.
#pragma once

#include <string>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Status write(ByteView bytes);
  // After the last write: without any, the file is empty from here on.
  Status finish();

 private:
  OutputFile(UniqueFd fd, std::string path, bool is_new)
      : fd_(std::move(fd)), path_(std::move(path)), is_new_(is_new) {}
  Status begin();

  UniqueFd fd_;
  std::string path_;
  bool is_new_;
  bool is_begun_ = false;
};

}  // namespace restree
