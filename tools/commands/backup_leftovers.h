// What earlier backups and copies have left in a repository, looked at before the next one begins.
//
// Threads: each function and object belongs to one.
// Errors:  kCancelled. Whatever else fails is a warning: without this step a backup only stores
//          again what is there already.
#pragma once

#include <chrono>
#include <thread>
#include <vector>

#include "repo/repository.h"
#include "tools/session/session.h"

namespace restree {

// Indexes the packs that a killed backup has stored whole. Returns, in order, the packs that the
// index names although the storage does not have them, or not all of them: a backup must store again
// what it needs of them.
// To list the packs costs nothing on this machine; a server is asked only if somebody has left a
// lock behind, or if `looking` says so. Needs the repository's index; without a lock it only looks.
// Errors: with kAlways also those of the storage.
enum class Looking { kWhereCheap, kAlways };
Result<std::vector<PackId>> look_at_leftovers(const Session& session, Repository& repository,
                                              Looking looking = Looking::kWhereCheap);

// The part of the folders of packs in which a server's leftovers are looked for in this hour: over
// the runs of two weeks all of them. `before` is left to the caller.
Leftovers some_leftovers(std::chrono::system_clock::time_point now);

// Removes the temporary files that writes of this program left in the repository when they were cut
// off, if they are old: a write that is under way looks the same. No lock says that there are some,
// since a run whose connection was cut once may have ended well. Folders have to be listed for it,
// which takes round trips to a server, so it is done beside the backup, and on a server only in a
// part of the folders of packs, unless somebody has left a lock behind: the names of 100,000 packs
// are 22 MB, which lengthened a small backup over 100 Mbit/s from 2.0 s to 3.7 s
// (bench/compare-leftovers).
// Ownership: a thread, unless the system has none to give. Session, repository and lock must outlive
//            it; the destructor waits until it is done.
// Errors:    logged: those files only take space.
class TemporaryFilesRemoval {
 public:
  // Does nothing without a lock.
  TemporaryFilesRemoval(const Session& session, Repository& repository);

 private:
  std::jthread thread_;
};

}  // namespace restree
