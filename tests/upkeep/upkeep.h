// A repository that both programs keep for years, in steps that a seed decides: backups, forgets,
// prunes, copies and repairs, killed, cut off or without space, and a model of what every snapshot
// must hold.
//
// After each step the repository has exactly the snapshots that the step may have left; restic finds
// no damage, reading every byte; a snapshot, seen through a mount that was there from the beginning, is
// what was backed up. Which step comes next, and what disturbs it, depends on the seed alone; the
// moment at which a kill meets a program depends on the machine as well.
//
// Ownership: repository, second repository, server, mount, all in a temporary folder.
// Threads:   one.
// Errors:    what is not as it must be is in findings(); the constructor throws.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/line_emulator.h"
#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/small_disk.h"
#include "tests/support/split_mix.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

enum class Disturbance { kNone, kKill, kCut, kFull };

// What a snapshot must hold.
struct Kept {
  std::filesystem::path content;  // a copy of what was backed up
  unsigned number = 0;            // of the backup
  std::string first_id = {};      // of the snapshot, which may be another one's successor
};

// One operation, and what may come of it.
struct Operation {
  std::string name;
  Command command;
  // The snapshot that it makes; nullopt: it makes none.
  std::optional<Kept> makes = {};
  // It puts back snapshots that were forgotten.
  bool may_put_back = false;
  std::set<std::string> goes = {};  // the snapshots that it removes
  bool may_fail = false;            // with exit code 1, although nothing disturbs it
  std::string failing_says = {};    // a part of what it says then
  // A program that was killed in the middle leaves damage, which the same command mends.
  bool has_to_end_well = false;
};

class Upkeep {
 public:
  explicit Upkeep(std::uint64_t seed);

  void step();
  // Everything is looked at; then all is pruned, and looked at once more.
  void finish();

  const std::vector<std::string>& findings() const { return findings_; }
  // How often each operation was done, for people.
  std::string summary() const;

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void found(const std::string& what);
  std::set<std::string> present() const;
  std::string any_snapshot();

  void change_source();
  Command by_restic(std::vector<std::string> words) const;
  // From here, or through the server.
  Command by_restree(std::vector<std::string> words);
  Command by_either(std::vector<std::string> words);
  Kept keep_source();
  std::vector<std::string> prune_words();

  Operation backup();
  Operation forget();
  Operation forget_by_policy();
  Operation undo();
  Operation prune();
  Operation tag();
  Operation rewrite();
  Operation copy();
  Operation repair_index();
  Operation any_operation();

  Disturbance any_disturbance(const Operation& operation);
  Finished carry_out(const Operation& operation, Disturbance disturbance);
  void clear_up(const Operation& operation, Disturbance disturbance);
  void judge(const Operation& operation, Disturbance disturbance, const Finished& done);
  void compare_snapshots(const Operation& operation, bool is_done);
  void expect_no_locks(const Restic& of);
  void expect_no_damage();
  void expect_shown(const std::string& id);
  // The id that the copy of this snapshot has in the second repository; empty if there is no copy.
  std::string copy_of(const std::string& id) const;
  void expect_copied();

  SplitMix64 random_;
  TempDir dir_;
  std::filesystem::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home"};
  Restic twin_{dir_.path() / "twin"};  // into which snapshots are copied
  SmallDisk disk_{restic_.repository(), "512m"};
  Sshd sshd_;
  LineEmulator line_{{.to = sshd_.port()}};
  RestreeProgram restree_{restic_};
  std::unique_ptr<Mounted> mounted_;
  // By id, those that are there and those that are gone.
  std::map<std::string, Kept> snapshots_;
  std::map<std::string, Kept> forgotten_;
  std::map<std::string, unsigned> counts_;
  std::vector<std::string> findings_;
  unsigned steps_ = 0;
  std::string now_;  // the step
  unsigned backups_ = 0;
};

}  // namespace restree::testing
