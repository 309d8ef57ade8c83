// Searches trees: for entries by patterns and time, or for blobs and trees by their ids.
//
// Threads: one; the listeners are called by the calling thread.
// Errors:  kCancelled: a stop was requested. kCorrupt: a tree is damaged or missing, and the
//          listener has no `unreadable`. Others: those of Repository::load.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/format/tree.h"
#include "repo/pattern/path_pattern.h"
#include "repo/repository.h"
#include "repo/text/timestamp.h"
#include "repo/trees/trees_ahead.h"

namespace restree {

// Called for a tree that cannot be read, which is then left out.
using OnUnreadableTree = std::function<void(const BlobId& tree, const Error& why)>;

// Both ends belong to the span.
struct TimeSpan {
  std::optional<Timestamp> oldest = {};
  std::optional<Timestamp> newest = {};

  bool has(Timestamp time) const {
    return (!oldest || time >= *oldest) && (!newest || time <= *newest);
  }
};

struct WantedEntries {
  PathPatterns patterns;
  TimeSpan modified = {};
};

struct EntryListener {
  std::function<void(const std::string& path, const Node& node)> match;
  OnUnreadableTree unreadable = {};
};

// Reports, in the order of names, each entry below `root` that any pattern matches and that was
// modified in the time span. Loads only trees below which something may match.
Status search_entries(TreesAhead& trees, const BlobId& root, const WantedEntries& wanted,
                      const EntryListener& listener);

// Ids to look for, each given in full or by its first eight digits.
class WantedIds {
 public:
  WantedIds() = default;
  explicit WantedIds(const std::vector<std::string>& words) : words_(words.begin(), words.end()) {}

  bool empty() const { return words_.empty(); }
  std::size_t size() const { return words_.size(); }
  void add(const std::string& hex) { words_.insert(hex); }
  template <class Tag>
  bool has(const Id<Tag>& id) const {
    return words_.contains(id.hex()) || words_.contains(id.short_hex());
  }
  const std::set<std::string>& words() const { return words_; }

 private:
  std::set<std::string> words_;
};

struct WantedObjects {
  WantedIds blobs = {};  // of data
  WantedIds trees = {};
};

// All blobs that the index has in these packs. kInvalid: the index does not name one of the packs.
// Each request to the storage gets the whole `patience`.
Result<WantedObjects> objects_in_packs(Repository& repository, const WantedIds& packs,
                                       Deadline::Clock::duration patience);

struct ObjectListener {
  // Called for each file with a wanted blob, as often as the file has it; `parent` is the tree that
  // contains the file.
  std::function<void(const BlobId& id, const std::string& path, const BlobId& parent)> blob;
  // Called for each folder whose tree is wanted; the root's path is "/".
  std::function<void(const BlobId& id, const std::string& path)> tree;
  OnUnreadableTree unreadable = {};
};

// One search for ids in many snapshots. As in restic: if only trees are wanted, the search in a
// snapshot ends once as many trees were found, in all snapshots, as there are ids; in later
// snapshots it ends at the first tree.
class ObjectSearch {
 public:
  ObjectSearch(WantedObjects wanted, ObjectListener listener);

  // Reports what is wanted in the tree `root` and below it.
  Status search(TreesAhead& trees, const BlobId& root);

  const WantedObjects& wanted() const { return wanted_; }

 private:
  void look_at_node(const BlobId& parent, const std::string& path, const Node& node);
  void look_at_tree(const BlobId& id, const std::string& path);

  const WantedObjects wanted_;
  const ObjectListener listener_;
  std::size_t trees_found_ = 0;
  bool stopped_ = false;  // the search in the current snapshot has ended
};

}  // namespace restree
