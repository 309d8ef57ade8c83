// restree ls
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "repo/format/node_fields.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/tree_walk.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/ncdu_listing.h"
#include "tools/commands/node_text.h"
#include "tools/commands/second_options.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct LsOptions {
  std::vector<std::string> words;  // snapshot, then folders
  SnapshotOptions selection;
  SecondOptions second;
  IndexOption index;
  bool long_format = false;
  bool recursive = false;
  bool human_readable = false;
  bool reverse = false;
  bool ncdu = false;
  std::string sort = "name";
};

// "/srv" is a prefix of "/srv" and "/srv/f", not of "/srv2".
bool is_path_prefix(std::string_view prefix, std::string_view path) {
  if (prefix == "/") return true;
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// The text printed for a node, and the keys for sorting it.
struct Entry {
  std::string text;
  std::string path;
  std::uint64_t size;
  Timestamp mtime;
  Timestamp atime;
  Timestamp ctime;
};

std::string extension_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  return path.substr(dot);
}

template <class Key>
void sort_by(std::vector<Entry>& entries, Key key) {
  std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
    return std::tuple(key(a), a.path) < std::tuple(key(b), b.path);
  });
}

void sort_entries(std::vector<Entry>& entries, const std::string& mode) {
  if (mode == "size") sort_by(entries, [](const Entry& e) { return e.size; });
  if (mode == "mtime" || mode == "time") sort_by(entries, [](const Entry& e) { return e.mtime; });
  if (mode == "atime") sort_by(entries, [](const Entry& e) { return e.atime; });
  if (mode == "ctime") sort_by(entries, [](const Entry& e) { return e.ctime; });
  if (mode == "extension") sort_by(entries, [](const Entry& e) { return extension_of(e.path); });
}

std::string node_json(const std::string& path, const Node& node) {
  JsonWriter json;
  json.begin_object().key("name").text(node.name).key("type").text(name_of(node.type));
  json.key("path").text(path).key("uid").number(node.uid).key("gid").number(node.gid);
  if (node.type == NodeType::kFile) json.key("size").number(node.size);
  const std::uint32_t mode = go_mode(node);
  if (mode != 0) json.key("mode").number(mode);
  json.key("permissions").text(mode_text(mode));
  append_times(node, json);
  if (node.inode != 0) json.key("inode").number(node.inode);
  json.key("message_type").text("node").key("struct_type").text("node").end_object();
  return json.json();
}

std::string snapshot_json(const Snapshot& snapshot) {
  JsonWriter json;
  json.begin_object();
  append_snapshot_fields(snapshot, json);
  json.key("id").text(snapshot.id.hex()).key("short_id").text(snapshot.id.short_hex());
  json.key("message_type").text("snapshot").key("struct_type").text("snapshot").end_object();
  return json.json();
}

class Lister {
 public:
  Lister(const LsOptions& options, Session& session)
      : options_(options),
        session_(session),
        folders_(options.words.begin() + 1, options.words.end()),
        sorts_(options.sort != "name" || options.reverse) {
    // A trailing slash has no meaning.
    for (std::string& folder : folders_) {
      while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    }
  }

  void begin(const Snapshot& snapshot) {
    if (options_.ncdu) return session_.io().out(ncdu_.begin(snapshot));
    session_.output().json(snapshot_json(snapshot));
    session_.output().say(
        fmt::format("snapshot {} of [{}] at {} by {}@{} filtered by [{}]:", snapshot.id.short_hex(),
                    session_.output().shown(fmt::format("{}", fmt::join(snapshot.paths, " "))),
                    go_time({snapshot.time, snapshot.time_offset_seconds}),
                    session_.output().shown(snapshot.username),
                    session_.output().shown(snapshot.hostname), fmt::join(folders_, " ")));
  }

  Descend visit(const std::string& path, const Node& node) {
    const bool within = any_folder([&](const auto& one) { return is_path_prefix(one, path); });
    const bool descends = goes_into(path);
    if (options_.ncdu) {
      add_to_ncdu(node, within, descends);
    } else if (within) {
      add(path, node);
    }
    return descends ? Descend::kYes : Descend::kNo;
  }

  // The walk leaves a folder into which it went.
  void leave() {
    if (options_.ncdu) session_.io().out(ncdu_.leave());
  }

  bool goes_into(const std::string& path) {
    return any_folder([&](const auto& one) {
      return is_path_prefix(path, one) || (options_.recursive && is_path_prefix(one, path));
    });
  }

