#include "fs/restreefs/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "fs/restreefs/option_help.h"
#include "program/command_line/flags.h"
#include "program/command_line/go_values.h"
#include "program/named_option.h"

namespace restree {
namespace {

using Option = NamedOption<RestreefsOptions>;
using Table = OptionTable<RestreefsOptions>;

// The largest limit, in KiB a second.
constexpr std::uint64_t kMostKib = std::uint64_t{1} << 40;

template <class Take>
Option flag(std::string_view name, Take take) {
  return flag_option<RestreefsOptions>(name, take);
}

template <class Member>
Option text(std::string_view name, Member member) {
  return text_option<RestreefsOptions>(name, member);
}

template <class Take>
Option number(std::string_view name, std::uint64_t least, std::uint64_t most, Take take,
              int base = 10) {
  return number_option<RestreefsOptions>(name, least, most, take, base);
}

// A flag that mount(2) or fusermount3 understands.
Option kernel_flag(std::string_view name) {
  return flag(name, [name](RestreefsOptions& options) { options.kernel.emplace_back(name); });
}

// Words that mount(8), fstab and systemd put there for themselves.
Option for_others(std::string_view name, bool takes_value = false) {
  return {name, takes_value, [](const std::string&, RestreefsOptions&) -> Status { return {}; }};
}

Status take_memory(const std::string& value, RestreefsOptions& options) {
  constexpr std::size_t kLeast = 16 << 20;  // two blobs of the largest size
  ASSIGN_OR_RETURN(options.mount.memory_bytes, parse_memory_size("memory", value));
  if (options.mount.memory_bytes < kLeast)
    return bad_value("memory", value, "must be at least 16M");
  return {};
}

Status take_time_template(const std::string& value, RestreefsOptions& options) {
  if (!format_time({}, value)) return bad_value("time_template", value, "gives an empty name");
  options.mount.names.time_template = value;
  return {};
}

Status take_path_template(const std::string& value, RestreefsOptions& options) {
  const Result<PathTemplate> parsed = PathTemplate::parse(value);
  if (!parsed) return bad_value("path_template", value, parsed.error().message());
  options.mount.names.path_templates.push_back(*parsed);
  return {};
}

Status take_tags(const std::string& value, RestreefsOptions& options) {
  options.mount.names.filter.tag_lists.push_back(split_tags(value));
  return {};
}

Status take_path(const std::string& value, RestreefsOptions& options) {
  if (!value.starts_with('/')) return bad_value("path", value, "must be absolute");
  options.mount.names.filter.paths.push_back(value);
  return {};
}

Status take_as_of(const std::string& value, RestreefsOptions& options) {
  const Result<AsOf> as_of = AsOf::parse(value);
  if (!as_of) return bad_value("as_of", value, "must be a time such as 2006-01-02 15:04");
  options.as_of = *as_of;
  return {};
}

Status take_index(const std::string& value, RestreefsOptions& options) {
  if (value != "files" && value != "packs") {
    return bad_value("index", value, "must be files or packs");
  }
  options.index_from_packs = value == "packs";
  return {};
}

Table repository_options() {
  return {
      text(
          "password_file", [](auto& o) -> auto& { return o.access.password_file; }),
      text(
          "password_command", [](auto& o) -> auto& { return o.access.password_command; }),
      text(
          "repository_file", [](auto& o) -> auto& { return o.access.repository_file; }),
      text(
          "key_hint", [](auto& o) -> auto& { return o.access.key_hint; }),
      text(
          "rescue_key", [](auto& o) -> auto& { return o.access.rescue_key; }),
      flag("insecure_no_password", [](RestreefsOptions& o) { o.access.no_password = true; }),
      text(
          "second", [](auto& o) -> auto& { return o.second.location; }),
      text(
          "second_password_file", [](auto& o) -> auto& { return o.second.password_file; }),
      text(
          "second_password_command", [](auto& o) -> auto& { return o.second.password_command; }),
      text(
          "second_key_hint", [](auto& o) -> auto& { return o.second.key_hint; }),
      flag("second_insecure_no_password", [](RestreefsOptions& o) { o.second.no_password = true; }),
      {"index", true, take_index},
      flag("lock", [](RestreefsOptions& o) { o.lock = true; }),
      number("retry_lock", 1, 86'400,
             [](RestreefsOptions& o, std::uint64_t v) { o.retry_lock = std::chrono::seconds(v); }),
      number("limit_upload", 1, kMostKib,
             [](RestreefsOptions& o, std::uint64_t v) { o.upload_limit = v << 10; }),
      number("limit_download", 1, kMostKib,
             [](RestreefsOptions& o, std::uint64_t v) { o.download_limit = v << 10; }),
  };
}

Table view_options() {
  return {
      {"host", true,
       [](const std::string& value, RestreefsOptions& o) -> Status {
         o.mount.names.filter.hosts.push_back(value);
         return {};
       }},
      {"tag", true, take_tags},
      {"path", true, take_path},
      {"path_template", true, take_path_template},
      {"time_template", true, take_time_template},
      {"as_of", true, take_as_of},
      number("refresh", 1, 86'400,
             [](RestreefsOptions& o, std::uint64_t v) { o.refresh = std::chrono::seconds(v); }),
      number("uid", 0, UINT32_MAX - 1,
             [](RestreefsOptions& o, std::uint64_t v) {
               o.mount.ownership.uid = static_cast<uid_t>(v);
             }),
      number("gid", 0, UINT32_MAX - 1,
             [](RestreefsOptions& o, std::uint64_t v) {
               o.mount.ownership.gid = static_cast<gid_t>(v);
             }),
      number(
          "umask", 0, 07777,
          [](RestreefsOptions& o, std::uint64_t v) {
            o.mount.ownership.umask = static_cast<mode_t>(v);
          },
          8),
      {"memory", true, take_memory},
      number("timeout", 1, 3600,
             [](RestreefsOptions& o, std::uint64_t v) {
               o.mount.time_limit = std::chrono::seconds(v);
             }),
      text(
          "log_file", [](auto& o) -> auto& { return o.log_file; }),
      flag("announce", [](RestreefsOptions& o) { o.announce = true; }),
      flag("debug", [](RestreefsOptions& o) { o.debug = o.foreground = true; }),
  };
}

Table ssh_options() {
  Table options;
  for (const auto& option : ssh_option_table()) {
    options.push_back(option_within<RestreefsOptions>(
        option, [](RestreefsOptions& o) -> SshSettings& { return o.ssh; }));
  }
  return options;
}

Table cache_options() {
  Table options = {
      text(
          "cache_dir", [](auto& o) -> auto& { return o.cache.folder; }),
      flag("no_cache", [](RestreefsOptions& o) { o.cache.off = true; }),
      {"warm", true,
       [](const std::string& value, RestreefsOptions& o) -> Status {
         if (value.empty()) return bad_value("warm", value, "must be APP or APP:SNAPSHOT");
         o.warm.push_back(value);
         return {};
       }},
  };
  for (const auto& option : cache_limit_options()) {
    options.push_back(option_within<RestreefsOptions>(
        option, [](RestreefsOptions& o) -> CacheSettings& { return o.cache; }));
  }
  return options;
}

Table mount_options() {
  Table options;
  for (const std::string_view name :
       {"allow_other", "allow_root", "default_permissions", "nosuid", "nodev", "suid", "dev",
        "noexec", "exec", "dirsync", "sync", "async", "noatime", "atime"}) {
    options.push_back(kernel_flag(name));
  }
  options.push_back(flag("no_default_permissions", [](RestreefsOptions& o) {
    o.kernel.emplace_back("no_default_permissions");
  }));
  for (const std::string_view name :
       {"ro",       "rw",         "auto",        "noauto",        "defaults", "user",
        "nouser",   "users",      "owner",       "group",         "_netdev",  "nofail",
        "relatime", "norelatime", "strictatime", "nostrictatime", "diratime", "nodiratime",
        "lazytime", "nolazytime", "mand",        "nomand",        "silent",   "loud"}) {
    options.push_back(for_others(name));
  }
  options.push_back(text(
      "fsname", [](auto& o) -> auto& { return o.source_name; }));
  for (const std::string_view name : {"comment", "helper", "uhelper", "subtype"}) {
    options.push_back(for_others(name, true));
  }
  return options;
}

const Table& all_options() {
  static const Table options = [] {
    Table all;
    for (auto group :
         {repository_options(), view_options(), cache_options(), ssh_options(), mount_options()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return options;
}

bool is_for_userspace(std::string_view name) {
  return name.starts_with("x-") || name.starts_with("X-");
}

Status apply_word(const std::string& word, RestreefsOptions& options) {
  const Option* option = find_option(all_options(), word);
  if (option == nullptr) {
    const std::string name = word.substr(0, word.find('='));
    if (is_for_userspace(name)) return {};
    return Error(ErrorKind::kInvalid, fmt::format("unknown option {}", name))
        .hinting("restreefs(8) lists the options.");
  }
  // mount(8) passes `user` on as `user=NAME`.
  if (option->name == "user") return {};
  return apply_option(*option, word, options);
}

std::vector<std::string> split_option_list(const std::string& list) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool escapes =
        list[i] == '\\' && i + 1 < list.size() && (list[i + 1] == ',' || list[i + 1] == '\\');
    if (escapes) {
      words.back() += list[++i];
    } else if (list[i] == ',') {
      words.emplace_back();
    } else {
      words.back() += list[i];
    }
  }
  return words;
}

// mount(8) begins a list with ro or rw, and its helper for FUSE ends it with `dev,suid` unless the
// list has their opposites. That is the helper's default and not the user's wish: a user who wants
// it has written it in fstab, so that the word is there twice.
std::string_view without_helper_defaults(std::string_view list) {
  if (!list.starts_with("ro,") && !list.starts_with("rw,")) return list;
  for (const std::string_view added : {",suid", ",dev"}) {
    if (list.ends_with(added)) list.remove_suffix(added.size());
  }
  return list;
}

// Leaves in `kernel` the options for the kernel: safe defaults, and of two opposites the last.
void settle_kernel_options(RestreefsOptions& options) {
  std::vector<std::string> told;
  const auto drop = [&](std::string_view name) { std::erase(told, name); };
  told.emplace_back("nosuid");
  told.emplace_back("nodev");
  bool enforce = true;
  for (const std::string& name : options.kernel) {
    if (name == "no_default_permissions") {
      enforce = false;
      drop("default_permissions");
      continue;
    }
    const std::string opposite = name.starts_with("no") ? name.substr(2) : "no" + name;
    drop(opposite);
    drop(name);
    // "suid" and "dev" must be passed on: without them libfuse mounts with nosuid and nodev.
    const bool is_default = name == "exec" || name == "atime" || name == "async";
    if (!is_default) told.push_back(name);
  }
  const auto has = [&](std::string_view name) {
    return std::find(told.begin(), told.end(), name) != told.end();
  };
  // Other users may come in: then the recorded owners and modes decide who may read what.
  if (has("allow_other") && enforce && !has("default_permissions")) {
    told.emplace_back("default_permissions");
  }
  told.emplace_back("ro");
  options.kernel = std::move(told);
}

// What the words of the command line say beside the options after -o.
struct CommandLineWords {
  std::vector<std::string> lists;
  bool help = false;
  bool version = false;
};

Flag switch_for(char letter, std::string name, bool& value) {
  return {.letter = letter,
          .name = std::move(name),
          .bare_value = "true",
          .set = [&value](const std::string& text) -> Status {
            ASSIGN_OR_RETURN(value, parse_go_bool(text));
            return {};
          }};
}

Flags declared_flags(CommandLineWords& words, RestreefsOptions& options) {
  Flags flags;
  flags.add({.letter = 'o',
             .name = "",
             .value_word = "LIST",
             .is_list = true,
             .set = [&words](const std::string& list) -> Status {
               words.lists.push_back(list);
               return {};
             }});
  flags.add(switch_for('f', "", options.foreground));
  flags.add(switch_for('d', "debug", options.debug));
  flags.add(switch_for('\0', "insecure-no-password", options.access.no_password));
  flags.add(switch_for('h', "help", words.help));
  flags.add(switch_for('V', "version", words.version));
  return flags;
}

}  // namespace

Status apply_option_list(const std::string& list, RestreefsOptions& options) {
  for (const std::string& word : split_option_list(list)) {
    if (word.empty()) continue;
    RETURN_IF_ERROR(apply_word(word, options));
  }
  return {};
}

std::vector<std::string> known_option_names() {
  std::vector<std::string> names;
  for (const Option& option : all_options()) names.emplace_back(option.name);
  return names;
}

Result<ParsedCommandLine> parse_command_line(int argc, const char* const* argv) {
  ParsedCommandLine parsed;
  RestreefsOptions& options = parsed.options;
  CommandLineWords words;
  const Flags flags = declared_flags(words, options);
  const Result<ParsedWords> found = flags.parse(std::vector<std::string>(argv + 1, argv + argc));
  if (!found) return Error(found.error()).hinting("restreefs --help shows the usage.");
  if (words.help) {
    parsed.text = help_text();
    return parsed;
  }
  if (words.version) {
    parsed.text = "restreefs " RESTREE_VERSION "\n";
    return parsed;
  }
  for (const std::string& list : words.lists) {
    RETURN_IF_ERROR(apply_option_list(std::string(without_helper_defaults(list)), options));
  }
  settle_kernel_options(options);
  if (options.debug) options.foreground = true;
  const std::vector<std::string>& places = found->arguments;
  if (places.empty() || places.size() > 2) {
    return Error(ErrorKind::kInvalid,
                 places.empty() ? "no mount point is given" : "more than two arguments are given")
        .hinting("restreefs REPOSITORY MOUNTPOINT; restreefs --help shows the rest.");
  }
  options.mount_point = places.back();
  if (places.size() == 2) options.access.location = places.front();
  return parsed;
}

}  // namespace restree
