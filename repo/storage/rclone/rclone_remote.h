// The settings of one of rclone's remotes: from its file, and from the environment, which wins.
//
//   RCLONE_CONFIG_<REMOTE>_<KEY>     of this remote; makes one that the file does not have
//   RCLONE_<TYPE>_<KEY>              of all remotes of its type
//
// Ownership: refers to the file, which must outlive it.
// Threads:   any, while no thread changes the environment.
// Errors:    kInvalid: there is no such remote.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/storage/rclone/rclone_file.h"

namespace restree {

class RcloneRemote {
 public:
  static Result<RcloneRemote> find(std::string name, const RcloneFile& file);

  const std::string& name() const { return name_; }
  const std::string& type() const { return type_; }
  // Where its settings come from, for messages.
  std::string source() const;

  // Empty if it is not set.
  Secret secret(std::string_view key) const;
  std::string value(std::string_view key) const { return std::string(secret(key).text()); }
  // The file name in a setting, as rclone expands it: ~ at its beginning, $NAME and ${NAME}. Made
  // absolute, since a program in the background has another current folder. Empty if not set.
  std::string file_name(std::string_view key) const;
  // The keys that the file sets for it.
  std::vector<std::string> keys() const { return file_->keys(name_); }

 private:
  RcloneRemote(std::string name, const RcloneFile& file) : name_(std::move(name)), file_(&file) {}

  std::string name_;
  std::string type_;
  const RcloneFile* file_;
};

// What Go's os.Expand makes of the text: variables that are not set are empty, and
// RCLONE_CONFIG_DIR is `config_folder`, as rclone sets it.
std::string with_variables(std::string_view text, const std::string& config_folder);

}  // namespace restree
