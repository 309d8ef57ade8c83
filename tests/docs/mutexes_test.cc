// Reads the sources, and refuses locks of which clang's checks know nothing.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace restree {
namespace {

namespace files = std::filesystem;
using ::testing::IsEmpty;

// The one file that may use the standard library's locks: it makes locks of them that are checked.
constexpr std::string_view kWrapper = "repo/base/guarded.h";
// Its lock is waited for with a limit, which ours cannot: the thread that waits has failed, perhaps
// while it held the lock.
constexpr std::string_view kLastResort = "repo/base/last_resort.cc";
// This file names them as well.
constexpr std::string_view kThisTest = "tests/docs/mutexes_test.cc";

// The unchecked lock that a line of code uses, if it uses one.
std::optional<std::string> unchecked_lock(std::string_view line) {
  const std::string_view code = line.substr(0, line.find("//"));
  for (const std::string_view name :
       {"std::mutex", "std::timed_mutex", "std::recursive_mutex", "std::recursive_timed_mutex",
        "std::shared_mutex", "std::shared_timed_mutex", "std::lock_guard", "std::unique_lock",
        "std::scoped_lock", "std::shared_lock", "pthread_mutex_", "pthread_rwlock_",
        "pthread_spin_", "mutex_lock().", "mutex_lock()->"}) {
    if (code.find(name) != std::string_view::npos) return std::string(name);
  }
  return std::nullopt;
}

TEST(Mutexes, AreAllSeenByClang) {
  std::vector<std::string> complaints;
  std::size_t seen = 0;
  for (const char* top : {"repo", "cache", "program", "fs", "tools", "tests", "bench"}) {
    const files::path folder = files::path(RESTREE_SOURCE_DIR) / top;
    for (const auto& entry : files::recursive_directory_iterator(folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      const std::string file = files::relative(entry.path(), RESTREE_SOURCE_DIR).generic_string();
      if (file == kWrapper || file == kLastResort || file == kThisTest) continue;
      ++seen;
      std::ifstream text(entry.path());
      std::size_t number = 0;
      for (std::string line; std::getline(text, line);) {
        ++number;
        if (const auto lock = unchecked_lock(line)) {
          complaints.push_back(file + ":" + std::to_string(number) + ": " + *lock +
                               " instead of Guarded or Mutex");
        }
      }
    }
  }
  EXPECT_GT(seen, 300U) << "the sources were not found";
  EXPECT_THAT(complaints, IsEmpty());
}

TEST(Mutexes, ThatClangDoesNotSeeAreFound) {
  EXPECT_EQ(unchecked_lock("  std::mutex mutex_;"), "std::mutex");
  EXPECT_EQ(unchecked_lock("  const std::lock_guard lock(mutex_);"), "std::lock_guard");
  EXPECT_EQ(unchecked_lock("  state.mutex_lock().unlock();"), "mutex_lock().");
  EXPECT_FALSE(unchecked_lock("  changed_.wait(state.mutex_lock());"));
  EXPECT_FALSE(unchecked_lock("  Guarded<State> state_;  // not a std::mutex"));
}

}  // namespace
}  // namespace restree
