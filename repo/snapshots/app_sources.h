// The apps in a repository: which snapshots are backups of one thing, and under which name the
// mount and the command lines know it.
//
// Snapshots with a tag `app=` belong together if their apps and their maintainers are equal, all
// others if their hosts and their paths are. An app never holds backups of two things, since its
// newest snapshot stands for the whole of it.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "repo/format/snapshot.h"

namespace restree {

struct App {
  std::string name;      // as a directory can hold it; no two apps have the same
  std::string identity;  // of what was backed up; the same whatever other apps there are
  std::vector<const Snapshot*> snapshots;  // in the order in which they were given
};

// The name is app_of(). Where several apps would have it, an app with the tag `app=` has it before
// those without. If that leaves more than one, none of them has it, so that a name which a script
// uses never comes to mean another app. An app without the plain name is called in full:
// MAINTAINER_APP with other underscores as %5F, or NAME@HOST, then the folders above NAME, each
// after a plus sign, then the other paths, each after a comma, with plus signs for their slashes.
//
// The snapshots must outlive the result. Apps come in an order that depends on the set of snapshots
// only.
std::vector<App> apps_of(const std::vector<const Snapshot*>& snapshots);

}  // namespace restree
