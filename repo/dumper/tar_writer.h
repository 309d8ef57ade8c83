// Writes what is dumped as a tar archive.
//
// Ownership: the output outlives it.
// Threads:   one.
// Errors:    those of the output.
// Format:    POSIX pax. Extended attributes are SCHILY.xattr.NAME, ACLs SCHILY.acl.access and
//            SCHILY.acl.default in text, as star, GNU tar and restic have them. What fits into the
//            old header of ustar gets no pax record, except for times: those are exact.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "repo/dumper/dump_sink.h"

namespace restree {

class TarWriter final : public DumpSink {
 public:
  explicit TarWriter(ByteOutput output) : output_(std::move(output)) {}

  bool holds(NodeType type) const override;
  Status begin(const std::string& path, const Node& node, std::uint64_t size) override;
  Status data(ByteView bytes) override;
  Status finish() override;

 private:
  Status write(std::string_view text) { return output_(as_bytes(text)); }
  // Fills up the last block of the item before.
  Status pad();

  const ByteOutput output_;
  std::size_t in_block_ = 0;  // of the bytes of the item, modulo the size of a block
};

}  // namespace restree
