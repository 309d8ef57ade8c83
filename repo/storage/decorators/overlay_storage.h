// A Storage whose changes are only pretended: they stay in memory, and whoever reads through it sees
// them. For finding out what a change would lead to.
//
// Locks are written and removed as they are, since others have to see them.
//
// Ownership: shares the storage below, and owns what was written. Threads: any.
// Limits:    memory: every file that was written.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class OverlayStorage final : public ForwardingStorage {
 public:
  explicit OverlayStorage(std::shared_ptr<Storage> inner) : ForwardingStorage(std::move(inner)) {}

  Status make_folders(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;

 private:
  using Content = std::shared_ptr<const std::string>;  // nullptr: the file was removed
  // nullopt: the file below was not changed. kNotFound: it was removed.
  Result<std::optional<Content>> changed(const FileName& file) const;

  Guarded<std::map<FileName, Content>> changes_;
};

}  // namespace restree
