// rclone's configuration file: the settings of each remote, as rclone reads them.
//
//   file    := (comment | section | setting | empty)*    one a line, white space around it ignored
//   comment := ('#' | ';') …
//   section := '[' name ']'
//   setting := key ('=' | ':') value          key: as it is, "…", """…""" or `…`
//                                             value: as it is, """…""" or `…`
//
// What is set twice counts as set last, also in sections of the same name. What section "a.b" does
// not set is looked for in "a", if that is a section.
//
// Ownership: the settings, which may be passwords: wiped at the end.
// Threads:   any; immutable.
// Limits:    files of up to 1 MiB.
// Errors:    kInvalid: a line that rclone does not read either; it is named, and not shown.
//            kUnsupported: the file is encrypted. Else those of reading a file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

class RcloneFile {
 public:
  // The file that rclone would use: what RCLONE_CONFIG says, else the first of
  // $XDG_CONFIG_HOME/rclone/rclone.conf, ~/.config/rclone/rclone.conf and ~/.rclone.conf that
  // exists. Nullopt: none. Absolute, unless the current folder is not known.
  static std::optional<std::string> find();

  // The content of find(); without settings if there is no such file.
  static Result<RcloneFile> read();
  static Result<RcloneFile> parse(std::string_view text, const std::string& path);

  // Where it was read from; empty: there is no file.
  const std::string& path() const { return path_; }
  // Nullptr: not set.
  const Secret* setting(std::string_view section, std::string_view key) const;
  std::vector<std::string> sections() const;
  // The keys that the section itself sets.
  std::vector<std::string> keys(std::string_view section) const;

 private:
  using Settings = std::map<std::string, Secret, std::less<>>;

  std::string path_;
  std::map<std::string, Settings, std::less<>> sections_;
};

}  // namespace restree
