// A repository that the real restic writes and changes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/password.h"
#include "tests/support/process.h"

namespace restree::testing {

// Ownership: the repository below `home`, which the caller owns; restic's cache lies there too.
// Errors:    all but run() throw std::runtime_error with restic's own words.
class Restic {
 public:
  // `binary`: a newer restic instead of the one in PATH.
  explicit Restic(std::filesystem::path home, std::string binary = "restic");

  const std::filesystem::path& repository() const { return repository_; }
  // Every restic that is called gets these words before its own.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment() const;

  Finished run(std::vector<std::string> words, const std::filesystem::path& folder = {}) const;
  // For commands that the test wants to signal while they run.
  Process start(std::vector<std::string> words) const;
  std::string run_ok(std::vector<std::string> words,
                     const std::filesystem::path& folder = {}) const;

  // A new repository, all of it restic's work.
  void init_slowly(int format_version = 2) const;
  // One that restic has made before, with a key file that takes no time to open. Those of one
  // process have the same id and master key. Threads: one at a time.
  void init(int format_version = 2) const;
  // The short id of the new snapshot. Words: targets and options.
  std::string backup(std::vector<std::string> words,
                     const std::filesystem::path& folder = {}) const;
  void forget(const std::string& id) const;
  void prune() const;
  void check() const;
  void restore(const std::string& id, const std::filesystem::path& into) const;

 private:
  Command command(std::vector<std::string> words, const std::filesystem::path& folder) const;

  std::filesystem::path home_;
  std::filesystem::path repository_;
  std::string binary_;
};

}  // namespace restree::testing
