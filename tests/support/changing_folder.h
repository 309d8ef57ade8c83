// A folder as it changes from one backup to the next.
#pragma once

#include <cstdint>
#include <filesystem>

namespace restree::testing {

// Makes the folder: files of no bytes, of a few, and of several chunks; folders within folders.
void make_changing_folder(const std::filesystem::path& root);

// The changes of a day: files that grow at the end and in the middle, that shrink, are new,
// renamed, deleted, become links or folders; a folder renamed with all it holds; modes, owners,
// times and extended attributes. `day` decides the content: 1, 2, …, in order, on what the days
// before left.
void change_folder(const std::filesystem::path& root, int day);

}  // namespace restree::testing
