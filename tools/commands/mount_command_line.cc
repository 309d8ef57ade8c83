#include "tools/commands/mount_command_line.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <memory>

#include "program/storage_kinds.h"
#include "repo/text/go_layout.h"

namespace restree {
namespace {

// Builds the list for -o; commas and backslashes inside a value are escaped.
class OptionList {
 public:
  void flag(std::string_view name) { add(std::string(name)); }
  void value(std::string_view name, std::string_view value) {
    if (!value.empty()) add(fmt::format("{}={}", name, value));
  }
  // Adds nothing for 0, which means that the option was not given.
  void number(std::string_view name, std::uint64_t number) {
    if (number != 0) add(fmt::format("{}={}", name, number));
  }
  void seconds(std::string_view name, std::chrono::nanoseconds span) {
    number(name, static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(span).count()));
  }
  void word(const std::string& word) { add(word); }
  const std::string& text() const { return text_; }

 private:
  void add(const std::string& word) {
    if (!text_.empty()) text_ += ',';
    for (const char c : word) {
      if (c == ',' || c == '\\') text_ += '\\';
      text_ += c;
    }
  }
  std::string text_;
};

// Adds an extended option with restic's name under restreefs's name.
void add_extended(const std::string& word, OptionList& list) {
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (name == "sftp.connections") {
    list.value("connections", value);
  } else if (name == "sftp.command") {
    list.value("ssh_command", value);
  } else if (name == "sftp.args") {
    list.value("ssh_command", "ssh " + value);
  } else if (name != "local.connections") {
    list.word(word);
  }
}

// restreefs has no such options, only one for what they say.
Status add_rclone(const std::string& location, const GlobalOptions& global, OptionList& list) {
  if (global.rclone.empty()) return {};
  ASSIGN_OR_RETURN(const std::unique_ptr<const Location> place, parse_location(location));
  SshOptions options = global.ssh.options;
  RETURN_IF_ERROR(place->take_rclone_options(global.rclone, options));
  if (options.connections != global.ssh.options.connections) {
    list.number("connections", options.connections);
  }
  return {};
}

// What only the environment says, restreefs finds there.
void add_second(const RepositoryAccess& second, OptionList& list) {
  if (second.location) list.word("second=" + *second.location);  // restreefs refuses an empty one
  list.value("second_password_file", second.password_file.value_or(""));
  list.value("second_password_command", second.password_command.value_or(""));
  list.value("second_key_hint", second.key_hint.value_or(""));
  if (second.no_password) list.flag("second_insecure_no_password");
}

Status add_templates(const MountCommandOptions& options, OptionList& list) {
  for (const std::string& text : options.path_templates) {
    if (text.empty()) {
      return Error(ErrorKind::kInvalid, "path template string cannot be empty");
    }
    list.value("path_template", text);
  }
  if (!options.time_template) return {};
  const std::string& layout = *options.time_template;
  if (layout.starts_with('/') || layout.ends_with('/')) {
    return Error(ErrorKind::kInvalid, "time template string cannot start or end with '/'");
  }
  ASSIGN_OR_RETURN(const std::string format, strftime_of_go_layout(layout));
  list.value("time_template", format);
  return {};
}

Status check(const MountCommandOptions& options) {
  if (options.mount_points.size() != 1) {
    return Error(ErrorKind::kInvalid, "wrong number of parameters: give one mount point");
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> restreefs_call(const MountCommandOptions& options,
                                                const GlobalOptions& global,
                                                const std::string& location) {
  RETURN_IF_ERROR(check(options));
  OptionList list;
  list.value("password_file", global.access.password_file.value_or(""));
  list.value("password_command", global.access.password_command.value_or(""));
  list.value("key_hint", global.access.key_hint.value_or(""));
  list.value("rescue_key", global.access.rescue_key.value_or(""));
  list.value("as_of", global.as_of);
  add_second(options.second.access, list);
  if (options.index.source != IndexOption().source) list.value("index", options.index.source);
  if (global.insecure_no_password) list.flag("insecure_no_password");
  if (!global.no_lock) list.flag("lock");
  if (!global.no_lock) list.seconds("retry_lock", global.retry_lock);
  list.seconds("silence_timeout", global.stuck_request_timeout);
  list.number("limit_upload", global.upload_limit >> 10);
  list.number("limit_download", global.download_limit >> 10);
  const SnapshotFilter filter = options.selection.filter();
  for (const std::string& host : filter.hosts) list.value("host", host);
  for (const std::string& tags : options.selection.tags) list.word("tag=" + tags);
  for (const std::string& path : filter.paths) list.value("path", path);
  RETURN_IF_ERROR(add_templates(options, list));
  if (options.allow_other) list.flag("allow_other");
  if (options.no_default_permissions) list.flag("no_default_permissions");
  if (options.owner_root) {
    list.value("uid", "0");
    list.value("gid", "0");
  }
  list.value("cache_dir", global.cache.folder);
  if (global.cache.off) list.flag("no_cache");
  for (const std::string& word : extended_words(global)) add_extended(word, list);
  list.flag("announce");
  RETURN_IF_ERROR(add_rclone(location, global, list));
  std::vector<std::string> call{"restreefs", location, options.mount_points.front(), "-f"};
  call.insert(call.end(), {"-o", list.text()});
  return call;
}

}  // namespace restree
