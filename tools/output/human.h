// Figures as people read them, in restic's words.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace restree {

// "1.371 KiB", "3 B".
std::string format_bytes(std::uint64_t bytes);
// "0:05", "1:02:03".
std::string format_duration(std::chrono::seconds duration);
// "47.11%"; "0.00%" if `whole` is 0.
std::string format_percent(std::uint64_t part, std::uint64_t whole);

// The last line of a progress in which `count` of something were done: "[0:05] 100.00%  3 / 3 packs".
std::string format_all_done(std::size_t count, std::string_view what, std::chrono::seconds elapsed);

}  // namespace restree
