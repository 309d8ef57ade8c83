#include "repo/base/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

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

}  // namespace restree
