// The small files of a repository as its cache holds them: a Storage to read them from while the
// repository's own cannot be reached.
//
// Only undamaged files are shown: a listing reads every file of the type, and leaves out each one
// whose hash is not its name.
//
// Ownership: the cache must outlive it. Threads: any. Limits: one file in memory at a time.
// Errors:    kNotFound: the cache does not have the file, or only a damaged one. kUnsupported:
//            packs, and all changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "repo/repository_cache.h"
#include "repo/storage/storage.h"

namespace restree {

class CachedFiles final : public Storage {
 public:
  // `of`: the description() of the storage that the files come from.
  CachedFiles(RepositoryCache& cache, const std::string& of)
      : cache_(cache), description_("the cache of " + of) {}

  Status reach(Deadline /*by*/) override { return {}; }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    ASSIGN_OR_RETURN(buffer, read(file, range, by));
    return buffer.view();
  }
  void expect(const FileName& /*file*/, ByteRange /*range*/) override {}
  ReadHabit read_habit() const override { return {}; }
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status make_folders(Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;
  std::string description() const override { return description_; }

 private:
  Error refusal() const;

  RepositoryCache& cache_;
  const std::string description_;
};

}  // namespace restree
