// Snapshots made of a few fields, and a namespace built of them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fs/namespace.h"
#include "repo/crypto/sha256.h"

namespace restree::testing {

struct Fields {
  std::string time = "2026-09-01T03:00:05Z";
  std::vector<std::string> tags = {};
  std::vector<std::string> paths = {"/srv/gitea"};
  std::string hostname = "nas";
  std::string id = "";  // tells snapshots with otherwise equal fields apart
};

inline std::shared_ptr<const Snapshot> snapshot(const Fields& fields) {
  Snapshot made;
  std::string all = fields.time + fields.hostname + fields.id;
  for (const auto& word : fields.tags) all += "," + word;
  for (const auto& word : fields.paths) all += ":" + word;
  made.id.bytes = sha256(as_bytes(all));
  made.time = *parse_timestamp(fields.time);
  made.tags = fields.tags;
  made.paths = fields.paths;
  made.hostname = fields.hostname;
  return std::make_shared<const Snapshot>(std::move(made));
}

using Snapshots = std::vector<std::shared_ptr<const Snapshot>>;

// A namespace and ways to look at it.
struct Space {
  explicit Space(const Snapshots& snapshots, const NamespaceOptions& options = {},
                 const std::string& now = "2027-01-01T00:00:00Z")
      : space(Namespace::build(snapshots, options, *parse_timestamp(now))) {}

  // nullptr if there is no such path.
  const VirtualNode* at(const std::vector<std::string>& path) const {
    const VirtualNode* node = &space->root();
    for (const std::string& name : path) {
      if (node != nullptr) node = space->child(*node, name);
    }
    return node;
  }
  std::vector<std::string> names(const std::vector<std::string>& path) const {
    std::vector<std::string> names;
    if (const VirtualNode* node = at(path)) {
      for (const auto& [name, inode] : node->children) names.push_back(name);
    }
    return names;
  }
  std::string link(const std::vector<std::string>& path) const {
    const VirtualNode* node = at(path);
    return node == nullptr ? "nothing there" : node->target;
  }

  std::shared_ptr<const Namespace> space;
};

}  // namespace restree::testing
