// restree cat
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "repo/base/restic_words.h"
#include "repo/crypto/sha256.h"
#include "repo/format/snapshot.h"
#include "repo/repository_keys.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/second_options.h"
#include "tools/output/json_indent.h"

namespace restree {
namespace {

using Words = std::vector<std::string>;

struct CatOptions {
  Words words;
  SecondOptions second;
  IndexOption index;
};

constexpr std::array<std::string_view, 9> kTypes = {
    "config", "index", "snapshot", "key", "masterkey", "lock", "pack", "blob", "tree"};

Status check(const Words& words) {
  if (words.empty()) return Error(ErrorKind::kInvalid, "type not specified");
  if (std::find(kTypes.begin(), kTypes.end(), words[0]) == kTypes.end()) {
    return Error(ErrorKind::kInvalid, fmt::format("invalid type \"{}\", must be one of [{}]",
                                                  words[0], fmt::join(kTypes, "|")));
  }
  const bool needs_id = words[0] != "masterkey" && words[0] != "config";
  if (needs_id && words.size() != 2) return Error(ErrorKind::kInvalid, "ID not specified");
  return {};
}

Result<BlobId> parse_id(const std::string& word) {
  if (const auto id = BlobId::parse(word)) return *id;
  return Error(ErrorKind::kInvalid,
               fmt::format("unable to parse ID: invalid length for ID: \"{}\"", word))
      .hinting("Give all 64 digits; restree list prints them.");
}

std::string line(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Result<std::string> config_text(Repository& repository) {
  const Config& config = repository.config();
  return line(indent_json(fmt::format(R"({{"version":{},"id":"{}","chunker_polynomial":"{:x}"}})",
                                      config.version, config.id.hex(), config.chunker_polynomial)));
}

Result<SelectedSnapshot> snapshot_to_print(Session& session, Repository& repository,
                                           const std::string& word) {
  auto selected = select_by_id(repository, word, session.patience());
  if (!selected) {
    return std::move(selected).error().with(restic_words::kCouldNotFindSnapshot.text);
  }
  return selected;
}

Result<std::string> snapshot_text(Session& session, Repository& repository, const Words& words) {
  ASSIGN_OR_RETURN(const SelectedSnapshot selected,
                   snapshot_to_print(session, repository, words[1]));
  return line(indent_json(write_snapshot(selected.snapshot)));
}

// The content of a file that is encrypted JSON.
Result<std::string> sealed_text(Session& session, Repository& repository, FileType type,
                                const Words& words) {
  ASSIGN_OR_RETURN(const BlobId id, parse_id(words[1]));
  ASSIGN_OR_RETURN(const Bytes json,
                   repository.load_unpacked({type, id.hex()}, session.patience()));
  return line(type == FileType::kLock ? indent_json(as_text(json)) : std::string(as_text(json)));
}

Result<std::string> key_text(Session& session, Repository& repository, const Words& words) {
  ASSIGN_OR_RETURN(const BlobId id, parse_id(words[1]));
  Result<Bytes> json =
      read_key_file(repository.storage(), {.name = id.hex(), .size_bytes = 0}, session.patience());
  if (!json) return std::move(json).error().with("key " + id.hex());
  return line(indent_json(as_text(json->view())));
}

// The pack as it is stored, damaged or not.
Result<std::string> pack_bytes(Session& session, Repository& repository, const Words& words) {
  ASSIGN_OR_RETURN(const BlobId id, parse_id(words[1]));
  ASSIGN_OR_RETURN(const Bytes bytes,
                   repository.storage().read_all({FileType::kPack, id.hex()}, session.patience()));
  const std::string hash = to_hex(sha256(bytes));
  if (hash != id.hex()) {
    session.output().warn(fmt::format(
        "Warning: hash of data does not match ID, want\n  {}\ngot:\n  {}", id.hex(), hash));
  }
  return std::string(as_text(bytes));
}

Result<std::string> blob_bytes(Session& session, Repository& repository, const Words& words) {
  ASSIGN_OR_RETURN(const BlobId id, parse_id(words[1]));
  RETURN_IF_ERROR(repository.refresh_index(session.patience()));
  constexpr std::array kBlobTypes{BlobType::kData, BlobType::kTree};
  const auto is_named = [&](BlobType type) { return repository.blob_size(type, id).has_value(); };
  auto type = std::ranges::find_if(kBlobTypes, is_named);
  if (type == kBlobTypes.end()) {
    type = std::ranges::find_if(
        kBlobTypes, [&](BlobType one) { return repository.size_anywhere(one, id).has_value(); });
  }
  if (type != kBlobTypes.end()) {
    ASSIGN_OR_RETURN(const SharedBlob blob, repository.load(*type, id, session.patience()));
    return std::string(as_text(*blob));
  }
  return Error(ErrorKind::kInvalid, "blob not found");
}

Result<std::string> tree_bytes(Session& session, Repository& repository, const Words& words) {
  ASSIGN_OR_RETURN(const SelectedSnapshot selected,
                   snapshot_to_print(session, repository, words[1]));
  RETURN_IF_ERROR(repository.refresh_index(session.patience()));
  ASSIGN_OR_RETURN(const BlobId id, find_subfolder(repository, selected.snapshot.tree,
                                                   selected.subfolder, session.patience()));
  ASSIGN_OR_RETURN(const SharedBlob blob, repository.load(BlobType::kTree, id, session.patience()));
  return std::string(as_text(*blob));
}

Result<std::string> content(Session& session, Repository& repository, const Words& words) {
  const std::string& type = words[0];
  if (type == "config") return config_text(repository);
  if (type == "snapshot") return snapshot_text(session, repository, words);
  if (type == "index") return sealed_text(session, repository, FileType::kIndex, words);
  if (type == "lock") return sealed_text(session, repository, FileType::kLock, words);
  if (type == "key") return key_text(session, repository, words);
  if (type == "pack") return pack_bytes(session, repository, words);
  if (type == "blob") return blob_bytes(session, repository, words);
  if (type == "tree") return tree_bytes(session, repository, words);
  return line(indent_json(repository.master_key_json().text()));
}

Result<ExitCode> run_cat(const CatOptions& options, Session& session) {
  const Words& words = options.words;
  RETURN_IF_ERROR(check(words));
  session.keep_output_for_data();
  RETURN_IF_ERROR(session.use_second(options.second.access));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(const std::string text, content(session, *repository, words));
  session.io().bytes(text);
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_cat(CommandSyntax& app) {
  const auto options = std::make_shared<CatOptions>();
  add_arguments(app, "object", options->words,
                "What to print; then its id, which masterkey and config have not, and tree as "
                "SNAPSHOT:SUBFOLDER",
                {kTypes.begin(), kTypes.end()});
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  return [options](Session& session) { return run_cat(*options, session); };
}

}  // namespace restree
