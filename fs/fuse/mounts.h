// The mounts that this process sees.
//
// They are read from /proc/self/mountinfo: to ask a mount itself may hang, and a process that asks its
// own mount cannot be killed while it waits for its own answer.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>

namespace restree {

struct MountEntry {
  std::string type;    // "fuse.restreefs"
  std::string source;  // as it was passed to mount(2)
  std::string device;  // "MAJOR:MINOR", as in /sys/class/bdi
};

// The uppermost mount on `point`, an absolute path without links in it. nullopt: nothing is mounted
// there, or /proc is not.
std::optional<MountEntry> mount_on(const std::string& point);

}  // namespace restree
