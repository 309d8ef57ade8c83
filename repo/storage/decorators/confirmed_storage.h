// A Storage that tells a repository that went away from files that are gone.
//
// A disk that is not mounted, or a server that shows another folder, looks like an empty
// repository: listings are empty and every file is not found. So whatever would make a caller
// believe that files are gone is confirmed before it is passed on: the config must be there, with
// the bytes that it had when the repository was opened. As the disk may have come back before the
// config is read, the call is then repeated, and its second result counts only if the config is
// there once more.
//
// confirmed: kNotFound of a file; one that cannot be read or is cut short; a failure of the local
//            disk; a listing that is empty (one of locks: not the first) or lacks a name that the
//            one before had; the first one of snapshots; every one of packs, as it takes long
//            enough for a disk to go meanwhile.
// written:   beside the right config only. In a local folder, where it costs nothing, the config is
//            read before and after every write; elsewhere before the files that name others
//            (index files, snapshots), and after a snapshot, which ends a backup.
// A config with other bytes is still the right one if the key file that opened the repository lies
// beside it: restic rewrites the config when it upgrades a repository.
//
// Until a config has been read through it, calls are passed on as they are.
//
// Ownership: shares the storage that it decorates.
// Threads:   any. `on_away` may be called by several at once, under no lock.
// Limits:    of each listing 8 bytes a name are kept (packs: none).
// Errors:    those of the decorated storage. kUnavailable: the repository is away; `on_away` was
//            called with the reason. Where the config cannot be read for another reason (the line,
//            a permission), that is the error.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

class ConfirmedStorage final : public ForwardingStorage {
 public:
  // Called with why the repository is away, without the name of the place.
  using OnAway = std::function<void(const std::string& why)>;

  ConfirmedStorage(std::shared_ptr<Storage> inner, OnAway on_away)
      : ForwardingStorage(std::move(inner)), on_away_(std::move(on_away)) {}

  // The repository was opened with this key file; the config is known from having been read.
  void remember_key(const std::string& name) { state_.lock()->key_name = name; }
  // The repository was opened from elsewhere (a cache): its config file, and the key file's name.
  void remember(ByteView config, const std::string& key_name);
  // Whether the repository is there; before a config is known, whether the storage answers at all:
  // then kNotFound is an answer.
  Status probe(Deadline by);

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  Status remove(const FileName& file, Deadline by) override;

 private:
  // The beginnings of names, sorted: enough to see that one is missing.
  using Names = std::vector<std::uint64_t>;
  struct State {
    std::optional<std::string> config;
    std::string key_name;                             // empty: not known yet
    std::array<std::optional<Names>, 6> last_listed;  // by type
  };

  bool is_known() const { return state_.lock()->config.has_value(); }
  // Ok only if the repository is there.
  Status confirm(Deadline by) EXCLUDES(state_);
  Status confirm_by_key(Deadline by) EXCLUDES(state_);
  Error away(const std::string& why);
  // Makes a call, and believes that a file is gone only if it still is between two looks at the
  // config.
  template <class Call>
  auto confirmed(const FileName& file, Deadline by, Call call) -> decltype(call());
  // nullopt: there has been no listing.
  std::optional<bool> was_last_empty(FileType type) const;
  bool is_doubtful(FileType type, const Names& names) const EXCLUDES(state_);

  const OnAway on_away_;
  Guarded<State> state_;
};

}  // namespace restree
