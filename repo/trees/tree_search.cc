#include "repo/trees/tree_search.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <utility>

#include "repo/format/index_file.h"
#include "repo/trees/tree_walk.h"

namespace restree {
namespace {

// For TreeVisitor::unreadable; empty if `report` is.
std::function<Status(const BlobId&, const Error&)> going_on(const OnUnreadableTree& report) {
  if (!report) return {};
  return [&report](const BlobId& tree, const Error& why) {
    report(tree, why);
    return Status();
  };
}

}  // namespace

Status search_entries(TreesAhead& trees, const BlobId& root, const WantedEntries& wanted,
                      const EntryListener& listener) {
  const PathPatterns& patterns = wanted.patterns;
  const auto look = [&](const BlobId&, const std::string& path,
                        const Node& node) -> Result<Descend> {
    if (patterns.any_matches(path) && wanted.modified.has(node.mtime)) {
      listener.match(path, node);
      return Descend::kYes;
    }
    return patterns.any_may_match_below(path) ? Descend::kYes : Descend::kNo;
  };
  const auto expects = [&](const std::string& path, const Node&) {
    return patterns.any_may_match_below(path) || patterns.any_matches(path);
  };
  return walk_tree(trees, root,
                   {.node = look, .expects = expects, .unreadable = going_on(listener.unreadable)});
}

Result<WantedObjects> objects_in_packs(Repository& repository, const WantedIds& packs,
                                       Deadline::Clock::duration patience) {
  WantedObjects wanted;
  std::set<std::string> missing = packs.words();
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kIndex, Deadline::after(patience)));
  for (const ListedFile& file : files) {
    ASSIGN_OR_RETURN(const Bytes json, repository.load_unpacked({FileType::kIndex, file.name},
                                                                Deadline::after(patience)));
    RETURN_IF_ERROR(parse_index_file(json, [&](const PackId& pack, auto blobs) {
      if (!packs.has(pack)) return;
      missing.erase(pack.hex());
      missing.erase(pack.short_hex());
      for (const IndexedBlob& blob : blobs) {
        (blob.type == BlobType::kData ? wanted.blobs : wanted.trees).add(blob.id.hex());
      }
    }));
  }
  if (missing.empty()) return wanted;
  return Error(ErrorKind::kInvalid,
               fmt::format("unable to find pack(s): [{}]", fmt::join(missing, " ")));
}

ObjectSearch::ObjectSearch(WantedObjects wanted, ObjectListener listener)
    : wanted_(std::move(wanted)), listener_(std::move(listener)) {}

Status ObjectSearch::search(TreesAhead& trees, const BlobId& root) {
  stopped_ = false;
  look_at_tree(root, "/");
  const auto look = [this](const BlobId& parent, const std::string& path,
                           const Node& node) -> Result<Descend> {
    if (stopped_) return Descend::kNo;
    look_at_node(parent, path, node);
    return Descend::kYes;
  };
  return walk_tree(trees, root, {.node = look, .unreadable = going_on(listener_.unreadable)});
}

void ObjectSearch::look_at_node(const BlobId& parent, const std::string& path, const Node& node) {
  if (node.type == NodeType::kDirectory && node.subtree) look_at_tree(*node.subtree, path);
  for (const BlobId& id : node.content) {
    if (wanted_.blobs.has(id)) listener_.blob(id, path, parent);
  }
}

void ObjectSearch::look_at_tree(const BlobId& id, const std::string& path) {
  if (stopped_ || !wanted_.trees.has(id)) return;
  listener_.tree(id, path);
  ++trees_found_;
  stopped_ = wanted_.blobs.empty() && trees_found_ >= wanted_.trees.size();
}

}  // namespace restree
