// A repository in memory, for unit tests, which also put damaged files into it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/storage.h"

namespace restree {

class MemoryStorage final : public Storage {
 public:
  Status make_folders(Deadline) override { return {}; }
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
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status join(std::span<const FileRange>, ByteView, const NameJoined&, Deadline) override {
    return cannot_join(description());
  }
  Status remove(const FileName& file, Deadline by) override;
  // A write is never cut off.
  Result<std::size_t> remove_leftovers(const Leftovers& /*which*/, Deadline /*by*/) override {
    return 0;
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;
  std::string description() const override { return "memory"; }

  // From now on, all files together have so many bytes at most, as on a small disk.
  void set_capacity(std::uint64_t bytes) { *capacity_.lock() = bytes; }
  std::uint64_t taken_bytes();

 private:
  Guarded<std::optional<std::uint64_t>> capacity_;
  Guarded<std::map<FileName, std::string>> files_;
};

}  // namespace restree
