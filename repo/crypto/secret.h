// Key material and passwords, wiped when they are destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"

namespace restree {

// A secret byte string. Move-only, wiped on destruction and on assignment, with no formatter and
// no operator<<, so that logging one does not compile.
class Secret {
 public:
  Secret() = default;
  // Takes the bytes and wipes the string they came in.
  explicit Secret(std::string&& plain);
  static Secret copy_of(ByteView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  ByteView view() const { return as_bytes(bytes_); }
  std::string_view text() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  // A deliberate copy, for a second holder.
  Secret clone() const;

 private:
  void wipe();
  std::string bytes_;
};

// Overwrites memory in a way that no optimiser removes.
void wipe_memory(MutableByteView bytes);

}  // namespace restree
