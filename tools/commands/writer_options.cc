#include "tools/commands/writer_options.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "repo/base/bytes.h"

namespace restree {
namespace {

constexpr std::size_t kLocalUploads = 2;
constexpr std::size_t kRemoteUploads = 3;

}  // namespace

RepositoryWriter::Options writer_options(const Session& session, std::vector<PackId> lost_packs) {
  const GlobalOptions& global = session.options();
  RepositoryWriter::Options writer;
  writer.compression = parse_compression(global.compression).value_or(Compression::kAuto);
  if (global.pack_size_bytes != 0) writer.pack_bytes = memory_size(global.pack_size_bytes);
  writer.uploads = session.is_far()
                       ? std::min<std::size_t>(kRemoteUploads, global.ssh.options.connections)
                       : kLocalUploads;
  writer.lost_packs = std::move(lost_packs);
  writer.patience = global.patience;
  return writer;
}

}  // namespace restree
