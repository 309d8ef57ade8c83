// A Storage that lists and reads early what the opening of a repository will ask for next.
//
// keys:       while the config is read, so that the round trips of both overlap.
// index files and snapshots: once the config is there, while the key is derived. That takes most of
//             a second, and reading these from a server takes about as long.
//
// The first read_all of the config file begins it, once there is a connection. Each listing and file
// that was read early is handed out once, to the first caller that asks for it. All other calls go to
// the inner storage, and so do those whose early read failed, and the listing of keys if it is empty:
// that may be a repository that is away, which the config tells.
//
// A caller that takes a lock reads only keys early: afterwards the other files must be listed anew.
//
// Ownership: shares the storage that it decorates. Owns threads until everything is read; the
//            destructor waits for requests that are under way, so it ends by the deadline that the
//            config file was read with.
// Threads:   any.
// Limits:    EarlyReads::most_bytes of index files and snapshots are read early, and a few keys;
//            eight requests at once.
// Errors:    those of the decorated storage.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/decorators/forwarding_storage.h"

namespace restree {

struct EarlyReads {
  // How much of the content of index files and snapshots is read early; 0: only the listings, for
  // when a cache holds the files themselves.
  std::uint64_t most_bytes = 16 << 20;
  bool only_keys = false;
};

class EarlyStorage final : public ForwardingStorage {
 public:
  EarlyStorage(std::shared_ptr<Storage> inner, EarlyReads what)
      : ForwardingStorage(std::move(inner)),
        what_(what),
        state_(State{.bytes_left = what.most_bytes}) {}
  ~EarlyStorage() override;

  // Begins no further request ahead; those under way go on. The destructor does this first.
  void stop();

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;

  // A repository has few keys; the others, if it has more, a caller reads by itself.
  static constexpr std::size_t kMostKeys = 8;

 private:
  enum class Stage : std::uint8_t { kWaiting, kReading, kRead, kFailed };
  struct File {
    Stage stage = Stage::kWaiting;
    Bytes content;
  };
  struct Listing {
    bool has_begun = false;
    Stage stage = Stage::kWaiting;  // kWaiting: not asked for early, or handed out
    std::vector<ListedFile> files;
  };
  struct State {
    bool is_ending = false;
    std::uint64_t bytes_left;
    std::map<FileName, File> files = {};
    std::array<Listing, 3> listings = {};  // see kTypes
    std::vector<std::jthread> threads = {};
  };
  static constexpr std::array<FileType, 3> kTypes{FileType::kKey, FileType::kIndex,
                                                  FileType::kSnapshot};
  static std::optional<std::size_t> place_of(FileType type);
  static void forget(State& state, FileType type);

  void begin(FileType type, Deadline by);
  void run(std::size_t place, Deadline by);
  void give_up(std::size_t place) EXCLUDES(state_);
  // Keeps the listing; returns the files that are to be read early, which it has noted.
  std::vector<FileName> note(std::size_t place, Result<std::vector<ListedFile>> listed);
  // The files of the listing that may be read early.
  static std::vector<FileName> choose(State& state, FileType type,
                                      const std::vector<ListedFile>& files);
  void read_early(const FileName& file, Deadline by);
  std::optional<std::vector<ListedFile>> take_listing(FileType type, Deadline by);
  std::optional<Bytes> take(const FileName& file, Deadline by);

  const EarlyReads what_;
  Guarded<State> state_;
  std::condition_variable moved_;
};

}  // namespace restree
