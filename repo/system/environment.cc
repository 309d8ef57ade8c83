#include "repo/system/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace restree {

// A program that the system starts at boot has no HOME in its environment.
std::string home_folder() {
  if (std::string home = environment_variable("HOME"); !home.empty()) return home;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> text{};
  if (::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &found) != 0) return {};
  return found == nullptr ? std::string() : std::string(found->pw_dir);
}

std::vector<char*> environment_for_others() {
  std::vector<char*> variables;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with("RESTIC_") || !name.ends_with("PASSWORD")) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

}  // namespace restree
