// For tests/compat/make: gives the repository in a folder a key that takes no time to derive.
#include <cstdio>
#include <exception>

#include "tests/support/quick_key.h"

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("usage: compat_quick_key REPOSITORY\n", stderr);
    return 1;
  }
  try {
    restree::testing::make_key_quick(words[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", words[1], error.what());
    return 1;
  }
  return 0;
}
