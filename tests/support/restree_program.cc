#include "tests/support/restree_program.h"

#include <stdexcept>

#include "tests/support/programs.h"

namespace restree::testing {

RestreeProgram::RestreeProgram(const Restic& restic) : environment_(restic.environment()) {
  environment_.emplace_back("XDG_CACHE_HOME",
                            (restic.repository().parent_path() / "cache").string());
  environment_.emplace_back("XDG_STATE_HOME",
                            (restic.repository().parent_path() / "state").string());
}

RestreeProgram::RestreeProgram(const Restic& restic, const Sshd& sshd) : RestreeProgram(restic) {
  options_ = {"-r", sshd.location(restic.repository()), "-o", sshd.mount_options()};
}

Command RestreeProgram::command(std::vector<std::string> words) const {
  words.insert(words.begin(), options_.begin(), options_.end());
  words.insert(words.begin(), restree_path());
  return {.argv = std::move(words), .env = environment_};
}

Finished RestreeProgram::run(std::vector<std::string> words) const {
  return testing::run(command(std::move(words)));
}

Process RestreeProgram::start(std::vector<std::string> words) const {
  return Process::start(command(std::move(words)));
}

std::string RestreeProgram::backup(std::vector<std::string> words) const {
  words.insert(words.begin(), {"backup", "--json"});
  const std::string out = run_ok(command(std::move(words)));
  static constexpr std::string_view kField = R"("snapshot_id":")";
  const auto at = out.rfind(kField);
  if (at == std::string::npos) throw std::runtime_error("restree backup named no snapshot: " + out);
  return out.substr(at + kField.size(), 8);
}

}  // namespace restree::testing
