// The files in the folder of a repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace restree::testing {

// The files that the repository's own names belong to, below one of its folders: "data", "locks", …
std::vector<std::filesystem::path> stored_in(const std::filesystem::path& repository,
                                             const std::string& folder);
// All of their bytes.
std::uint64_t bytes_stored_in(const std::filesystem::path& repository, const std::string& folder);
// Every file whose name no repository has: the leavings of an unfinished write.
std::vector<std::filesystem::path> strays_in(const std::filesystem::path& repository);

}  // namespace restree::testing
