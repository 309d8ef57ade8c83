// A tree blob, written byte for byte as restic 0.19 writes it.
//
// Every backup of the same folder must give the same bytes, or the tree has another id. So the
// order of fields, which fields are left out, escapes, and times in the zone of the process all
// count.
//
// Ownership: the zone must outlive the writer; a node's views need to live for append() only.
// Threads:   one at a time; a writer each.
// Limits:    holds the blob that grows, some 400 bytes a node.
// Format:    {"nodes":[…]} and a newline; see tree.h for what a node is.
#pragma once

#include <cstddef>
#include <string>

#include "repo/base/result.h"
#include "repo/format/tree.h"
#include "repo/system/time_zone.h"

namespace restree {

class TreeWriter {
 public:
  explicit TreeWriter(const TimeZone& zone = TimeZone::local());

  // kInvalid, and nothing is appended: the name does not come after the one before it.
  Status append(const Node& node);

  // Bytes so far, for callers that bound their memory.
  std::size_t size_bytes() const { return json_.size(); }

  // The blob. The writer is then as it was when made, its memory gone with the blob.
  std::string finish();

 private:
  void begin();
  void append_name(std::string_view name);
  void append_times(const Node& node);
  void append_links(const Node& node);
  void append_xattrs(const Node& node);
  void append_content(const Node& node);
  void append_text_field(std::string_view key, std::string_view value);
  void append_number_field(std::string_view key, std::uint64_t value);

  const TimeZone* zone_;
  std::string json_;
  std::string last_name_;
  std::string quoted_;  // reused from name to name
};

}  // namespace restree
