#include "repo/system/mounts.h"

#include <charconv>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

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

// As one line of it has it.
std::optional<MountEntry> parse_line(const std::string& line) {
  MountEntry entry;
  std::istringstream fields(line);
  std::string id, parent, root, point, type, source;
  fields >> id >> parent >> entry.device >> root >> point;
  for (std::string field; fields >> field && field != "-";) continue;
  if (!(fields >> entry.type)) return std::nullopt;
  fields >> source;
  entry.point = mount_field(point);
  entry.source = mount_field(source);
  return entry;
}

}  // namespace

std::vector<MountEntry> all_mounts() {
  std::vector<MountEntry> all;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (auto entry = parse_line(line)) all.push_back(*std::move(entry));
  }
  return all;
}

std::optional<MountEntry> mount_on(const std::string& point) {
  std::optional<MountEntry> found;
  for (MountEntry& entry : all_mounts()) {
    if (entry.point == point) found = std::move(entry);  // a later line lies above
  }
  return found;
}

}  // namespace restree
