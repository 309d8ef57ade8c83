#include "repo/archiver/targets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "repo/archiver/source_folder.h"
#include "repo/base/path.h"
#include "repo/base/restic_words.h"

namespace restree {
namespace {

// A level of the tree while targets are still being added.
struct Level {
  std::map<std::string, Level> below;
  std::string target;  // the target saved here; empty for a level above one
  bool is_explicit = false;
  std::string metadata_path;  // the folder whose attributes a level above a target gets
  std::string root;           // for a top level: the folder in which its name lies
};

struct Target {
  std::string path;
  bool is_explicit;
};

// As Go's filepath.Join.
std::string joined(std::string_view folder, std::string_view name) {
  return clean_path(join_path(folder, name));
}

// The levels that a target adds to the tree; empty for "/", "." and "../..".
std::vector<std::string> levels_of(std::string_view target) {
  std::string rest = clean_path(joined("/", target));
  std::vector<std::string> levels;
  for (; rest != "/"; rest = parent_path(rest)) levels.emplace_back(base_name(rest));
  std::reverse(levels.begin(), levels.end());
  return levels;
}

// The folder in which the first of these levels lies: "/", ".", "..", "../..".
std::string root_of(std::string_view target) {
  if (target.starts_with('/')) return "/";
  std::string root = ".";
  const std::string cleaned = clean_path(target);
  for (std::string_view rest = cleaned; rest == ".." || rest.starts_with("../");
       rest.remove_prefix(std::min<std::size_t>(rest.size(), 3))) {
    root = joined(root, "..");
  }
  return root;
}

void add_below(Level& level, const Target& target, const std::string& folder,
               std::span<const std::string> levels) {
  Level& next = level.below[levels.front()];
  if (levels.size() == 1) {
    next.target = target.path;
    next.is_explicit = target.is_explicit;
    return;
  }
  next.metadata_path = joined(folder, levels.front());
  add_below(next, target, next.metadata_path, levels.subspan(1));
}

// A top level belongs to one folder. If a target from another folder has the same name, a number is
// added to it.
Level& top_level(Level& tree, const std::string& name, const std::string& root) {
  std::string tried = name;
  for (int number = 1;; ++number) {
    Level& level = tree.below[tried];
    if (level.root.empty()) level.root = root;
    if (level.root == root) return level;
    tried = fmt::format("{}-{}", name, number);
  }
}

void add(Level& tree, const Target& target) {
  const std::vector<std::string> levels = levels_of(target.path);
  const std::string root = root_of(target.path);
  Level& top = top_level(tree, levels.front(), root);
  if (levels.size() == 1) {
    top.target = target.path;
    top.is_explicit = target.is_explicit;
    return;
  }
  top.metadata_path = joined(root, levels.front());
  add_below(top, target, top.metadata_path, std::span(levels).subspan(1));
}

// Replaces targets that add no level to the tree by their entries.
Result<std::vector<Target>> resolved(const std::vector<std::string>& targets,
                                     const TargetLister& lister) {
  std::vector<Target> result;
  for (const std::string& given : targets) {
    const std::string target = clean_path(given);
    if (!levels_of(target).empty()) {
      result.push_back({target, true});
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, lister.names_in(target));
    for (const std::string& name : names) result.push_back({joined(target, name), false});
  }
  return result;
}

// A target within which others lie becomes a level, with its other entries as targets.
Status unroll(Level& level, const TargetLister& lister) {
  if (!level.target.empty() && !level.below.empty()) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, lister.names_in(level.target));
    for (const std::string& name : names) {
      Level& entry = level.below[name];
      if (entry.target.empty()) entry.target = joined(level.target, name);
    }
    level.target.clear();
  }
  for (auto& [name, below] : level.below) RETURN_IF_ERROR(unroll(below, lister));
  return {};
}

TargetNode node_of(const std::string& name, const Level& level, const std::string& folder) {
  TargetNode node;
  node.name = name;
  node.is_target = !level.target.empty();
  node.is_explicit = !node.is_target || level.is_explicit;
  node.source_path = node.is_target ? level.target : level.metadata_path;
  if (!node.source_path.empty()) node.absolute_path = absolute_path(node.source_path, folder);
  for (const auto& [child_name, child] : level.below) {
    node.children.push_back(node_of(child_name, child, folder));
  }
  return node;
}

}  // namespace

ExistingTargets existing_targets(const std::vector<std::string>& targets) {
  ExistingTargets existing;
  for (const std::string& target : targets) {
    struct stat attributes {};
    if (::lstat(target.c_str(), &attributes) == 0) {
      existing.targets.push_back(target);
    } else {
      const Error reason = errno_error(errno, target);
      existing.missing.emplace_back(reason.kind(),
                                    reason.kind() == ErrorKind::kNotFound
                                        ? fmt::format(restic_words::kSourceMissing.text, target)
                                        : reason.message() + ": cannot be accessed, skipping");
    }
  }
  return existing;
}

std::vector<std::string> snapshot_paths(const std::vector<std::string>& targets,
                                        const std::string& working_folder) {
  std::vector<std::string> paths;
  paths.reserve(targets.size());
  for (const std::string& target : targets) {
    paths.push_back(absolute_path(target, working_folder));
  }
  return paths;
}

Result<std::vector<std::string>> FolderLister::names_in(const std::string& path) const {
  const std::string absolute = absolute_path(path, working_folder_);
  // With a trailing slash, a symbolic link to the folder is followed.
  ASSIGN_OR_RETURN(const UniqueFd folder, open_source_folder({AT_FDCWD, path + "/"}, absolute));
  ASSIGN_OR_RETURN(std::vector<std::string> names, names_in_folder(folder, absolute));
  filter_.thin_out(folder, absolute, names);
  return names;
}

Result<TargetNode> plan_targets(const std::vector<std::string>& targets,
                                const std::string& working_folder, const TargetLister& lister) {
  ASSIGN_OR_RETURN(const std::vector<Target> all, resolved(targets, lister));
  Level tree;
  std::set<std::string> seen;
  for (const Target& target : all) {
    if (seen.insert(target.path).second) add(tree, target);
  }
  RETURN_IF_ERROR(unroll(tree, lister));
  return node_of("", tree, working_folder);
}

}  // namespace restree
