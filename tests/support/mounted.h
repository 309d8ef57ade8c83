// restreefs, the real program, with a repository mounted for as long as a test needs it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/unique_fd.h"
#include "tests/support/process.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

struct MountRequest {
  std::string location;              // the REPOSITORY word of the command line
  std::vector<std::string> options;  // each one behind its own -o
  std::vector<std::pair<std::string, std::optional<std::string>>> env;  // besides the password
  std::filesystem::path mount_point;                                    // empty: a fresh folder
  std::filesystem::path cache;  // XDG_CACHE_HOME; empty: a fresh folder
};

MountRequest mount_of(const Restic& restic, std::vector<std::string> options = {});

// Ownership: the mount and its process, which becomes a child of the test when it goes to the
//            background. The destructor unmounts as unmount() does, and by force if that fails.
// Errors:    the constructor throws std::runtime_error with what restreefs printed; everything
//            later that is not as it must be is a failure of the running test.
class Mounted {
 public:
  explicit Mounted(const MountRequest& request);
  explicit Mounted(const Restic& restic, std::vector<std::string> options = {})
      : Mounted(mount_of(restic, std::move(options))) {}
  // One that another program (mount(8)) has just made, as a descendant of this process.
  static std::unique_ptr<Mounted> by_others(const std::filesystem::path& mount_point);
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  ~Mounted();

  const std::filesystem::path& path() const { return mount_point_; }
  std::filesystem::path operator/(const std::filesystem::path& below) const {
    return mount_point_ / below;
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // All that was written to log_file so far.
  std::string log() const;

  // `fusermount3 -u`, then what every end has to look like: see expect_end.
  void unmount();
  // Expects that the process ends by itself within `timeout`, with exit code `code`, leaving no mount
  // and no sanitizer's report behind.
  void expect_end(std::chrono::seconds timeout = std::chrono::seconds(20), int code = 0);
  // The process is gone after this; the mount is left as a crash leaves it.
  void kill();

 private:
  struct ByOthers {};
  Mounted(ByOthers, std::filesystem::path mount_point);
  std::optional<int> exit_code_within(std::chrono::seconds timeout);
  void take_over_process();

  TempDir dir_;
  std::filesystem::path mount_point_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

// The command that starts restreefs on `mount_point`, with log and cache in `dir`.
Command mount_command(const MountRequest& request, const std::filesystem::path& dir,
                      const std::filesystem::path& mount_point);

// For mounts that must fail: how restreefs ended and what it printed. If it mounts all the
// same, that is undone, and `exit_code` is 0.
Finished try_mount(const MountRequest& request);

// Whether /proc/self/mountinfo has a mount there; and its line from /proc/mounts.
bool is_mounted(const std::filesystem::path& mount_point);
std::string mount_line(const std::filesystem::path& mount_point);
// The process among this one's children whose command line names `word`, or -1.
pid_t child_with_word(const std::string& word);
// From now on processes that go to the background become children of this one.
void adopt_daemons();

}  // namespace restree::testing
