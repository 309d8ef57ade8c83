// Makes the C library of this process take small and capital letters in names for the same, as vfat and
// ext4's case-insensitive folders do: no such file system can be counted on where tests run.
//
// Linked into a test program, it stands before the calls relative to a folder (openat, mkdirat, …).
// Threads: any, while it is switched; the calls under way may be of either kind.
#pragma once

namespace restree::testing {

// While it lives, an entry is found by its name in any case, and keeps the name it was made with.
class FoldedCase {
 public:
  FoldedCase();
  FoldedCase(const FoldedCase&) = delete;
  FoldedCase& operator=(const FoldedCase&) = delete;
  ~FoldedCase();
};

}  // namespace restree::testing
