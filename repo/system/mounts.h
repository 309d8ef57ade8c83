// The mounts that this process sees.
//
// They are read from /proc/self/mountinfo: to ask a mount itself may hang, and a process that asks its
// own mount cannot be killed while it waits for its own answer.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace restree {

struct MountEntry {
  std::string point;   // the folder on which it lies
  std::string type;    // "fuse.restreefs"
  std::string source;  // as it was passed to mount(2)
  std::string device;  // "MAJOR:MINOR", as in /sys/class/bdi
};

// From the lowest to the uppermost; none where /proc is not.
std::vector<MountEntry> all_mounts();

// The uppermost mount on `point`, an absolute path without links in it. nullopt: nothing is mounted
// there, or /proc is not.
std::optional<MountEntry> mount_on(const std::string& point);

}  // namespace restree
