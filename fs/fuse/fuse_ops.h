// The low-level FUSE operations: each decodes a request, makes one call to Mount, and replies.
#pragma once

#include <fuse_lowlevel.h>

#include "fs/fuse/interrupts.h"
#include "fs/mount.h"

namespace restree {

// The session's user data, which every operation uses. Must outlive the session.
struct FuseContext {
  explicit FuseContext(Mount& shown) : mount(shown) {}

  Mount& mount;
  // For how long the kernel may keep a name or attribute that can change.
  double live_seconds = 1.0;
  // How many reads the kernel may have under way at once. It queues others, also small ones that
  // need not wait for room (docs/memory.md), so this is as many as there are threads for.
  unsigned background_requests = sizeof(void*) > 4 ? 1024 : 64;
  // Set by the INIT operation: the kernel lets open and opendir be skipped.
  bool skips_open = false;
  bool skips_opendir = false;
  // The session that takes files which nobody has asked for; nullptr: none.
  fuse_session* takes_files = nullptr;
  Interrupts interrupts;
};

const fuse_lowlevel_ops& fuse_operations();

}  // namespace restree
