// State that can be reached only through its lock, and locks that clang checks.
//
//   Guarded<State> state_;
//   …
//   auto state = state_.lock();  // until the end of the block
//   state->count += 1;
//
// Mutex is for what no State can hold: members that are references, the order of an output, or a
// moment in which one thread alone may ask. What it guards is marked GUARDED_BY(mutex_).
//
// clang's -Wthread-safety follows both kinds of lock through each function, and refuses
//   - a lock that is taken while the function holds it already,
//   - a member marked GUARDED_BY that is used without its lock,
//   - a call of a function marked REQUIRES(lock) without that lock,
//   - a call of a function marked EXCLUDES(lock) with it,
//   - a reference to the whole State that outlives its handle (by -Wdangling).
// A function is seen alone, and so is a lambda: what it needs of its callers has to be said in its
// declaration. gcc knows none of these marks. A std::mutex, of which clang knows nothing, stands in
// this file alone.
//
// Threads: any. No lock is held over I/O, a callback or a reply to the kernel, except where
// docs/threads.md says why.
#pragma once

#include <mutex>
#include <utility>

#if defined(__clang__)
#define RESTREE_CHECKED_BY_CLANG(mark) __attribute__((mark))
#define LIFETIME_BOUND [[clang::lifetimebound]]
#else
#define RESTREE_CHECKED_BY_CLANG(mark)
#define LIFETIME_BOUND
#endif

#define CAPABILITY(what) RESTREE_CHECKED_BY_CLANG(capability(what))
#define SCOPED_CAPABILITY RESTREE_CHECKED_BY_CLANG(scoped_lockable)
#define GUARDED_BY(lock) RESTREE_CHECKED_BY_CLANG(guarded_by(lock))
#define REQUIRES(...) RESTREE_CHECKED_BY_CLANG(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) RESTREE_CHECKED_BY_CLANG(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) RESTREE_CHECKED_BY_CLANG(acquire_capability(__VA_ARGS__))
#define RELEASE(...) RESTREE_CHECKED_BY_CLANG(release_capability(__VA_ARGS__))

namespace restree {

// Holds a T and its lock; `lock()` gives access for as long as the returned handle lives.
template <class T>
class CAPABILITY("lock") Guarded {
 public:
  class SCOPED_CAPABILITY Handle {
   public:
    explicit Handle(Guarded& owner) ACQUIRE(owner) : lock_(owner.mutex_), value_(&owner.value_) {}
    ~Handle() RELEASE() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    T* operator->() LIFETIME_BOUND { return value_; }
    T& operator*() LIFETIME_BOUND { return *value_; }
    // For condition variables.
    std::unique_lock<std::mutex>& mutex_lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };
  class SCOPED_CAPABILITY ConstHandle {
   public:
    explicit ConstHandle(const Guarded& owner) ACQUIRE(owner)
        : lock_(owner.mutex_), value_(&owner.value_) {}
    ~ConstHandle() RELEASE() = default;
    ConstHandle(const ConstHandle&) = delete;
    ConstHandle& operator=(const ConstHandle&) = delete;
    const T* operator->() const LIFETIME_BOUND { return value_; }
    const T& operator*() const LIFETIME_BOUND { return *value_; }

   private:
    std::unique_lock<std::mutex> lock_;
    const T* value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  Handle lock() ACQUIRE() { return Handle(*this); }
  ConstHandle lock() const ACQUIRE() { return ConstHandle(*this); }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

class MutexLock;

class CAPABILITY("lock") Mutex {
 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a Mutex for as long as it lives.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() RELEASE() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  // For condition variables.
  std::unique_lock<std::mutex>& mutex_lock() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace restree
