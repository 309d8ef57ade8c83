// restree list
#include <fmt/core.h>

#include <map>
#include <memory>

#include "repo/format/index_file.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

const std::map<std::string, FileType>& file_types() {
  static const std::map<std::string, FileType> types = {{"packs", FileType::kPack},
                                                        {"index", FileType::kIndex},
                                                        {"snapshots", FileType::kSnapshot},
                                                        {"keys", FileType::kKey},
                                                        {"locks", FileType::kLock}};
  return types;
}

Status list_files(Session& session, Repository& repository, FileType type) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(type, session.patience()));
  for (const ListedFile& file : files) session.io().out_line(file.name);
  return {};
}

Status list_blobs(Session& session, Repository& repository) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kIndex, session.patience()));
  for (const ListedFile& file : files) {
    RETURN_IF_ERROR(session.go_on());
    ASSIGN_OR_RETURN(const Bytes json,
                     repository.load_unpacked({FileType::kIndex, file.name}, session.patience()));
    Status parsed = parse_index_file(json, [&](const PackId&, auto blobs) {
      std::string lines;
      for (const IndexedBlob& blob : blobs) {
        lines += fmt::format("{} {}\n", to_string(blob.type), blob.id.hex());
      }
      session.io().out(lines);
    });
    if (!parsed) return std::move(parsed).error().with("index " + file.name);
  }
  return {};
}

// `command`: its full name, for messages.
Result<ExitCode> run_list(const std::vector<std::string>& words, const std::string& command,
                          Session& session) {
  if (words.size() != 1) {
    return Error(ErrorKind::kInvalid, fmt::format("accepts 1 arg(s), received {}", words.size()))
        .hinting("Name one of blobs, packs, index, snapshots, keys and locks.");
  }
  const auto type = file_types().find(words.front());
  const bool is_blobs = words.front() == "blobs";
  if (type == file_types().end() && !is_blobs) {
    return Error(ErrorKind::kInvalid,
                 fmt::format(R"(invalid argument "{}" for "{}")", words.front(), command))
        .hinting("Name one of blobs, packs, index, snapshots, keys and locks.");
  }
  // No lock for listing locks, since it would be in the list.
  const bool is_locks = !is_blobs && type->second == FileType::kLock;
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(is_locks ? Locking::kNone : Locking::kShared));
  RETURN_IF_ERROR(is_blobs ? list_blobs(session, *repository)
                           : list_files(session, *repository, type->second));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_list(CommandSyntax& app) {
  const auto words = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "type", *words, "What to list",
                {"blobs", "packs", "index", "snapshots", "keys", "locks"});
  return [words, command = app.full_name()](Session& session) {
    return run_list(*words, command, session);
  };
}

}  // namespace restree
