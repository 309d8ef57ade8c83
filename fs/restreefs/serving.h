// From the storage to the last request of the mount: what restreefs does once it knows its options.
//
// The start goes through stages: the storage, the repository, its lock, the mount's content, the
// session, its requests. What a stage has made is undone when a later one fails, and at the end,
// last first. What a signal means depends on the stage that was reached:
//
//   before the lock is held   SIGINT, SIGTERM: the process ends at once, with exit code 130
//   then                      the same, but the lock is removed first
//   from the mount on         SIGINT, SIGTERM: unmounts, also if the mount is only being made
//   while requests are served SIGHUP: looks for new snapshots
//
// Requests under way can keep an unmounted session from its end. After a few seconds of patience the
// process then ends where it stands, with exit code 0, as nothing is being written.
#pragma once

#include <optional>

#include "fs/restreefs/background.h"
#include "fs/restreefs/options.h"
#include "program/cache_settings.h"
#include "program/signals.h"
#include "program/storage_kinds.h"
#include "repo/base/result.h"

namespace restree {

// The signals that serve() acts on. A program that forks before it calls serve() blocks them before
// the fork, so that none is lost in between.
SignalSet serving_signals();

// Returns when the file system is unmounted. `options.mount_point` and `cache` are absolute, as in
// the background there is another current folder.
// Threads: called by the first one, before there are others; its signals stay blocked afterwards.
// Errors:  those of the storage, the repository, its lock and the mount, for the exit code.
Status serve(const RestreefsOptions& options, const Location& location,
             const std::optional<CachePlace>& cache, Background& background);

}  // namespace restree
