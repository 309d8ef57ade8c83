// Judges whether two folders are the same in all that a restore would lose.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace restree::testing {

// What `rsync -aHAXn --checksum --delete` with nanosecond times would have to do to make `source`
// what `shown` is; empty if they are equal. `source` is never changed. A failing rsync is a
// difference too. `ignored`: patterns as for --exclude.
std::string differences(const std::filesystem::path& shown, const std::filesystem::path& source,
                        const std::vector<std::string>& ignored = {});

// Differences in what lstat(2) shows and rsync does not compare: ctime, link counts, sizes of
// links, which names share an inode, blocks; one line for each that differs.
std::string stat_differences(const std::filesystem::path& shown,
                             const std::filesystem::path& source,
                             const std::vector<std::string>& ignored = {});

}  // namespace restree::testing
