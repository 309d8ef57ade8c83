// What `check` prints, in restic's words.
//
// Threads: as CheckListener says.
#pragma once

#include <string>

#include "repo/checker/check_report.h"
#include "tools/output/output.h"

namespace restree {

// Ownership: the output must outlive it.
class CheckReport final : public CheckListener {
 public:
  explicit CheckReport(const Output& output) : output_(output) {}

  void error(const std::string& text) override;
  void hint(const std::string& text) override { output_.say_even_if_quiet(text); }
  void detail(const std::string& text) override { output_.detail(text); }
  void say(const std::string& text) { output_.say(text); }

 private:
  const Output& output_;
};

// The object that ends a check with --json.
void print_check_summary(const CheckFindings& findings, const Output& output);

// Prints what the user can do about the findings, of which there are some. `more` is put behind the
// last message: with --json there are as many objects as restic prints.
void advise(const CheckFindings& findings, const std::string& more, CheckReport& report);

}  // namespace restree
