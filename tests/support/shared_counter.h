// A number that a test shares with the processes that it forks.
#pragma once

#include <sys/mman.h>

#include <new>

namespace restree::testing {

class SharedCounter {
 public:
  SharedCounter() {
    void* const memory =
        ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    count_ = static_cast<int*>(memory);
  }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  ~SharedCounter() { ::munmap(count_, sizeof(int)); }
  int& operator*() const { return *count_; }

 private:
  int* count_;
};

}  // namespace restree::testing
