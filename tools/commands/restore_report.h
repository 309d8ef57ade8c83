// What `restore` prints while it works and at its end, in restic's words and its JSON.
//
// Threads: any.
#pragma once

#include <chrono>
#include <string>

#include "repo/restorer/restore_options.h"
#include "tools/output/output.h"

namespace restree {

class RestoreReport final : public RestoreListener {
 public:
  explicit RestoreReport(const Output& output)
      : output_(output), started_(std::chrono::steady_clock::now()) {}

  void item(RestoreAction action, RestoredKind kind, const std::string& location,
            std::uint64_t size) override;
  void error(const std::string& location, const Error& error) override;
  // Whether item() prints anything.
  bool tells_items() const;

  void show_progress(const RestoreFigures& figures);
  void show_summary(const RestoreFigures& figures);

 private:
  std::chrono::seconds elapsed() const;
  std::string figures_as_json(const RestoreFigures& figures, const char* type) const;

  const Output& output_;
  const std::chrono::steady_clock::time_point started_;
};

}  // namespace restree
