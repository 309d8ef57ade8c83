// A place where the disk with a repository is mounted, or another one, or none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/storage.h"

namespace restree::testing {

// Without a disk it is the empty folder that a mount point is: nothing is found, listings are
// empty, and nothing can be written. Ownership: shares the disk. Threads: any.
class MovableDisk final : public Storage {
 public:
  explicit MovableDisk(std::shared_ptr<Storage> disk) : disk_(std::move(disk)) {}

  void mount(std::shared_ptr<Storage> disk) { *disk_.lock() = std::move(disk); }
  void unmount() { disk_.lock()->reset(); }
  // As a local folder is.
  void be_near() { is_near_ = true; }

  Status reach(Deadline /*by*/) override { return {}; }
  Status make_folders(Deadline by) override {
    return ask([by](Storage& disk) { return disk.make_folders(by); });
  }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    const auto disk = now();
    return disk ? disk->list(type, by) : std::vector<ListedFile>();
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    return ask([&](Storage& disk) { return disk.size(file, by); });
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return ask([&](Storage& disk) { return disk.read(file, range, by); });
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    return ask([&](Storage& disk) { return disk.read_into(buffer, file, range, by); });
  }
  void expect(const FileName& file, ByteRange range) override {
    if (const auto disk = now()) disk->expect(file, range);
  }
  ReadHabit read_habit() const override { return {.waits = !is_near_}; }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return ask([&](Storage& disk) { return disk.read_all(file, by); });
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    return ask([&](Storage& disk) { return disk.write(file, content, by); });
  }
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override {
    return ask([&](Storage& disk) { return disk.join(ranges, end, name, by); });
  }
  Status remove(const FileName& file, Deadline by) override {
    return ask([&](Storage& disk) { return disk.remove(file, by); });
  }
  Result<std::size_t> remove_leftovers(const Leftovers& /*which*/, Deadline /*by*/) override {
    return 0;
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    return ask([by](Storage& disk) { return disk.free_bytes(by); });
  }
  std::string description() const override { return "/srv/backup"; }

 private:
  std::shared_ptr<Storage> now() const { return *disk_.lock(); }
  template <class Call>
  auto ask(Call call) -> decltype(call(std::declval<Storage&>())) {
    const auto disk = now();
    if (!disk) return Error(ErrorKind::kNotFound, "no such file or directory");
    return call(*disk);
  }

  Guarded<std::shared_ptr<Storage>> disk_;
  bool is_near_ = false;
};

}  // namespace restree::testing
