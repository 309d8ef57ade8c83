#include "repo/identity.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace restree {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : std::string();
}

std::string user_name() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwuid_r(::getuid(), &entry, text.data(), text.size(), &found) != 0) return {};
  return found == nullptr ? std::string() : std::string(found->pw_name);
}

Timestamp wall_clock_now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {seconds.count(),
          static_cast<std::uint32_t>(std::chrono::nanoseconds(time - seconds).count())};
}

}  // namespace restree
