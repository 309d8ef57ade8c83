// Files for tests: written, read and listed as raw bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace restree::testing {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

// All of these throw std::system_error.
void write_file(const std::filesystem::path& path, std::string_view content);
std::string read_file(const std::filesystem::path& path);
// The first `size` bytes of a stream without structure that `seed` alone decides.
std::string random_bytes(std::uint64_t seed, std::uint64_t size);
// The same, written piece by piece.
void write_random_file(const std::filesystem::path& path, std::uint64_t seed, std::uint64_t size);
// Turns over one bit of one byte, whatever the file's permissions are.
void flip_byte(const std::filesystem::path& path, std::uint64_t offset);

// The names in a folder, sorted, without "." and "..".
std::vector<std::string> names_in(const std::filesystem::path& folder);
// The regular files below a folder, sorted.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);
// The whole of a file read by read(2): the errno of the first call that failed, or 0.
int errno_of_reading(const std::filesystem::path& path);

}  // namespace restree::testing
