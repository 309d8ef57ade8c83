// A Storage that keeps a copy of what it removes: for repairs, which may err.
//
// Packs, index files and snapshots are first written to a second storage, under the same names; a file
// of that name there is replaced. Whatever fails, the file is in one of both places. Keys and locks
// are only removed: a key that was taken away must not open anything any more.
//
// Ownership: shares both storages. Threads: any.
// Limits:    memory: the file that is removed. Where the disk cannot read it, the copy has zeros.
// Errors:    of remove(): those of reading the file and of writing its copy. It is not removed then.
#pragma once

#include <memory>

#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class QuarantineStorage final : public ForwardingStorage {
 public:
  // `kept` gets the copies; its folders are made when they are needed.
  QuarantineStorage(std::shared_ptr<Storage> inner, std::shared_ptr<Storage> kept)
      : ForwardingStorage(std::move(inner)), kept_(std::move(kept)) {}

  Status remove(const FileName& file, Deadline by) override;

 private:
  Result<Bytes> read_whole(const FileName& file, Deadline by);
  Status keep(const FileName& file, ByteView content, Deadline by);

  const std::shared_ptr<Storage> kept_;
};

// Where the files of a repository at this location are kept inside of it, as a location of its own.
// Other programs do not look into a folder of that name.
std::string quarantine_inside(const std::string& location);

}  // namespace restree
