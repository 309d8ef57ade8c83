// A Storage whose writes can be held up, and refused for good.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

// A process that changes a repository holds a lock on it. While it is not certain that the lock is
// still there, nothing may be changed: writes and removals wait, or fail once the gate is shut.
// Reads, and changes of the lock files themselves, always pass. Changes that have begun go on.
//
// Changes that others rely on (of snapshots, indexes and keys, and removals) are made only after a
// look at the lock, see look_first(). New packs need none: no index names them yet.
//
// Ownership: shares the storage that it decorates. Threads: any.
// Errors:    those of the decorated storage; the one that the gate was shut with; kUnavailable if
//            the deadline comes while it is held.
class WriteGate final : public ForwardingStorage {
 public:
  explicit WriteGate(std::shared_ptr<Storage> inner) : ForwardingStorage(std::move(inner)) {}

  void hold();
  void open();
  // For good; every later change fails with `error`.
  void shut(const Error& error) EXCLUDES(state_);
  // Calls `look` before each removal, and before each write of anything but packs. If it fails, the
  // change fails in the same way; if with kLocked, the gate is shut. Calls it once more after a
  // snapshot was written: kLocked then fails the write. An empty function: no look.
  // No change may be under way when that is set.
  using Look = std::function<Status(Deadline by)>;
  void look_first(Look look);

  Status make_folders(Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;

 private:
  struct State {
    bool held = false;
    std::optional<Error> shut;
    Look look;
  };
  Status pass(FileType type, Deadline by);
  Status pass_with_a_look(FileType type, Deadline by);
  Status look_again(Deadline by);

  Guarded<State> state_;
  std::condition_variable moved_;
};

}  // namespace restree
