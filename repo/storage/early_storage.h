// A Storage that asks for what the opening of a repository will ask for next, while the key is
// derived: which index files and snapshots there are, and what is in them. Deriving a key takes
// most of a second, and asking a server for these takes about as long.
//
// The first whole read of the config file begins it. What came is handed out once, to whoever asks
// for it; whatever else is asked goes on to the inner storage, and so does what failed.
//
// Only for readers without a lock: after a lock was taken the files must be listed anew, and these
// lists are older.
//
// Ownership: shares the storage that it decorates. Owns threads until everything is read; the
//            destructor waits for requests that are under way, so it ends by the deadline that the
//            config file was read with.
// Threads:   any.
// Limits:    EarlyReads::most_bytes of content that nobody has asked for yet; eight requests at
//            once.
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
#include "repo/storage/forwarding_storage.h"

namespace restree {

struct EarlyReads {
  // What is in the files as well, as far as this much; 0: listings only, where a cache
  // holds the files themselves.
  std::uint64_t most_bytes = 16 << 20;
};

class EarlyStorage final : public ForwardingStorage {
 public:
  EarlyStorage(std::shared_ptr<Storage> inner, EarlyReads what)
      : ForwardingStorage(std::move(inner)), what_(what) {}
  ~EarlyStorage() override;

  // Begins no further request ahead; those under way go on. The destructor does this first.
  void stop();

  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<Bytes> read_all(const FileName& file, Deadline by) override;

 private:
  enum class Stage : std::uint8_t { kWaiting, kReading, kRead, kFailed };
  struct File {
    Stage stage = Stage::kWaiting;
    Bytes content;
  };
  struct Listing {
    Stage stage = Stage::kWaiting;  // kWaiting: not asked for early, or handed out
    std::vector<ListedFile> files;
  };
  struct State {
    bool has_begun = false;
    bool is_ending = false;
    std::uint64_t bytes_left = 0;
    std::map<FileName, File> files;
    std::array<Listing, 2> listings;  // see kTypes
  };
  static constexpr std::array<FileType, 2> kTypes{FileType::kIndex, FileType::kSnapshot};
  static std::optional<std::size_t> place_of(FileType type);
  static void forget(State& state, FileType type);

  void begin(Deadline by);
  void run(std::size_t place, Deadline by);
  void give_up(std::size_t place);
  // What of the listing is to be read, noted as such.
  std::vector<FileName> note(std::size_t place, Result<std::vector<ListedFile>> listed);
  void read_early(const FileName& file, Deadline by);
  std::optional<std::vector<ListedFile>> take_listing(FileType type, Deadline by);
  std::optional<Bytes> take(const FileName& file, Deadline by);

  const EarlyReads what_;
  Guarded<State> state_;
  std::condition_variable moved_;
  std::vector<std::jthread> threads_;  // written by begin() alone, once
};

}  // namespace restree
