// State that can be reached only through its lock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace restree {

// Guarded<State> holds a State and its mutex; `lock()` gives access for as long as the returned
// handle lives. No lock is held over I/O, a callback or a reply to the kernel.
template <class T>
class Guarded {
 public:
  class Handle {
   public:
    explicit Handle(Guarded& owner) : lock_(owner.mutex_), value_(&owner.value_) {}
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    // For condition variables.
    std::unique_lock<std::mutex>& mutex_lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };
  class ConstHandle {
   public:
    explicit ConstHandle(const Guarded& owner) : lock_(owner.mutex_), value_(&owner.value_) {}
    const T* operator->() const { return value_; }
    const T& operator*() const { return *value_; }

   private:
    std::unique_lock<std::mutex> lock_;
    const T* value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  Handle lock() { return Handle(*this); }
  ConstHandle lock() const { return ConstHandle(*this); }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace restree
