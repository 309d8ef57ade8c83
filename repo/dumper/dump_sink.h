// Where the content of a dump goes, item by item.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/tree.h"

namespace restree {

// Takes the next bytes of a stream.
using ByteOutput = std::function<Status(ByteView)>;

// Calls come in the order of the stream, from one thread.
class DumpSink {
 public:
  virtual ~DumpSink() = default;
  // Whether the stream has a form for nodes of this type. Others are not passed to begin().
  virtual bool holds(NodeType type) const {
    return type == NodeType::kFile || type == NodeType::kDirectory || type == NodeType::kSymlink;
  }
  // A file of `size` bytes, which data() then brings, or a node of another type. `path` has no slash
  // at its beginning.
  virtual Status begin(const std::string& path, const Node& node, std::uint64_t size) = 0;
  virtual Status data(ByteView bytes) = 0;
  // After the last item: what an archive needs at its end.
  virtual Status finish() { return {}; }
};

}  // namespace restree
