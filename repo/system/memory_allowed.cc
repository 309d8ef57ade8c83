#include "repo/system/memory_allowed.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace restree {
namespace {

// A kernel of 32 bits keeps a quarter of the addresses for itself.
constexpr std::uint64_t kMostWith32Bits = std::uint64_t{3} << 30;

// Takes the first part of `text` off, up to `end` or all.
std::string_view take_up_to(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return part;
}

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<std::string> memory_limit_files(std::string_view groups) {
  std::vector<std::string> files;
  while (!groups.empty()) {
    // 0::/system.slice/backup.service, or with version 1: 7:memory:/docker/5f1c
    std::string_view line = take_up_to(groups, '\n');
    take_up_to(line, ':');
    std::string_view controllers = take_up_to(line, ':');
    std::string_view group = line;
    const bool second_version = controllers.empty();
    bool of_memory = second_version;
    while (!controllers.empty()) of_memory |= take_up_to(controllers, ',') == "memory";
    if (!of_memory || !group.starts_with('/')) continue;
    const std::string top = second_version ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const std::string name = second_version ? "/memory.max" : "/memory.limit_in_bytes";
    for (; group.size() > 1; group = group.substr(0, group.rfind('/'))) {
      files.push_back(top + std::string(group) + name);
    }
    files.push_back(top + name);
  }
  return files;
}

std::uint64_t memory_allowed() {
  std::uint64_t bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if constexpr (sizeof(void*) == 4) bytes = std::min(bytes, kMostWith32Bits);
  for (const std::string& limit : memory_limit_files(content_of("/proc/self/cgroup"))) {
    std::ifstream file(limit);
    std::uint64_t share = 0;
    if (file >> share) bytes = std::min(bytes, share);  // "max" is not a number
  }
  rlimit own{};
  if (::getrlimit(RLIMIT_AS, &own) == 0 && own.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::uint64_t>(bytes, own.rlim_cur);
  }
  return bytes;
}

}  // namespace restree
