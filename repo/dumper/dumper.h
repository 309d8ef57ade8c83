// Streams a file, or a folder with all below it, out of a snapshot.
//
// Order:   a folder before its entries, entries by name. What the sink has no form for (sockets; in
//          a zip, FIFOs and devices), and nodes of unknown types, are left out and reported.
// Threads: one calls; blobs are loaded ahead by several.
// Limits:  see dump_queue.h; the trees from the root to where the walk is.
// Errors:  the first one ends the dump, since a stream with a hole in it is of no use: kCorrupt,
//          kUnavailable, kCancelled, and those of the sink.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repo/bulk/bulk_load.h"
#include "repo/dumper/dump_queue.h"
#include "repo/dumper/dump_sink.h"

namespace restree {

class Dumper {
 public:
  // Called with words about each item that is left out, by the thread that dumps.
  using OnLeftOut = std::function<void(const std::string&)>;

  Dumper(Repository& repository, BulkOptions bulk, OnLeftOut on_left_out = {})
      : repository_(repository), bulk_(std::move(bulk)), on_left_out_(std::move(on_left_out)) {}

  // The content of one file. `tree` keeps the node.
  Status dump_file(std::shared_ptr<const Tree> tree, const Node& node, DumpSink& sink);
  // The entries of a folder. `path` is where the folder lies in the snapshot, without a slash at
  // either end; empty: its root.
  Status dump_folder(std::shared_ptr<const Tree> tree, std::string path, DumpSink& sink);

 private:
  struct Level;
  // Of the blobs of a file.
  Result<std::vector<std::uint32_t>> sizes_of(const Node& node, const std::string& path) const;
  // False: the queue takes no more.
  Result<bool> push_file(DumpQueue& queue, const std::shared_ptr<const Tree>& tree,
                         const Node& node, std::string path) const;
  static bool push_refused(DumpQueue& queue, const Tree& tree, const std::string& path);
  // Pushes what is to be written of a node, but nothing below it.
  Result<bool> push_node(DumpQueue& queue, const std::shared_ptr<const Tree>& tree,
                         const Node& node, const std::string& path) const;
  Status walk(DumpQueue& queue, std::shared_ptr<const Tree> tree, std::string path) const;
  Status write_all(DumpQueue& queue, DumpSink& sink) const;
  void tell_left_out(const std::string& words) const;

  Repository& repository_;
  const BulkOptions bulk_;
  const OnLeftOut on_left_out_;
};

}  // namespace restree
