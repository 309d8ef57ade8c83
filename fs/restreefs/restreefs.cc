// restreefs: mounts a restic repository.
#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "fs/fuse/fuse_session.h"
#include "fs/mount.h"
#include "fs/restreefs/background.h"
#include "fs/restreefs/mount_point.h"
#include "fs/restreefs/options.h"
#include "fs/restreefs/refresher.h"
#include "fs/restreefs/status_sources.h"
#include "fs/restreefs/warming.h"
#include "program/access.h"
#include "program/cache_settings.h"
#include "program/exit_codes.h"
#include "program/process.h"
#include "program/repository_opening.h"
#include "program/ssh_settings.h"
#include "program/storage_kinds.h"
#include "repo/base/log.h"
#include "repo/lock/repository_lock.h"
#include "repo/repository.h"

namespace restree {
namespace {

// To the terminal, wherever the log goes.
void tell(const std::string& message) { std::fprintf(stderr, "restreefs: %s\n", message.c_str()); }

// Tells a person what went wrong, and returns the exit code for it.
int complain(const Error& error) {
  tell(error.for_people());
  return to_int(exit_code_of(error.kind()));
}

// The signals that SignalWatch waits for. Blocked before the first thread starts, so that no
// thread gets one unasked.
sigset_t handled_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
  return set;
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

// Turns signals into what they ask for. What SIGHUP and SIGTERM mean changes as the start goes on.
class SignalWatch {
 public:
  SignalWatch()
      : meaning_(Meaning{[] {},
                         [] {
                           leave_prompt();
                           std::_Exit(to_int(ExitCode::kCancelled));
                         }}),
        thread_([this](const std::stop_token& done) { run(done); }) {}

  void on_refresh(std::function<void()> refresh) { meaning_.lock()->refresh = std::move(refresh); }
  void on_stop(std::function<void()> stop) { meaning_.lock()->stop = std::move(stop); }
  // Returns once no signal means anything any more.
  void end() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Meaning {
    std::function<void()> refresh;
    std::function<void()> stop;
  };

  void run(const std::stop_token& done) {
    const sigset_t set = handled_signals();
    bool stopping = false;
    while (!done.stop_requested()) {
      const timespec slice{.tv_sec = 0, .tv_nsec = 200'000'000};
      const int signal = ::sigtimedwait(&set, nullptr, &slice);
      const Meaning meaning = *meaning_.lock();
      if (signal == SIGHUP) meaning.refresh();
      if ((signal == SIGTERM || signal == SIGINT) && !stopping) {
        stopping = true;
        meaning.stop();
      }
    }
  }

  Guarded<Meaning> meaning_;
  std::jthread thread_;
};

// Ends a watch before what its signals would touch goes.
class EndOfSignals {
 public:
  explicit EndOfSignals(SignalWatch& watch) : watch_(watch) {}
  ~EndOfSignals() { watch_.end(); }
  EndOfSignals(const EndOfSignals&) = delete;
  EndOfSignals& operator=(const EndOfSignals&) = delete;

