// Environment variables, and the home folder.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

namespace restree {

// Empty if the variable is not set. Threads: any, while no thread changes the environment.
inline std::string environment_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

// $HOME, or else the home folder of the effective user: it is with that user's rights that this
// process reads configuration and keys there, and what it makes there belongs to that user. Empty
// if neither is known. Threads: as above.
std::string home_folder();

// The variables for another program, ended by a null pointer: all but those that are secrets
// (RESTIC_PASSWORD, RESTIC_FROM_PASSWORD and whatever else begins with RESTIC_ and ends with
// PASSWORD), which no ssh or ProxyCommand needs, and which /proc would show for as long as it runs.
// rclone's (RCLONE_CONFIG_PASS and others) are left: a password's command may well be rclone.
// The pointers are good for as long as no thread changes the environment. Threads: as above.
std::vector<char*> environment_for_others();

}  // namespace restree
