// A disk of a limited size, which a test fills up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace restree::testing {

// A tmpfs, mounted for as long as the object lives.
// Errors: all but the destructor throw.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path place, const std::string& size);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  std::uint64_t free_bytes() const;
  // Leaves so many bytes free until make_room().
  void fill_up(std::uint64_t left_bytes);
  void make_room();

 private:
  const std::filesystem::path place_;
};

}  // namespace restree::testing
