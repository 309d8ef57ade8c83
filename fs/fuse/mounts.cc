#include "fs/fuse/mounts.h"

#include <charconv>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string_view>

namespace restree {
namespace {

// A field of /proc/self/mountinfo, in which spaces and some other bytes are written in octal.
std::string mount_field(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = field.data() + i + 1;
    const bool is_escape = field[i] == '\\' && i + 3 < field.size() &&
                           std::from_chars(digits, digits + 3, byte, 8).ptr == digits + 3;
    text += is_escape ? static_cast<char>(byte) : field[i];
    if (is_escape) i += 3;
  }
  return text;
}

}  // namespace

std::optional<MountEntry> mount_on(const std::string& point) {
  std::optional<MountEntry> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, place;
    fields >> id >> parent >> device >> root >> place;
    if (mount_field(place) != point) continue;
    for (std::string field; fields >> field && field != "-";) continue;
    std::string type, source;
    fields >> type >> source;
    found = MountEntry{type, mount_field(source), device};  // a later line lies above
  }
  return found;
}

}  // namespace restree
