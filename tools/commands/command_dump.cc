// restree dump
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "repo/base/restic_words.h"
#include "repo/dumper/dumper.h"
#include "repo/dumper/tar_writer.h"
#include "repo/dumper/zip_writer.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/path_lookup.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/second_options.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/output_file.h"

namespace restree {
namespace {

struct DumpCommandOptions {
  std::vector<std::string> words;
  SnapshotOptions filter;
  SecondOptions second;
  IndexOption index;
  std::string archive = "tar";
  std::string target;
};

// A file by itself is written as it is.
class RawSink final : public DumpSink {
 public:
  explicit RawSink(ByteOutput output) : output_(std::move(output)) {}
  Status begin(const std::string&, const Node&, std::uint64_t) override { return {}; }
  Status data(ByteView bytes) override { return output_(bytes); }

 private:
  const ByteOutput output_;
};

// "/a/./b/" as "a/b".
std::string inner_path(const std::string& words) {
  std::string path = std::filesystem::path("/" + words).lexically_normal().string();
  path.erase(0, path.find_first_not_of('/'));
  while (path.ends_with('/')) path.pop_back();
  return path;
}

Result<std::unique_ptr<DumpSink>> archive_writer(const std::string& format,
                                                 const ByteOutput& output) {
  if (format == "tar") return std::make_unique<TarWriter>(output);
  ASSIGN_OR_RETURN(std::unique_ptr<DumpSink> zip, ZipWriter::open(output));
  return zip;
}

Status dump(const DumpCommandOptions& options, Session& session, Repository& repository,
            const BlobId& root, const ByteOutput& output) {
  const std::string path = inner_path(options.words[1]);
  ASSIGN_OR_RETURN(const NamedEntry found, look_up(repository, root, path, session.patience()));
  BulkOptions bulk;
  bulk.patience = session.options().patience;
  bulk.stop = session.stop();
  Dumper dumper(repository, bulk, [&](const std::string& words) { session.output().warn(words); });
  if (found.file != nullptr) {
    RawSink sink(output);
    return dumper.dump_file(found.tree, *found.file, sink);
  }
  if (options.target.empty() && session.io().is_terminal()) {
    return Error(ErrorKind::kInvalid, "stdout is the terminal, please redirect output")
        .hinting("Or name a file with --target.");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<DumpSink> archive,
                   archive_writer(options.archive, output));
  RETURN_IF_ERROR(dumper.dump_folder(found.tree, path, *archive));
  return archive->finish();
}

Result<ExitCode> run(const DumpCommandOptions& options, Session& session) {
  if (options.words.size() != 2) {
    return Error(ErrorKind::kInvalid, "no file and no snapshot ID specified")
        .hinting("restree dump SNAPSHOT PATH; the path / stands for all of it.");
  }
  // An empty path comes from a variable that is not set; it does not stand for the whole snapshot.
  if (!options.words[1].starts_with('/') && inner_path(options.words[1]).empty()) {
    return Error(ErrorKind::kInvalid,
                 fmt::format(restic_words::kNotInSnapshot.text, options.words[1]))
        .hinting("The path / stands for all of it.");
  }
  if (options.target.empty()) session.keep_output_for_data();
  RETURN_IF_ERROR(session.use_second(options.second.access));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(const SelectedSnapshot selected,
                   find_one_snapshot(session, *repository, options.words[0], options.filter));
  RETURN_IF_ERROR(repository->refresh_index(session.patience()));
  ASSIGN_OR_RETURN(const BlobId root, find_subfolder(*repository, selected.snapshot.tree,
                                                     selected.subfolder, session.patience()));
  std::optional<OutputFile> file;
  ByteOutput output = [&](ByteView bytes) -> Status {
    session.io().bytes(as_text(bytes));
    if (session.stop().stop_requested()) RETURN_IF_ERROR(session.io().flush());
    return session.go_on();
  };
  if (!options.target.empty()) {
    Result<OutputFile> created = OutputFile::create(options.target);
    if (!created) return std::move(created).error().with("cannot dump to file");
    file.emplace(std::move(*created));
    output = [&](ByteView bytes) { return file->write(bytes); };
  }
  Status dumped = dump(options, session, *repository, root, output);
  if (dumped && file) dumped = file->finish();
  if (!dumped) return std::move(dumped).error().with("cannot dump file");
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_dump(CommandSyntax& app) {
  auto options = std::make_shared<DumpCommandOptions>();
  add_arguments(app, "snapshot path", options->words,
                "The snapshot (id, beginning, latest, with :FOLDER) and the file or folder in it");
  add_snapshot_options(app, options->filter);
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  add_choice(app, "-a,--archive", options->archive, "archive format", {"tar", "zip"},
             "How a folder is written");
  add_text(app, "-t,--target", options->target, "Write to this file instead of the output",
           TextIs::kFile);
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
