// refusing_calls ERRNO CALL[,CALL…] PROGRAM [ARGUMENT…]: runs a program to which the kernel refuses system
// calls, given by number.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "tests/support/refused_calls.h"

int main(int count, char** words) {
  if (count < 4) return 2;
  std::vector<long> calls;
  for (char* at = words[2]; *at != '\0'; at += *at == ',' ? 1 : 0) {
    calls.push_back(std::strtol(at, &at, 10));
  }
  try {
    restree::testing::refuse_calls(calls, std::atoi(words[1]));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "refusing_calls: %s\n", failure.what());
    return 125;
  }
  ::execvp(words[3], words + 3);
  std::perror(words[3]);
  return 126;
}
