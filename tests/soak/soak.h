// A soak: two mounts of one repository over SFTP with a small cache, programs of all kinds that
// read from them, backups by both programs, prunes and faults, in rounds.
//
// What a round does, and which faults come in which order, is decided by the seed; how readers,
// faults and backups meet is not. A reading may fail only while a fault is there that the programs
// cannot bridge, or if its snapshot is being forgotten; nothing else may be wrong at any time.
//
// Ownership: repository, server, mounts, all in a temporary folder.
// Threads:   the caller's, and those that a round starts and ends.
// Errors:    what is not as it must be is in findings(); the constructor throws.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/soak/faults.h"
#include "tests/soak/readers.h"
#include "tests/soak/saved_snapshots.h"
#include "tests/soak/watch.h"
#include "tests/support/line_emulator.h"
#include "tests/support/mounted.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/split_mix.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

struct RoundPlan {
  std::vector<Fault> faults;
  std::uint64_t readings = 0;  // at least
  bool second_half = false;    // for what may not grow
};

class Soak {
 public:
  // `curve`: empty for one that is not kept.
  Soak(std::uint64_t seed, const std::filesystem::path& curve, std::chrono::milliseconds every);

  void round(const RoundPlan& plan);
  // Every byte of every snapshot in both mounts; the ends of the mounts; what was left behind; the
  // repository's own check.
  void finish();

  std::vector<std::string> findings() const { return *findings_.lock(); }
  // Counts of all that was done, for people.
  std::string summary() const;

 private:
  void found(const std::string& what) { findings_.lock()->push_back(what); }
  std::filesystem::path shown(const Mounted& mounted, const std::string& id) const;
  void mount(SshTransport transport);

  void read_until(const std::atomic<bool>& done, std::uint64_t seed);
  void judge(const Reading& reading, const std::string& how, bool may_fail);
  void back_up();
  void interrupt_a_backup();
  void take_over_locks();
  void wait_until_shown(const std::string& id, bool is_shown);
  void forget_some();
  std::vector<std::string> unknown_snapshots() const;
  void strike(const RoundPlan& plan, std::uint64_t begin);
  void wait_for_readings(std::uint64_t number);
  void come_to_rest(bool second_half);
  void read_newest();
  void expect_no_locks();
  void expect_no_strays();

  SplitMix64 random_;  // of the thread that calls round()
  SplitMix64 fault_random_;
  TempDir dir_;
  std::filesystem::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home"};
  Sshd sshd_;
  LineEmulator line_{{.to = sshd_.port()}};
  RestreeProgram restree_{restic_, sshd_};
  RestreeProgram restree_here_{restic_};  // without the server
  bool locks_are_left_ = false;           // by programs that could not remove them
  SavedSnapshots snapshots_;
  SoakCounts counts_;
  std::vector<std::unique_ptr<Mounted>> mounts_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Watch> watch_;
  Guarded<std::vector<std::string>> findings_;
};

}  // namespace restree::testing
