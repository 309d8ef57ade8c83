// restree mount: executes restreefs in place of this process.
#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <memory>

#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/mount_command_line.h"

namespace restree {
namespace {

// Paths to try: beside this program, where the build or the installation puts it, or else in PATH.
std::vector<std::string> places_of_restreefs() {
  // std::filesystem::read_symlink() looks at the link's times as well, and so fails on 32-bit
  // processors from 2038 on: the C++ library has seconds of 32 bits there.
  std::array<char, PATH_MAX> own{};
  if (::readlink("/proc/self/exe", own.data(), own.size() - 1) <= 0) return {"restreefs"};
  const auto folder = std::filesystem::path(own.data()).parent_path();
  return {(folder / "restreefs").string(), (folder / "../sbin/restreefs").string(), "restreefs"};
}

// Restores the signal handling that a program started by a shell has.
void give_signals_back() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  ::signal(SIGHUP, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
}

Result<ExitCode> run_mount(const MountCommandOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const std::string location, session.location());
  ASSIGN_OR_RETURN(std::vector<std::string> call,
                   restreefs_call(options, session.options(), location));
  RETURN_IF_ERROR(session.io().flush());
  std::vector<char*> argv;
  argv.reserve(call.size() + 1);
  for (std::string& word : call) argv.push_back(word.data());
  argv.push_back(nullptr);
  give_signals_back();
  for (const std::string& program : places_of_restreefs()) ::execvp(program.c_str(), argv.data());
  return errno_error(errno, "run restreefs").hinting("It is installed together with restree.");
}

}  // namespace

Run declare_mount(CommandSyntax& app) {
  const auto options = std::make_shared<MountCommandOptions>();
  add_arguments(app, "mountpoint", options->mount_points, "An empty folder", TextIs::kFolder);
  add_snapshot_options(app, options->selection);
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  add_flag(app, "--allow-other", options->allow_other, "Let other users in");
  add_flag(app, "--no-default-permissions", options->no_default_permissions,
           "With --allow-other: let them read everything");
  add_flag(app, "--owner-root", options->owner_root, "Everything belongs to root");
  add_list(app, "--path-template", options->path_templates,
           "Show snapshots under such paths, with %i, %I, %u, %h, %t, %T");
  add_text(app, "--time-template", options->time_template,
           "How times are written, such as 2006-01-02_15-04-05");
  add_deprecated_text(app, "--snapshot-template", options->time_template, "use --time-template");
  return [options](Session& session) { return run_mount(*options, session); };
}

}  // namespace restree
