// Faults between the mounts of a soak and their repository, one at a time, and which failed reads
// they excuse.
//
// Threads: strike() by one thread; any may call the rest.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/support/line_emulator.h"
#include "tests/support/mounted.h"
#include "tests/support/split_mix.h"
#include "tests/support/sshd.h"

namespace restree::testing {

enum class Fault {
  kCutLine,           // every connection of the mounts is reset
  kKilledServers,     // the same at the server's end, also for backups
  kStall,             // nothing moves on the line for a moment
  kSilence,           // the server stops (SIGSTOP) for a moment
  kRestart,           // the server ends and is started again
  kLongSilence,       // it stops until the mounts believe that it is away
  kLongAbsence,       // it is not there until then
  kCacheDamage,       // bytes of the cache are turned over, files cut short, notes overwritten
  kCacheDeletion,     // the cache's folder is removed
  kCachePartDeletion  // some of its files are
};

const char* name_of(Fault fault);
// All that take a moment only.
std::vector<Fault> short_faults();

// What the faults of a soak strike.
struct Victims {
  Sshd& server;
  LineEmulator& line;  // from the mounts to the server
  std::filesystem::path cache;
  const std::vector<std::unique_ptr<Mounted>>& mounts;
  const std::atomic<std::uint64_t>& readings;  // that have ended
};

class Faults {
 public:
  explicit Faults(Victims victims) : victims_(std::move(victims)) {}

  // Returns when it is over and the mounts have found their server again; what is not as it must
  // be, or nothing.
  std::string strike(Fault fault, SplitMix64& random);

  struct Moment {
    std::uint64_t begun = 0;
    bool excusing = false;
  };
  Moment now() const;
  // Whether anything that was not read since then need not have been: a fault for which errors are
  // allowed was there in between.
  bool excuse_since(Moment moment) const;

  std::map<std::string, unsigned> counts() const;
  std::string current() const;

 private:
  struct State {
    Moment moment;
    std::string current;
    std::map<std::string, unsigned> counts;
  };

  std::string do_it(Fault fault, SplitMix64& random);
  std::string delete_cache() const;
  std::string wait_until_online(bool online) const;

  Victims victims_;
  Guarded<State> state_;
};

// A number of the mount's .restree/status; 0 where that is null.
std::uint64_t status_number(const Mounted& mounted, const std::string& field);

}  // namespace restree::testing
