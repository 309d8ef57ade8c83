// restree rescue-key export, rescue-key import
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "program/access.h"
#include "program/rescue_key.h"
#include "repo/base/unique_fd.h"
#include "repo/rescue/paper_key.h"
#include "repo/rescue/rescue.h"
#include "repo/rescue/rescue_file.h"
#include "repo/system/file_io.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/new_key_options.h"

namespace restree {
namespace {

struct ExportOptions {
  std::vector<std::string> file;
  bool for_paper = false;
  NewKeyOptions key;
};

struct ImportOptions {
  std::vector<std::string> file;
  NewKeyOptions key;
};

Result<std::string> one_file(const std::vector<std::string>& files, std::string_view verb) {
  if (files.size() == 1 && !files.front().empty()) return files.front();
  return Error(ErrorKind::kInvalid, fmt::format("rescue-key {} needs one file", verb))
      .hinting("A hyphen (-) stands for standard output and input.");
}

// For its owner only, and in nothing's place: an older rescue key may be the one that is needed.
Status write_new_file(const std::string& path, ByteView content) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const UniqueFd fd(::open(path.c_str(), kFlags, 0600));
  if (!fd && errno == EEXIST) {
    return Error(ErrorKind::kInvalid, path + " is there already")
        .hinting("Nothing was changed. Give another name.");
  }
  if (!fd) return errno_error(errno, "make " + path);
  int error = write_all(fd.get(), content);
  if (error == 0 && ::fsync(fd.get()) != 0 && errno != EINVAL) error = errno;
  if (error == 0) return {};
  ::unlink(path.c_str());
  return errno_error(error, "write " + path);
}

Status put_out(const std::string& path, std::string_view content, Session& session) {
  if (path != "-") return write_new_file(path, as_bytes(content));
  session.io().out(content);
  return {};
}

constexpr char kPaperHead[] = R"(Rescue key of the repository {}

Whoever has these lines can read the backups: no password protects them.
To put them back, type them into a file and run
    restree -r REPOSITORY rescue-key import FILE
Small letters will do; I and L are read as 1, O as 0.

)";

Result<ExitCode> export_for_paper(const std::string& path, Repository& repository,
                                  Session& session) {
  ASSIGN_OR_RETURN(const Secret lines, export_paper_key(repository));
  std::string head = fmt::format(kPaperHead, repository.config().id.hex());
  head.reserve(head.size() + lines.size());  // so that no copy of the lines is left behind
  head += lines.text();
  const Secret page(std::move(head));
  RETURN_IF_ERROR(put_out(path, page.text(), session));
  return ExitCode::kSuccess;
}

Result<ExitCode> run_export(const ExportOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const std::string path, one_file(options.file, "export"));
  if (path == "-") session.keep_output_for_data();
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  if (options.for_paper) return export_for_paper(path, *repository, session);
  ASSIGN_OR_RETURN(const Secret password, find_new_password(options.key.password));
  ASSIGN_OR_RETURN(const RescueFile file,
                   export_rescue_file(*repository, password, options.key.key, session.patience()));
  RETURN_IF_ERROR(put_out(path, write_rescue_file(file), session));
  if (path != "-") {
    session.output().say("wrote a rescue key of repository " + repository->config().id.short_hex() +
                         " to " + path);
    session.output().say("keep it away from the repository, and its password away from both");
  }
  return ExitCode::kSuccess;
}

void tell(const PutBackFiles& done, const Output& output) {
  output.say(done.key ? "stored key " + done.key_name : "key " + done.key_name + " is there");
  output.say(done.config ? "put the config back" : "the config is whole");
}

using SharedStorage = std::shared_ptr<Storage>;

Result<PutBackFiles> put_paper_back(const SharedStorage& storage, const Secret& text,
                                    const ImportOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const PaperKey paper, read_paper_key(text.text()));
  ASSIGN_OR_RETURN(const Secret password, find_new_password(options.key.password));
  ASSIGN_OR_RETURN(const PutBackFiles done,
                   put_back(*storage, paper, password, options.key.key, session.patience()));
  session.see_changed(storage, password, done.key_name);
  return done;
}

Result<PutBackFiles> put_file_back(const SharedStorage& storage, const Secret& text,
                                   Session& session) {
  ASSIGN_OR_RETURN(const RescueFile file, parse_rescue_file(text.view()));
  PutBackFiles done;
  RETURN_IF_ERROR(session.with_password([&](const Secret& password) -> Status {
    ASSIGN_OR_RETURN(done, put_back(*storage, file, password, session.patience()));
    session.see_changed(storage, password, done.key_name);
    return {};
  }));
  return done;
}

Result<ExitCode> run_import(const ImportOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const std::string path, one_file(options.file, "import"));
  if (path == "-") session.keep_input_for_data();
  ASSIGN_OR_RETURN(const SharedStorage storage, session.storage());
  ASSIGN_OR_RETURN(const Secret text, read_rescue_key(path));
  Result<PutBackFiles> done = is_for_paper(text) ? put_paper_back(storage, text, options, session)
                                                 : put_file_back(storage, text, session);
  if (!done) return std::move(done).error().with(path);
  tell(*done, session.output());
  return ExitCode::kSuccess;
}

Run declare_export(CommandSyntax& app) {
  const auto options = std::make_shared<ExportOptions>();
  add_flag(app, "--paper", options->for_paper,
           "Lines to print: they hold the key itself, under no password");
  add_new_key_options(app, options->key);
  add_arguments(app, "FILE", options->file, "Where it goes; - for standard output");
  return [options](Session& session) { return run_export(*options, session); };
}

Run declare_import(CommandSyntax& app) {
  const auto options = std::make_shared<ImportOptions>();
  add_new_key_options(app, options->key);
  add_arguments(app, "FILE", options->file, "The rescue key; - for standard input");
  return [options](Session& session) { return run_import(*options, session); };
}

}  // namespace

const std::vector<Command>& rescue_key_commands() {
  static const std::vector<Command> commands = {
      {"export", "Write a rescue key to a file, or as lines for paper", declare_export},
      {"import", "Put back what a rescue key holds", declare_import},
  };
  return commands;
}

}  // namespace restree
