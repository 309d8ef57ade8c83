// The repositories and folders that e2e.json_shape runs its commands on.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/json_shape_cases.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

// Ownership: a folder with all of it. The repositories are put back before each command, so that
// one program finds what the other found.
// Errors:    std::runtime_error and std::system_error if a place cannot be made.
class JsonShapePlace {
 public:
  JsonShapePlace();

  // Runs the command with `program`, restree or a restic.
  Finished run(const std::string& program, const JsonCase& one) const;

 private:
  using Words = std::vector<std::string>;
  void make_sources() const;
  void make_snapshots();
  void make_damaged_repositories() const;
  void name_objects();
  // The command's words, with the names in braces replaced by their values.
  Words expand(const std::string& command) const;
  Command command(const std::string& program, const std::string& repository, Words words) const;
  std::string run_ok(const std::string& program, const std::string& repository, Words words) const;
  void put_back() const;

  TempDir dir_;
  std::filesystem::path pristine_ = dir_.path() / "pristine";
  std::filesystem::path now_ = dir_.path() / "now";
  std::map<std::string, std::string> names_;
};

}  // namespace restree::testing
