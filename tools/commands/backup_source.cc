#include "tools/commands/backup_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "repo/archiver/files_from.h"
#include "repo/archiver/targets.h"
#include "repo/base/path.h"
#include "repo/base/restic_words.h"
#include "repo/system/child_process.h"
#include "repo/system/environment.h"

namespace restree {
namespace {

// How long to wait for a command to end after it has closed its output.
constexpr std::chrono::hours kCommandPatience{24};

bool has_target_files(const BackupOptions& options) {
  return !options.files_from.empty() || !options.files_from_verbatim.empty() ||
         !options.files_from_raw.empty();
}

// The cache folders of this program and of restic: a backup leaves out both, so that both programs
// save the same files.
std::vector<std::string> cache_folders(const GlobalOptions& options) {
  std::vector<std::string> folders;
  const auto add = [&](const std::string& folder) {
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(folder, failed);
    if (!failed) folders.push_back(clean_path(absolute.string()));
  };
  if (const auto own = cache_base(options.cache)) add(*own);
  if (!options.cache.folder.empty()) add(options.cache.folder);
  if (const std::string own = environment_variable("RESTIC_CACHE_DIR"); !own.empty()) add(own);
  std::string base = environment_variable("XDG_CACHE_HOME");
  if (const std::string home = environment_variable("HOME"); base.empty() && !home.empty()) {
    base = home + "/.cache";
  }
  if (base.empty()) return folders;
  add(base + "/restic");
  add(base + "/restree");  // the default folder, even if this run uses another one
  return folders;
}

// A command whose output is being read.
struct RunningCommand {
  ChildProcess process;
  UniqueFd output;
};

Result<RunningCommand> start_command(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "make a pipe");
  UniqueFd output(ends[0]);
  const UniqueFd input(ends[1]);
  ASSIGN_OR_RETURN(ChildProcess process,
                   ChildProcess::start(words, {-1, input.get(), STDERR_FILENO},
                                       ChildProcess::Terminal::kShared));
  return RunningCommand{std::move(process), std::move(output)};
}

}  // namespace

bool is_stream(const BackupOptions& options) {
  return options.from_stdin || options.stdin_from_command;
}

bool reads_input(const BackupOptions& options) {
  const auto names_input = [](const std::vector<std::string>& files) {
    return std::find(files.begin(), files.end(), "-") != files.end();
  };
  return options.from_stdin || names_input(options.files_from) ||
         names_input(options.files_from_verbatim) || names_input(options.files_from_raw);
}

Status check_sources(const BackupOptions& options) {
  const bool has_targets = !options.targets.empty() || has_target_files(options);
  if (options.from_stdin || options.stdin_from_command) {
    for (const auto& [files, name] : {std::pair{&options.files_from, "--files-from"},
                                      {&options.files_from_verbatim, "--files-from-verbatim"},
                                      {&options.files_from_raw, "--files-from-raw"}}) {
      if (files->empty()) continue;
      return Error(ErrorKind::kInvalid, fmt::format(restic_words::kStdinAndList.text, name));
    }
  }
  if (options.from_stdin && !options.stdin_from_command && has_targets) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kStdinAndTargets.text));
  }
  if (options.stdin_from_command && options.targets.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kNoCommand.text))
        .hinting("restree backup --stdin-from-command --stdin-filename db.sql -- pg_dump db");
  }
  if (!is_stream(options) && !has_targets) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kNothingToBackUp.text));
  }
  return {};
}

Result<std::vector<std::string>> find_targets(const BackupOptions& options, Session& session,
                                              bool& is_incomplete) {
  const auto warn = [&](const Error& error) { session.output().warn(error.message()); };
  ASSIGN_OR_RETURN(std::vector<std::string> targets,
                   targets_from_files({.files_from = options.files_from,
                                       .verbatim = options.files_from_verbatim,
                                       .raw = options.files_from_raw},
                                      warn));
  targets.insert(targets.end(), options.targets.begin(), options.targets.end());
  if (targets.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kNothingToBackUp.text));
  }
  ExistingTargets existing = existing_targets(targets);
  for (const Error& error : existing.missing) warn(error);
  if (existing.targets.empty()) {
    return Error(ErrorKind::kNotFound, std::string(restic_words::kNoSources.text));
  }
  is_incomplete = !existing.missing.empty();
  return std::move(existing.targets);
}

Result<Selection> make_selection(const BackupOptions& options,
                                 const std::vector<std::string>& paths, Session& session) {
  SelectionOptions selection;
  selection.excludes = {.patterns = options.exclude,
                        .patterns_ignoring_case = options.iexclude,
                        .files = options.exclude_file,
                        .files_ignoring_case = options.iexclude_file};
  selection.exclude_if_present = options.exclude_if_present;
  selection.exclude_caches = options.exclude_caches;
  if (!options.exclude_larger_than.empty()) {
    ASSIGN_OR_RETURN(selection.exclude_larger_than, parse_size_limit(options.exclude_larger_than));
  }
  selection.one_file_system = options.one_file_system;
  selection.cache_folders = cache_folders(session.options());
  Io& io = session.io();
  return Selection::make(selection, paths,
                         [&io](const Error& error) { io.err_line(error.for_people()); });
}

Result<std::vector<std::string>> stream_paths(const BackupOptions& options) {
  ASSIGN_OR_RETURN(const auto levels, stream_levels(options.stdin_filename));
  std::string path;
  for (const std::string& level : levels) path += "/" + level;
  return std::vector<std::string>{path};
}

Result<ArchiveResult> archive_from_stream(const BackupOptions& options, const ArchiveParts& parts,
                                          const ArchiveOptions& how, Timestamp time,
                                          const std::stop_token& stop) {
  const StreamTarget target{options.stdin_filename, time, ::getuid(), ::getgid()};
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, stream_paths(options));
  const auto tell = [&](const Error& error) { parts.events.on_error(paths.front(), error); };
  // As in restic, an empty stream is reported, and the snapshot is made without the file.
  const auto tell_if_nothing_came = [&](const ArchiveResult& result, const std::string& whence) {
    if (result.bytes == 0) tell(Error(ErrorKind::kInvalid, "nothing came from " + whence));
  };
  if (!options.stdin_from_command) {
    const std::string whence = "standard input";
    UniqueFd input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!input) return errno_error(errno, "read " + whence);
    auto result =
        archive_stream(parts, how, SourceFile::from_stream(std::move(input), whence, stop), target);
    if (result) tell_if_nothing_came(*result, whence);
    return result;
  }
  ASSIGN_OR_RETURN(RunningCommand command, start_command(options.targets));
  const std::string& program = options.targets.front();
  const std::string whence = "the output of " + program;
  // If this fails, the command is not to blame; the destructor of `command` ends it.
  ASSIGN_OR_RETURN(
      ArchiveResult result,
      archive_stream(parts, how, SourceFile::from_stream(std::move(command.output), whence, stop),
                     target));
  const auto ending = command.process.ending(kCommandPatience);
  if (!ending || !ending->is_success()) {
    Error failed(ErrorKind::kLocalIo,
                 fmt::format("{} (run for --stdin-from-command) {}", program,
                             ending ? ending->words() : "closed its output but does not end"));
    tell(failed);
    return std::move(failed).with(restic_words::kSnapshotNotSaved.text);
  }
  tell_if_nothing_came(result, whence);
  return result;
}

}  // namespace restree
