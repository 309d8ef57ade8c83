#include "program/storage_kinds.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "program/rclone_kind.h"
#include "program/sftp_kind.h"
#include "repo/base/log.h"
#include "repo/base/readable.h"
#include "repo/storage/decorators/deadline_storage.h"
#include "repo/storage/decorators/limited_storage.h"
#include "repo/storage/local_storage.h"
#include "repo/system/network_folder.h"

namespace restree {
namespace {

class LocalFolder final : public Location {
 public:
  explicit LocalFolder(std::string folder) : folder_(std::move(folder)) {}

  std::string description() const override { return folder_; }
  bool is_far() const override { return false; }
  std::optional<std::string> folder() const override { return folder_; }
  std::string identity(const SshOptions& /*options*/) const override { return folder_; }

  Result<std::shared_ptr<Storage>> make_storage(const SshOptions& options,
                                                const std::stop_token& stop) const override {
    std::shared_ptr<Storage> storage = make_local_storage(folder_);
    if (is_network_folder(folder_))
      storage = std::make_shared<DeadlineStorage>(std::move(storage), stop);
    return limit_storage(std::move(storage), options.limits, stop);
  }

 private:
  const std::string folder_;
};

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorKind::kInvalid, fmt::format("repository '{}': {}", without_password(text), why)};
}

constexpr std::string_view kLocal = "local";

Result<std::unique_ptr<const Location>> parse_local(std::string_view text) {
  const std::string_view folder = text.substr(kLocal.size() + 1);
  if (folder.empty()) return invalid(text, "the path is missing");
  return local_location(std::string(folder));
}

Result<std::unique_ptr<const Location>> parse_path(std::string_view text) {
  const bool is_plain =
      text.find(':') == std::string_view::npos || text.starts_with('/') || text.starts_with("../");
  if (is_plain) return local_location(std::string(text));
  return invalid(text,
                 fmt::format("no such kind of storage as '{}'", text.substr(0, text.find(':'))))
      .hinting(
          fmt::format("a folder whose name has a ':' is written local:{}", without_password(text)));
}

struct StorageKind {
  std::string_view scheme;  // what stands before the first colon
  // Gets the whole text, scheme included.
  Result<std::unique_ptr<const Location>> (*parse)(std::string_view text);
};

constexpr std::array<StorageKind, 3> kKinds{
    {{kLocal, parse_local}, {"sftp", parse_sftp_kind}, {"rclone", parse_rclone_kind}}};

constexpr std::array<std::string_view, 7> kKindsOfResticOnly{"s3", "rest",  "b2",     "azure",
                                                             "gs", "swift", "opendal"};

}  // namespace

std::unique_ptr<const Location> local_location(std::string folder) {
  return std::make_unique<LocalFolder>(std::move(folder));
}

Result<std::unique_ptr<const Location>> parse_location(std::string_view text) {
  if (text.empty()) return Error(ErrorKind::kInvalid, "no repository is named");
  // A file that names a repository can hold anything, and a path ends at the first zero byte.
  if (text.find('\0') != std::string_view::npos) {
    return Error(ErrorKind::kInvalid, fmt::format("repository {}: contains a zero byte",
                                                  log::quoted(without_password(text))));
  }
  const auto colon = text.find(':');
  const auto scheme = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  const auto kind = std::ranges::find(kKinds, scheme, &StorageKind::scheme);
  if (kind != kKinds.end()) return kind->parse(text);
  if (std::ranges::find(kKindsOfResticOnly, scheme) != kKindsOfResticOnly.end()) {
    return Error(
        ErrorKind::kUnsupported,
        fmt::format("repositories of the kind '{}:' are not supported: only local folders, "
                    "sftp: and some of rclone: are",
                    scheme));
  }
  return parse_path(text);
}

}  // namespace restree