 private:
  SignalWatch& watch_;
};

// What the mount is called in /proc/mounts: the repository, without the colons that make tools
// take it for a network mount that they know.
std::string source_name(const Location& location) {
  std::string name = location.description();
  for (char& c : name) {
    if (c == ':') c = '#';
  }
  return name;
}

LockRequest lock_request(const RestreefsOptions& options) {
  return {.reads_only = true,
          .retry_for = options.retry_lock,
          .tell = [](const std::string& message) { log::warning("{}", message); }};
}

SshOptions storage_options(const RestreefsOptions& options) {
  SshOptions ssh = with_secret_sources(options.ssh, options.mount.time_limit);
  ssh.limits = make_rate_limits(options.upload_limit, options.download_limit);
  ssh.open_connections = std::make_shared<std::atomic<unsigned>>(0);
  return ssh;
}

// nullptr: there is nothing to warm, or nowhere to keep it.
std::shared_ptr<WarmProgress> plan_warming(const RestreefsOptions& options, bool has_cache) {
  if (options.warm.empty()) return nullptr;
  if (has_cache) return std::make_shared<WarmProgress>();
  log::warning("nothing is warmed, as there is no cache on disk");
  return nullptr;
}

std::unique_ptr<Warming> start_warming(const RestreefsOptions& options,
                                       const OpenedRepository& opened,
                                       std::shared_ptr<WarmProgress> progress) {
  if (progress == nullptr) return nullptr;
  return std::make_unique<Warming>(
      *opened.repository, *opened.cache, options.warm, options.mount.names,
      std::chrono::duration_cast<std::chrono::seconds>(options.mount.time_limit),
      std::move(progress));
}

Result<OpenedRepository> open(const RestreefsOptions& options, const Location& location,
                              const std::optional<CachePlace>& cache,
                              std::shared_ptr<BreakerStorage> storage, const SshOptions& ssh) {
  // Wiped at the end: the keys are open.
  ASSIGN_OR_RETURN(const Secret password, find_password(options.access, Deadline::never()));
  ASSIGN_OR_RETURN(OpenedRepository opened,
                   open_repository({.storage = std::move(storage),
                                    .cache = cache,
                                    .location = location.identity(ssh),
                                    .key_hint = find_key_hint(options.access),
                                    .may_be_offline = !options.lock,
                                    .reads_early = !options.lock && location.is_far()},
                                   password, Deadline::after(options.mount.time_limit)));
  // Here for who mounts; later, in the log, for who looks there.
  const bool is_log_here = options.foreground && options.log_file.empty();
  if (opened.offline && !is_log_here) tell(*opened.offline);
  return opened;
}

Status serve(RestreefsOptions options, const Location& location,
             const std::optional<CachePlace>& cache, Background& background) {
  SignalWatch signals;
  std::stop_source stopping;  // ends retries against a server that is away
  const SshOptions ssh = storage_options(options);
  ASSIGN_OR_RETURN(std::shared_ptr<Storage> asked,
                   location.make_storage(ssh, stopping.get_token()));
  const auto storage = std::make_shared<BreakerStorage>(
      std::move(asked), BreakerTiming{.patience = options.mount.time_limit});
  ASSIGN_OR_RETURN(const OpenedRepository opened, open(options, location, cache, storage, ssh));
  Repository* const repository = opened.repository.get();
  std::shared_ptr<PackFetcher> fetcher;
  if (location.is_far()) {
    fetcher = std::make_shared<PackFetcher>(
        storage, FetchOptions{.budgets = fetch_budgets(options.mount.memory_bytes),
                              .time_limit = options.mount.time_limit});
    options.mount.fetcher = fetcher.get();
    repository->use_source(fetcher);
  }
  const auto warmed = plan_warming(options, opened.cache != nullptr);
  options.mount.more_status = status_of({.storage = storage,
                                         .cache = opened.cache,
                                         .fetcher = fetcher,
                                         .connections = ssh.open_connections,
                                         .warmed = warmed});

  std::unique_ptr<RepositoryLock> lock;
  if (options.lock) {
    const auto by = Deadline::after(options.mount.time_limit + options.retry_lock);
    ASSIGN_OR_RETURN(lock, RepositoryLock::acquire(*repository, lock_request(options), by));
  }
  // The process ends where it is: nothing is written, so only someone's read is cut short.
  const auto leave_at_once = [&lock](int exit_code) {
    lock.reset();
    leave_prompt();
    std::_Exit(exit_code);
  };
  signals.on_stop([&] { leave_at_once(to_int(ExitCode::kCancelled)); });
  const EndOfSignals no_signal_after_this(signals);
  ASSIGN_OR_RETURN(const std::unique_ptr<Mount> mount, Mount::open(*repository, options.mount));

  FuseContext context(*mount);
  // A stop that comes while the mount is being made waits until it is there, and undoes it.
  std::promise<FuseSession*> made;
  signals.on_stop([&, mounted = made.get_future().share()] {
    stopping.request_stop();
    FuseSession* const session = mounted.get();
    if (session != nullptr && session->stop()) return;
    if (session != nullptr) {
      log::warning("unmounted {} while reads were still waiting", options.mount_point);
    }
    leave_at_once(session != nullptr ? 0 : to_int(ExitCode::kCancelled));
  });
  auto mounted = FuseSession::mount(context, options.mount_point, source_name(location),
                                    options.kernel, options.debug);
  made.set_value(mounted ? mounted->get() : nullptr);
  RETURN_IF_ERROR(mounted);
  const std::unique_ptr<FuseSession> session = std::move(*mounted);
  Refresher refresher(*mount, *session, options.refresh);
  signals.on_refresh(refresher.poke());
  storage->on_return(refresher.poke());
  if (opened.offline) refresher.poke()();  // it may be back by now
  const std::unique_ptr<Warming> warming = start_warming(options, opened, warmed);
  session->run([&] {
    background.ready();
    if (opened.offline) log::warning("{}", *opened.offline);
  });
  signals.end();
  return {};
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

// A mount over one of these would wait for itself.
std::vector<NeededFolder> needed_folders(const Location& location,
                                         const std::optional<CachePlace>& cache) {
  std::vector<NeededFolder> needed;
  if (const auto folder = location.folder()) needed.push_back({"repository", *folder});
  if (cache) needed.push_back({"cache", cache->base});
  return needed;
}

int run(int argc, const char* const* argv) {
  Result<ParsedCommandLine> parsed = parse_command_line(argc, argv);
  if (!parsed) return complain(parsed.error());
  if (parsed->text) {
    std::fputs(parsed->text->c_str(), stdout);
    return 0;
  }
  RestreefsOptions options = std::move(parsed->options);
  if (options.debug) log::set_level(log::Level::kDebug);
  stay_below_kernel_timeout(options.mount.time_limit);

  const Result<std::string> named = find_location(options.access);
  if (!named) return complain(named.error());
  const auto found = find_repository(*named);
  if (!found) return complain(found.error());
  const Location& location = **found;
  // Found before the background, where there are another current folder and no terminal.
  const std::optional<CachePlace> cache = find_cache(options.cache, location.is_far());
  const Result<std::string> point =
      prepare_mount_point(options.mount_point, needed_folders(location, cache));
  if (!point) return complain(point.error());
  options.mount_point = *point;
  options.mount.ownership.mounted_by_uid = ::geteuid();
  options.mount.ownership.mounted_by_gid = ::getegid();

  const sigset_t signals = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  Result<Background> background = options.foreground ? Background::foreground(options.log_file)
                                                     : Background::start(options.log_file);
  if (!background) return complain(background.error());
  if (background->is_parent()) {
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return background->wait_for_child();
  }
  const Status served = serve(std::move(options), location, cache, *background);
  return served ? 0 : complain(served.error());
}

}  // namespace
}  // namespace restree

int main(int argc, char** argv) {
  restree::keep_memory_private();
  restree::keep_heaps_few();
  return restree::run(argc, argv);
}
