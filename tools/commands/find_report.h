// Prints the results of `restree find`: matches by snapshot, or objects; as text or as one JSON
// array.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "repo/format/snapshot.h"
#include "repo/format/tree.h"
#include "tools/commands/node_text.h"
#include "tools/output/io.h"
#include "tools/output/output.h"

namespace restree {

// Threads: one.
class FindReport {
 public:
  struct Style {
    bool long_lines = false;
    Sizes sizes = Sizes::kBytes;
  };
  FindReport(const Output& output, Style style)
      : output_(output), io_(output.io()), style_(style) {}

  // The following calls are about this snapshot; it must live until the next begin() or finish().
  void begin(const Snapshot& snapshot) { snapshot_ = &snapshot; }
  void match(const std::string& path, const Node& node);
  // `kind`: "blob" or "tree"; for a blob, `parent` is the tree that contains its file.
  void object(std::string_view kind, const BlobId& id, const std::string& path,
              const std::optional<BlobId>& parent);
  // To be called once, at the end.
  void finish();

 private:
  void match_json(const std::string& path, const Node& node);
  void end_group();

  const Output& output_;
  Io& io_;
  const Style style_;
  const Snapshot* snapshot_ = nullptr;
  const Snapshot* shown_ = nullptr;  // the snapshot whose matches are being printed
  bool opened_ = false;              // whether the array was begun
  std::uint64_t hits_ = 0;
};

}  // namespace restree