  void end() {
    if (options_.ncdu) return session_.io().out(ncdu_.end());
    sort_entries(entries_, options_.sort);
    if (options_.reverse) std::reverse(entries_.begin(), entries_.end());
    for (const Entry& entry : entries_) session_.io().out_line(entry.text);
  }

 private:
  template <class Condition>
  bool any_folder(Condition condition) const {
    return folders_.empty() || std::any_of(folders_.begin(), folders_.end(), condition);
  }

  // Also the folders on the way to those that are named.
  void add_to_ncdu(const Node& node, bool within, bool descends) {
    if (!within && !descends) return;
    session_.io().out(ncdu_.node(node));
    if (node.type == NodeType::kDirectory && !descends) leave();
  }

  void add(const std::string& path, const Node& node) {
    std::string text;
    if (session_.output().is_json()) {
      text = node_json(path, node);
    } else if (options_.long_format) {
      text = long_line(session_.output().shown(path), node,
                       options_.human_readable ? Sizes::kHuman : Sizes::kBytes,
                       session_.output().shown(node.link_target));
    } else {
      text = session_.output().shown(path);
    }
    if (sorts_) {
      entries_.push_back({std::move(text), path, node.size, node.mtime, node.atime, node.ctime});
    } else {
      session_.io().out_line(text);
    }
  }

  const LsOptions& options_;
  Session& session_;
  std::vector<std::string> folders_;
  const bool sorts_;
  std::vector<Entry> entries_;
  NcduListing ncdu_;
};

Status check(const LsOptions& options, bool is_json) {
  if (options.words.empty()) {
    return Error(ErrorKind::kInvalid,
                 "no snapshot ID specified, specify snapshot ID or use special ID 'latest'");
  }
  if (options.ncdu && is_json) {
    return Error(ErrorKind::kInvalid, "only either '--json' or '--ncdu' can be specified");
  }
  if (options.ncdu && (options.sort != "name" || options.reverse)) {
    return Error(ErrorKind::kInvalid, fmt::format("{} and --ncdu are mutually exclusive",
                                                  options.sort != "name" ? "--sort" : "--reverse"));
  }
  const bool all_absolute = std::all_of(options.words.begin() + 1, options.words.end(),
                                        [](const auto& path) { return path.starts_with('/'); });
  if (all_absolute) return {};
  return Error(ErrorKind::kInvalid,
               "All path filters must be absolute, starting with a forward slash '/'");
}

Result<ExitCode> run_ls(const LsOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options, session.output().is_json()));
  RETURN_IF_ERROR(session.use_second(options.second.access));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  ASSIGN_OR_RETURN(SelectedSnapshot selected,
                   select_snapshot(*repository, options.words.front(), options.selection.filter(),
                                   session.patience()));
  ASSIGN_OR_RETURN(selected.snapshot.tree, find_subfolder(*repository, selected.snapshot.tree,
                                                          selected.subfolder, session.patience()));
  Lister lister(options, session);
  lister.begin(selected.snapshot);
  TreesAhead trees(*repository, session.trees_ahead());
  RETURN_IF_ERROR(walk_tree(
      trees, selected.snapshot.tree,
      {.node = [&](const BlobId&, const std::string& path, const Node& node) -> Result<Descend> {
         return lister.visit(path, node);
       },
       .expects = [&](const std::string& path, const Node&) { return lister.goes_into(path); },
       .leave = [&](const std::string&) -> Status {
         lister.leave();
         return {};
       }}));
  lister.end();
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_ls(CommandSyntax& app) {
  const auto options = std::make_shared<LsOptions>();
  add_arguments(app, "snapshot", options->words,
                "The snapshot, or latest, or SNAPSHOT:SUBFOLDER; then folders to list");
  add_snapshot_options(app, options->selection);
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  add_flag(app, "-l,--long", options->long_format, "Mode, owner, size and time of each");
  add_flag(app, "--recursive", options->recursive, "What lies below the named folders, too");
  add_flag(app, "--human-readable", options->human_readable, "Sizes in KiB, MiB, …");
  add_flag(app, "--ncdu", options->ncdu,
           "Write what ncdu reads: restree ls --ncdu latest | ncdu -f -");
  add_flag(app, "--reverse", options->reverse, "In reverse order");
  add_choice(app, "-s,--sort", options->sort, "sort mode",
             {"name", "size", "time", "mtime", "atime", "ctime", "extension"}, "By what to sort");
  return [options](Session& session) { return run_ls(*options, session); };
}

}  // namespace restree
