// What `check` prints, in restic's words.
//
// Threads: as CheckListener says.
#pragma once

#include <string>
#include <utility>

#include "repo/checker/check_report.h"
#include "repo/checker/checker.h"
#include "tools/output/output.h"

namespace restree {

// Ownership: the output must outlive it.
class CheckReport final : public CheckListener {
 public:
  // `program`: what the user calls this program. Messages that restic ends with a command of its own
  // name it so.
  CheckReport(const Output& output, std::string program)
      : output_(output), program_(std::move(program)) {}

  void error(const std::string& text) override;
  void hint(const std::string& text) override { output_.say_even_if_quiet(text); }
  void detail(const std::string& text) override { output_.detail(text); }
  void say(const std::string& text) { output_.say(text); }
  const std::string& program() const { return program_; }

 private:
  const Output& output_;
  const std::string program_;
};

// The object that ends a check with --json.
void print_check_summary(const CheckFindings& findings, const Output& output);

// Prints what the user can do about the findings, of which there are some: commands that leave a whole
// repository, if they are run in the order in which they are printed. None of them leaves anything out
// of a snapshot before everything was looked for. `more` is put behind the last message: with --json
// there are as many objects as restic prints.
void advise(const Checker& checker, const std::string& more, CheckReport& report);

}  // namespace restree
