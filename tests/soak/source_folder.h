// The folder that a soak backs up again and again: made, and changed, by numbers alone.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/support/split_mix.h"

namespace restree::testing {

// Small files in folders of their own, some files of megabytes, one with a long hole, links.
void make_source_folder(const std::filesystem::path& root, SplitMix64& random);

// Rewrites, grows, cuts, renames, removes and adds about a tenth of it. Its size stays about the
// same however often that is done.
void change_source_folder(const std::filesystem::path& root, SplitMix64& random);

}  // namespace restree::testing
