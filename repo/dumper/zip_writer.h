// Writes what is dumped as a zip archive: the only room that uses libarchive.
//
// Ownership: libarchive's writer; the output outlives it.
// Threads:   one.
// Errors:    those of the output; kLocalIo from libarchive.
// Format:    zip, files deflated, names in UTF-8. Owners and extended attributes are not kept.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "repo/dumper/dump_sink.h"

struct archive;

namespace restree {

class ZipWriter final : public DumpSink {
 public:
  static Result<std::unique_ptr<ZipWriter>> open(ByteOutput output);
  ~ZipWriter() override;

  Status begin(const std::string& path, const Node& node, std::uint64_t size) override;
  Status data(ByteView bytes) override;
  Status finish() override;

 private:
  struct Free {
    void operator()(struct archive* writer) const;
  };
  struct State;
  explicit ZipWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace restree
