// restree salvage
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "repo/restorer/restorer.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/text/json_writer.h"
#include "repo/tree_loading.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/restore_target.h"
#include "tools/commands/salvage_report.h"
#include "tools/commands/second_options.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/human.h"
#include "tools/output/output_file.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

struct SalvageOptions {
  std::vector<std::string> snapshots;
  std::string target;
  SnapshotOptions filter;
  SecondOptions second;
  IndexOption index;
  bool partial = false;
};

Status check_words(const SalvageOptions& options) {
  if (options.snapshots.empty()) {
    return Error(ErrorKind::kInvalid, "no snapshot ID specified")
        .hinting("`latest` stands for the newest one; `snapshots` lists them all.");
  }
  if (options.target.empty()) {
    return Error(ErrorKind::kInvalid, "please specify a directory to restore to (--target)");
  }
  return {};
}

// Files that are there already would not be told from what is salvaged.
Status make_new_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) return errno_error(failed.value(), "make " + path);
  const bool is_empty = std::filesystem::is_empty(path, failed);
  if (failed) return errno_error(failed.value(), "look at " + path);
  if (is_empty) return {};
  return Error(ErrorKind::kInvalid, path + " is not empty")
      .hinting("Give another --target, or remove it.");
}

Status write_list(const std::string& path, const std::string& content) {
  ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
  RETURN_IF_ERROR(file.write(as_bytes(content)));
  return file.finish();
}

// One snapshot on its way into a folder of its own.
class Salvage {
 public:
  Salvage(const SalvageOptions& options, Session& session, Repository& repository,
          const SelectedSnapshot& selected, std::string folder)
      : options_(options),
        session_(session),
        repository_(repository),
        selected_(selected),
        folder_(std::move(folder)),
        report_(options.partial) {}

  // Whether all of it is there.
  Result<bool> run() {
    RETURN_IF_ERROR(make_new_folder(folder_));
    const Status restored = restore();
    RETURN_IF_ERROR(write_lists());
    RETURN_IF_ERROR(restored);
    tell();
    return report_.count() == 0;
  }

 private:
  Result<BlobId> find_tree() {
    ASSIGN_OR_RETURN(const BlobId root,
                     find_root(repository_, selected_.snapshot.tree, session_.patience()));
    return find_subfolder(repository_, root, selected_.subfolder, session_.patience());
  }

  Status restore() {
    const Result<BlobId> tree = find_tree();
    if (!tree && is_hopeless(tree.error().kind())) return tree.error();
    if (!tree) {
      report_.error("/", tree.error());
      return {};
    }
    RestoreOptions restore;
    restore.incomplete = options_.partial ? Incomplete::kFillWithZeros : Incomplete::kLeaveOut;
    restore.patience = session_.options().patience;
    restore.stop = session_.stop();
    Restorer restorer(repository_, std::move(restore), report_, folder_);
    const auto show = [&] {
      session_.io().status(fmt::format("salvaged {} of {}",
                                       format_bytes(restorer.figures().bytes_restored),
                                       format_bytes(restorer.figures().bytes_total)));
    };
    const bool is_shown = !session_.output().is_json();
    Status restored;
    {
      const Ticker ticker(
          is_shown ? session_.output().progress_interval() : std::chrono::nanoseconds(0), show);
      restored = restorer.restore(*tree);
    }
    session_.io().status("");
    items_ = restorer.figures().items_restored;
    bytes_ = restorer.figures().bytes_restored;
    return restored;
  }

  Status write_lists() const {
    if (report_.count() == 0) return {};
    RETURN_IF_ERROR(write_list(folder_ + ".lost.txt", report_.as_text()));
    return write_list(folder_ + ".lost.json", report_.as_json() + "\n");
  }

  void tell() const {
    const Output& output = session_.output();
    if (output.is_json()) {
      JsonWriter json;
      json.begin_object().key("message_type").text("salvaged");
      json.key("snapshot").text(selected_.snapshot.id.hex()).key("folder").text(folder_);
      json.key("items").number(items_).key("bytes").number(bytes_);
      json.key("lost").raw(report_.as_json()).end_object();
      return output.json(json.json());
    }
    output.say(fmt::format("snapshot {}: {} files/dirs ({}) are in {}",
                           selected_.snapshot.id.short_hex(), items_, format_bytes(bytes_),
                           folder_));
    if (report_.count() == 0) return output.say("all of it is whole");
    output.say(
        fmt::format("{} paths are not whole; {}.lost.txt names them", report_.count(), folder_));
  }

  const SalvageOptions& options_;
  Session& session_;
  Repository& repository_;
  const SelectedSnapshot& selected_;
  const std::string folder_;
  SalvageReport report_;
  std::uint64_t items_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<bool> salvage(const std::string& word, const SalvageOptions& options,
                     const std::string& target, Repository& repository, Session& session) {
  ASSIGN_OR_RETURN(const SelectedSnapshot selected,
                   find_one_snapshot(session, repository, word, options.filter));
  const std::string folder = target + "/" + selected.snapshot.id.short_hex();
  return Salvage(options, session, repository, selected, folder).run();
}

Result<ExitCode> run(const SalvageOptions& options, Session& session) {
  RETURN_IF_ERROR(check_words(options));
  RETURN_IF_ERROR(session.use_second(options.second.access));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  ASSIGN_OR_RETURN(const std::string target, absolute_target(options.target));
  bool is_all_whole = true;
  for (const std::string& word : options.snapshots) {
    Result<bool> is_whole = salvage(word, options, target, *repository, session);
    if (!is_whole && is_hopeless(is_whole.error().kind())) return is_whole.error();
    if (!is_whole && options.snapshots.size() == 1) return is_whole.error();
    if (!is_whole) session.output().warn(word + ": " + is_whole.error().for_people());
    is_all_whole = is_all_whole && is_whole && *is_whole;
  }
  if (is_all_whole) return ExitCode::kSuccess;
  return session.output().exit_error("not all could be salvaged", ExitCode::kIncomplete);
}

}  // namespace

Run declare_salvage(CommandSyntax& app) {
  const auto options = std::make_shared<SalvageOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots, each by its id, its beginning, or latest; with :FOLDER, only that");
  add_text(app, "-t,--target", options->target,
           "The folder in which each snapshot gets a folder of its own", TextIs::kFolder);
  add_snapshot_options(app, options->filter);
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  add_flag(app, "--partial", options->partial,
           "Files of which a part is lost as well, with zeros in its place");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
