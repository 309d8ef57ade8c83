// A Storage whose writes can be held up, and refused for good.
#pragma once

#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/storage.h"

namespace restree {

// Who changes a repository holds a lock on it. While it is not sure that the lock still stands,
// nothing may be changed: writes and removals wait, or fail once the gate is shut. Reads, and the
// lock files themselves, always pass. What has begun before goes on.
//
// Ownership: shares the storage that it decorates. Threads: any.
// Errors:    those of the decorated storage; the one that the gate was shut with; kUnavailable if
//            the deadline comes while it is held.
class WriteGate final : public Storage {
 public:
  explicit WriteGate(std::shared_ptr<Storage> inner) : inner_(std::move(inner)) {}

  void hold();
  void open();
  // For good; every later change fails with `error`.
  void shut(const Error& error);

  Status make_folders(Deadline by) override;
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  void expect(const FileName& file, ByteRange range) override { inner_->expect(file, range); }
  ReadHabit read_habit() const override { return inner_->read_habit(); }
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(std::chrono::system_clock::time_point time,
                                       Deadline by) override;
  std::string description() const override { return inner_->description(); }

 private:
  struct State {
    bool held = false;
    std::optional<Error> shut;
  };
  Status pass(FileType type, Deadline by);

  const std::shared_ptr<Storage> inner_;
  Guarded<State> state_;
  std::condition_variable moved_;
};

}  // namespace restree
