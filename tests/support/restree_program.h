// The program restree as users run it, on a repository that restic reads as well.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/restic.h"
#include "tests/support/sshd.h"

namespace restree::testing {

// Ownership: the repository is the caller's; restree's cache lies beside restic's.
// Errors:    backup() throws std::runtime_error with restree's own words.
class RestreeProgram {
 public:
  explicit RestreeProgram(const Restic& restic);
  // The same repository, reached through the server.
  RestreeProgram(const Restic& restic, const Sshd& sshd);

  // The words `words` come after those that every call has.
  Command command(std::vector<std::string> words) const;
  Finished run(std::vector<std::string> words) const;
  // For commands that the test wants to signal while they run.
  Process start(std::vector<std::string> words) const;
  // The short id of the new snapshot. Words: targets and options.
  std::string backup(std::vector<std::string> words) const;

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> environment_;
  std::vector<std::string> options_;
};

}  // namespace restree::testing
