// Which repository lies at a location, as far as the caches below one folder have come to know: for
// who cannot ask the repository itself, whose id is in a config file that is encrypted.
//
//   BASE/locations/<SHA-256 of the location>      the repository's id, in hex
//
// Threads: any, and any process. Errors: kDenied, kLocalIo: what the system says.
#pragma once

#include <optional>
#include <string>

#include "repo/base/result.h"

namespace restree {

// nullopt: nothing is noted that could be an id.
std::optional<std::string> noted_repository(const std::string& base, const std::string& location);
// `base` is there. Writes only if something else is noted.
Status note_location(const std::string& base, const std::string& location,
                     const std::string& repository_id);
// Removes all notes that name the repository.
void forget_locations(const std::string& base, const std::string& repository_id);

}  // namespace restree
