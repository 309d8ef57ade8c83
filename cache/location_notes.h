// Notes which repository lies at a location, so that its cache can be found while the repository
// itself cannot be read: its id stands in an encrypted config file.
//
//   BASE/locations/<SHA-256 of the location>      the repository's id, in hex
//
// Threads: any, and any process. Errors: kDenied, kLocalIo: a system call failed.
#pragma once

#include <optional>
#include <string>

#include "repo/base/result.h"

namespace restree {

// nullopt: there is no note, or it does not hold an id.
std::optional<std::string> noted_repository(const std::string& base, const std::string& location);
// `base` must exist. Writes only if the note would change.
Status note_location(const std::string& base, const std::string& location,
                     const std::string& repository_id);
// Removes all notes that name the repository.
void forget_locations(const std::string& base, const std::string& repository_id);

}  // namespace restree
