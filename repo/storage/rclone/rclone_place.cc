#include "repo/storage/rclone/rclone_place.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/base/path.h"
#include "repo/base/readable.h"
#include "repo/storage/rclone/rclone_file.h"
#include "repo/storage/rclone/rclone_remote.h"
#include "repo/storage/rclone/rclone_server.h"

namespace restree {
namespace {

// More than anybody has; a circle of aliases ends there.
constexpr int kMostAliases = 16;

constexpr std::string_view kNeedsRclone =
    "Only remotes of the types sftp and local, and aliases of them, are opened without rclone.";

struct RemotePath {
  std::string_view remote;  // empty: a folder of this machine
  std::string_view path;
};

// As rclone parts it: what has a slash before the first colon, or no colon, is a folder.
Result<RemotePath> parse_remote_path(std::string_view text) {
  if (text.starts_with(':')) {
    return Error(ErrorKind::kUnsupported, "rclone's remotes on the fly (:TYPE:) are not supported")
        .hinting("Give the remote a name in rclone's configuration.");
  }
  const std::size_t end = text.find_first_of(":,/");
  if (end == std::string_view::npos || text[end] == '/') return RemotePath{{}, text};
  const std::string_view remote = text.substr(0, end);
  if (text[end] == ',') {
    // Not shown any further: a password may follow.
    return Error(ErrorKind::kUnsupported,
                 fmt::format("rclone's connection strings ({},…:) are not supported",
                             readable(remote)))
        .hinting("Write the settings into the remote in rclone's configuration.");
  }
  return RemotePath{remote, text.substr(end + 1)};
}

// Below `folder`, whatever `path` begins with or climbs up to: it is the root of the alias.
std::string below(std::string_view folder, std::string_view path) {
  if (path.empty()) return std::string(folder);
  std::string inside = clean_path("/" + std::string(path));
  if (folder.empty()) return path.starts_with('/') ? inside : inside.substr(1);
  if (folder.ends_with('/')) inside.erase(0, 1);
  return std::string(folder) + inside;
}

Result<RclonePlace> resolve(std::string_view text, const RcloneFile& file, int aliases);

Result<RclonePlace> resolve_alias(const RcloneRemote& alias, std::string_view path,
                                  const RcloneFile& file, int aliases) {
  const std::string target = alias.value("remote");
  if (target.empty()) {
    return Error(ErrorKind::kInvalid, fmt::format("rclone remote {} ({}): an alias of nothing",
                                                  readable(alias.name()), alias.source()));
  }
  if (aliases >= kMostAliases) {
    return Error(ErrorKind::kInvalid, fmt::format("rclone remote {} ({}): aliases in a circle",
                                                  readable(alias.name()), alias.source()));
  }
  ASSIGN_OR_RETURN(const RemotePath parsed, parse_remote_path(target));
  const std::string joined = below(parsed.path, path);
  if (parsed.remote.empty()) return RclonePlace(RcloneFolder{joined});
  return resolve(fmt::format("{}:{}", parsed.remote, joined), file, aliases + 1);
}

// rclone stores such characters as others.
bool has_control_characters(std::string_view path) {
  return std::ranges::any_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// rclone puts another setting in the place of "%(name)s".
bool refers_to_another(std::string_view value) {
  const std::size_t begin = value.find("%(");
  return begin != std::string_view::npos && value.find(")s", begin) != std::string_view::npos;
}

Result<RclonePlace> resolve(std::string_view text, const RcloneFile& file, int aliases) {
  ASSIGN_OR_RETURN(const RemotePath parsed, parse_remote_path(text));
  if (parsed.remote.empty()) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("rclone:{}: no remote and ':' before the path", readable(text)))
        .hinting("A folder of this machine is named without rclone: in front of it.");
  }
  if (has_control_characters(parsed.path)) {
    return Error(ErrorKind::kUnsupported,
                 "a path with control characters, which rclone stores as others");
  }
  ASSIGN_OR_RETURN(const RcloneRemote remote, RcloneRemote::find(std::string(parsed.remote), file));
  for (const std::string& key : remote.keys()) {
    if (key.starts_with("override.") || key.starts_with("global.")) {
      return unsupported_setting(remote, readable(key), "Leave it out: no rclone is run.");
    }
    if (refers_to_another(remote.secret(key).text())) {
      return unsupported_setting(remote, fmt::format("{} = …%(…)s", readable(key)),
                                 "Write what it stands for in its place.");
    }
  }
  if (remote.type() == "alias") return resolve_alias(remote, parsed.path, file, aliases);
  if (remote.type() == "sftp") {
    ASSIGN_OR_RETURN(RcloneServer server, rclone_server(remote, std::string(parsed.path)));
    return RclonePlace(std::move(server));
  }
  if (remote.type() == "local") {
    if (!remote.value("encoding").empty()) {
      return unsupported_setting(remote, "encoding", "Leave it out, or name the folder itself.");
    }
    return RclonePlace(RcloneFolder{std::string(parsed.path)});
  }
  return Error(ErrorKind::kUnsupported,
               fmt::format("rclone remote {} ({}) is of the type {}, which is not supported",
                           readable(remote.name()), remote.source(), readable(remote.type())))
      .hinting(std::string(kNeedsRclone));
}

}  // namespace

Result<RclonePlace> find_rclone_place(std::string_view text) {
  ASSIGN_OR_RETURN(const RcloneFile file, RcloneFile::read());
  return resolve(text, file, 0);
}

}  // namespace restree
