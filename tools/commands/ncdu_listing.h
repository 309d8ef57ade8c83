// A snapshot's files as `ncdu -f -` reads them.
//
// Each function returns the text that comes next. A folder is begun by node() and ended by leave().
// Threads: one. Format: ncdu's JSON export, version 1.2, byte for byte as restic writes it.
#pragma once

#include <cstddef>
#include <string>

#include "repo/format/snapshot.h"
#include "repo/format/tree.h"

namespace restree {

class NcduListing {
 public:
  std::string begin(const Snapshot& snapshot);
  std::string node(const Node& node);
  std::string leave();
  std::string end() const;

 private:
  std::size_t depth_ = 0;
};

}  // namespace restree
