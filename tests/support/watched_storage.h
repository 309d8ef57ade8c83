// A storage that counts what is asked of it, and fails or waits where a test says so.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree::testing {

class WatchedStorage final : public ForwardingStorage {
 public:
  // Called before a list (whose name is empty), read, read_into or read_all goes through; an error
  // is what the caller gets instead.
  using Watch = std::function<Status(const FileName&)>;

  explicit WatchedStorage(std::shared_ptr<Storage> inner) : ForwardingStorage(std::move(inner)) {}

  void watch(Watch watch) { state_.lock()->watch = std::move(watch); }
  // The same for read and read_into, by their ranges too.
  using RangeWatch = std::function<Status(const FileName&, ByteRange)>;
  void watch_ranges(RangeWatch watch) { state_.lock()->watch_ranges = std::move(watch); }
  // The same for size, which the other leaves alone.
  void watch_sizes(Watch watch) { state_.lock()->watch_sizes = std::move(watch); }
  // The same for writes.
  void watch_writes(Watch watch) { state_.lock()->watch_writes = std::move(watch); }
  // The same for removals.
  void watch_removals(Watch watch) { state_.lock()->watch_removals = std::move(watch); }
  // So much is free from now on, whatever is written.
  void say_free(std::uint64_t bytes) { state_.lock()->free_bytes = bytes; }
  // The names of the files that reads were said to come of, in this order.
  std::vector<std::string> expected() const { return state_.lock()->expected; }
  std::size_t lists(FileType type) const { return state_.lock()->lists[index(type)]; }
  std::size_t reads(FileType type) const { return state_.lock()->reads[index(type)]; }
  std::size_t reads() const {
    std::size_t sum = 0;
    const auto state = state_.lock();
    for (const std::size_t count : state->reads) sum += count;
    return sum;
  }

  void expect(const FileName& file, ByteRange range) override {
    state_.lock()->expected.push_back(file.name);
    inner().expect(file, range);
  }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    RETURN_IF_ERROR(note(&State::lists, {type, ""}));
    return inner().list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    const Watch watch = state_.lock()->watch_sizes;
    if (watch) RETURN_IF_ERROR(watch(file));
    return inner().size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    RETURN_IF_ERROR(note(&State::reads, file));
    RETURN_IF_ERROR(note_range(file, range));
    return inner().read(file, range, by);
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    RETURN_IF_ERROR(note(&State::reads, file));
    RETURN_IF_ERROR(note_range(file, range));
    return inner().read_into(buffer, file, range, by);
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    RETURN_IF_ERROR(note(&State::reads, file));
    return inner().read_all(file, by);
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    const Watch watch = state_.lock()->watch_writes;
    if (watch) RETURN_IF_ERROR(watch(file));
    return inner().write(file, content, by);
  }
  Status remove(const FileName& file, Deadline by) override {
    const Watch watch = state_.lock()->watch_removals;
    if (watch) RETURN_IF_ERROR(watch(file));
    return inner().remove(file, by);
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    const std::optional<std::uint64_t> said = state_.lock()->free_bytes;
    if (said) return said;
    return inner().free_bytes(by);
  }

 private:
  using Counts = std::array<std::size_t, 6>;
  struct State {
    Watch watch;
    RangeWatch watch_ranges;
    Watch watch_sizes;
    Watch watch_writes;
    Watch watch_removals;
    std::optional<std::uint64_t> free_bytes;
    std::vector<std::string> expected;
    Counts lists{};
    Counts reads{};
  };
  static std::size_t index(FileType type) { return static_cast<std::size_t>(type); }

  Status note(Counts State::*counts, const FileName& file) {
    Watch watch;
    {
      auto state = state_.lock();
      ++((*state).*counts)[index(file.type)];
      watch = state->watch;
    }
    return watch ? watch(file) : Status();
  }
  Status note_range(const FileName& file, ByteRange range) {
    const RangeWatch watch = state_.lock()->watch_ranges;
    return watch ? watch(file, range) : Status();
  }

  Guarded<State> state_;
};

}  // namespace restree::testing
