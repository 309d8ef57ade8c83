// restreefs: mounts a restic repository.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fs/restreefs/background.h"
#include "fs/restreefs/mount_point.h"
#include "fs/restreefs/options.h"
#include "fs/restreefs/serving.h"
#include "program/access.h"
#include "program/cache_settings.h"
#include "program/exit_codes.h"
#include "program/process.h"
#include "program/second_opening.h"
#include "program/signals.h"
#include "program/storage_kinds.h"
#include "repo/base/last_resort.h"
#include "repo/base/log.h"

namespace restree {
namespace {

// Prints what went wrong to the terminal, wherever the log goes. Returns the exit code for it.
int complain(const Error& error) {
  std::fprintf(stderr, "restreefs: %s\n", error.for_people().c_str());
  return to_int(exit_code_of(error.kind()));
}

// A kernel may give up on a file system that does not answer in time; we must be faster.
void stay_below_kernel_timeout(std::chrono::milliseconds& limit) {
  constexpr std::chrono::seconds kMargin{5};
  for (const char* name : {"default_request_timeout", "max_request_timeout"}) {
    std::ifstream file(std::string("/proc/sys/fs/fuse/") + name);
    long seconds = 0;
    if (!(file >> seconds) || seconds <= 0) continue;
    const auto most = std::max<std::chrono::milliseconds>(std::chrono::seconds(seconds) - kMargin,
                                                          std::chrono::seconds(1));
    if (limit <= most) continue;
    log::warning("fs.fuse.{} is {} s: reads give up after {} s", name, seconds,
                 std::chrono::duration_cast<std::chrono::seconds>(most).count());
    limit = most;
  }
}

// A local path is made absolute: in the background there is another current folder.
Result<std::unique_ptr<const Location>> find_repository(const std::string& named) {
  ASSIGN_OR_RETURN(std::unique_ptr<const Location> location, parse_location(named));
  const std::optional<std::string> folder = location->folder();
  if (!folder) return location;
  std::error_code failure;
  const std::string absolute = std::filesystem::absolute(*folder, failure).string();
  if (failure) return Error(ErrorKind::kInvalid, named + ": " + failure.message());
  return local_location(absolute);
}

// As the repository was written, by which mount(8), umount(8) and findmnt(8) find the mount again;
// but a folder by its absolute path, and never with a password that somebody wrote into a URL.
std::string source_name(const std::string& named, const Location& location) {
  if (const auto folder = location.folder()) {
    return named.ends_with(*folder) ? named : *folder;
  }
  const std::size_t scheme_end = named.find("://");
  if (scheme_end == std::string::npos) return named;
  const std::string server =
      named.substr(scheme_end + 3, named.find('/', scheme_end + 3) - scheme_end - 3);
  const bool may_hold_password =
      server.substr(0, server.rfind('@') + 1).find(':') != std::string::npos;
  return may_hold_password ? location.description() : named;
}

// A mount over one of these would wait for itself.
std::vector<NeededFolder> needed_folders(const Location& location,
                                         const std::optional<CachePlace>& cache) {
  std::vector<NeededFolder> needed;
  if (const auto folder = location.folder()) needed.push_back({"repository", *folder});
  if (cache) needed.push_back({"cache", cache->base});
  return needed;
}

// What serve() needs, found while there is still the current folder of the user's shell.
struct Prepared {
  RestreefsOptions options;
  std::unique_ptr<const Location> location;
  std::optional<CachePlace> cache;
};

Result<Prepared> prepare(RestreefsOptions options) {
  Prepared prepared;
  stay_below_kernel_timeout(options.mount.time_limit);
  ASSIGN_OR_RETURN(const std::string named, find_location(options.access));
  ASSIGN_OR_RETURN(prepared.location, find_repository(named));
  ASSIGN_OR_RETURN(std::optional<SecondPlace> second, find_second(options.second));
  if (second) options.second_place = std::make_shared<const SecondPlace>(std::move(*second));
  if (options.source_name.empty()) options.source_name = source_name(named, *prepared.location);
  options.announced_as = options.mount_point;
  prepared.cache = find_cache(options.cache, prepared.location->is_far());
  ASSIGN_OR_RETURN(
      options.mount_point,
      prepare_mount_point(options.mount_point, needed_folders(*prepared.location, prepared.cache)));
  options.mount.ownership.mounted_by_uid = ::geteuid();
  options.mount.ownership.mounted_by_gid = ::getegid();
  prepared.options = std::move(options);
  return prepared;
}

int run(int argc, const char* const* argv) {
  Result<ParsedCommandLine> parsed = parse_command_line(argc, argv);
  if (!parsed) return complain(parsed.error());
  if (const std::optional<std::string>& text = parsed->text) {
    std::fputs(text->c_str(), stdout);
    return 0;
  }
  if (parsed->options.debug) log::set_level(log::Level::kDebug);
  const Result<Prepared> prepared = prepare(std::move(parsed->options));
  if (!prepared) return complain(prepared.error());
  const RestreefsOptions& options = prepared->options;

  const SignalSet signals = serving_signals();
  signals.block();  // so that none is lost between the fork and the child's thread that waits
  Result<Background> background = options.foreground ? Background::foreground(options.log_file)
                                                     : Background::start(options.log_file);
  if (!background) return complain(background.error());
  if (background->is_parent()) {
    signals.unblock();
    return background->wait_for_child();
  }
  const Status served = serve(options, *prepared->location, prepared->cache, *background);
  return served ? 0 : complain(served.error());
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) {
  restree::keep_memory_private();
  restree::keep_heaps_few();
  restree::survive_failed_writes();
  restree::raise_limit_of_open_files();
  ::signal(SIGUSR1, SIG_IGN);  // it asks other programs for their progress
  restree::undo_if_all_else_fails("restreefs");
  try {
    return restree::run(argc, argv);
  } catch (const std::exception& failure) {
    return restree::complain(restree::error_of(failure));
  }
}
