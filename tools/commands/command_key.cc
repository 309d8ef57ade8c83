// restree key list, key add, key passwd, key remove
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "repo/base/restic_words.h"
#include "repo/format/key.h"
#include "repo/repository_keys.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/system/time_zone.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/new_key_options.h"
#include "tools/commands/node_text.h"
#include "tools/output/table.h"

namespace restree {
namespace {

constexpr std::size_t kKeyIdDigits = 8;
// restic tries no more of them.
constexpr std::size_t kMostKeysOfRestic = 20;

struct NamedKey {
  std::string name;
  KeyFile file;
};

Result<KeyFile> load_key(Storage& storage, const ListedFile& file, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_key_file(storage, file, by));
  return parse_key_file(bytes);
}

// Keys that cannot be read are left out, with a message.
Result<std::vector<NamedKey>> load_keys(Repository& repository, const Session& session) {
  Storage& storage = repository.storage();
  ASSIGN_OR_RETURN(const auto files, storage.list(FileType::kKey, session.patience()));
  std::vector<NamedKey> keys;
  for (const ListedFile& file : files) {
    Result<KeyFile> key = load_key(storage, file, session.patience());
    if (key) {
      keys.push_back({file.name, std::move(*key)});
    } else {
      session.output().warn("cannot load key " + file.name + ": " + key.error().message());
    }
  }
  std::sort(keys.begin(), keys.end(),
            [](const NamedKey& a, const NamedKey& b) { return a.name < b.name; });
  return keys;
}

std::string as_json(const std::vector<NamedKey>& keys, const std::string& current) {
  JsonWriter json;
  json.begin_array();
  for (const auto& [name, file] : keys) {
    json.begin_object().key("current").boolean(name == current).key("id").text(name);
    json.key("userName").text(file.username).key("hostName").text(file.hostname);
    json.key("created").text(local_time(file.created)).end_object();
  }
  return json.end_array().json();
}

std::string as_table(const std::vector<NamedKey>& keys, const std::string& current) {
  Table table({" ID", "User", "Host", "Created"});
  for (const auto& [name, file] : keys) {
    table.add_row({(name == current ? "*" : " ") + name.substr(0, kKeyIdDigits), file.username,
                   file.hostname, local_time(file.created)});
  }
  return table.text();
}

Result<ExitCode> run_key_list(Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(const std::vector<NamedKey> keys, load_keys(*repository, session));
  if (session.output().is_json()) {
    session.io().out_line(as_json(keys, repository->key_name()));
  } else {
    session.io().out(as_table(keys, repository->key_name()));
  }
  return ExitCode::kSuccess;
}

void warn_of_many_keys(Repository& repository, const Session& session) {
  const auto keys = repository.list_files(FileType::kKey, session.patience());
  if (!keys || keys->size() <= kMostKeysOfRestic) return;
  session.output().warn(fmt::format(
      "the repository has {} keys, and restic tries {} of them at most: with the others it needs "
      "the hint --key-hint; key remove removes those that nobody uses",
      keys->size(), kMostKeysOfRestic));
}

Result<ExitCode> run_key_add(const NewKeyOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kSharedToWrite));
  ASSIGN_OR_RETURN(const Secret password, find_new_password(options.password));
  ASSIGN_OR_RETURN(const StoredKey added,
                   repository->add_key(password, options.key, session.patience()));
  session.output().say_even_as_json(fmt::format(restic_words::kKeySaved.text, added.name));
  warn_of_many_keys(*repository, session);
  return ExitCode::kSuccess;
}

// The old key goes once the new one has been stored and opened: if this is cut short, both are there.
Result<ExitCode> run_key_passwd(const NewKeyOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  ASSIGN_OR_RETURN(const Secret password, find_new_password(options.password));
  ASSIGN_OR_RETURN(const StoredKey added,
                   repository->add_key(password, options.key, session.patience()));
  Status removed = repository->remove_key(repository->key_name(), session.patience());
  if (!removed) {
    return std::move(removed)
        .error()
        .with("the new password works, but the old one could not be removed")
        .hinting("The new key is " + added.name + "; restree key remove removes the old one, " +
                 repository->key_name() + ".");
  }
  const std::string created = go_time(in_zone(added.holder.created, TimeZone::local()));
  session.output().say_even_as_json(fmt::format(
      restic_words::kKeySavedAs.text, added.holder.username, added.holder.hostname, created));
  return ExitCode::kSuccess;
}

Result<ExitCode> run_key_remove(const std::vector<std::string>& ids, Session& session) {
  if (ids.size() != 1) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kOneKeyWanted.text))
        .hinting("restree key list lists them.");
  }
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  ASSIGN_OR_RETURN(const auto files, repository->list_files(FileType::kKey, session.patience()));
  std::vector<std::string> names;
  for (const ListedFile& file : files) names.push_back(file.name);
  ASSIGN_OR_RETURN(const std::string name, find_by_prefix(names, ids.front()));
  if (name == repository->key_name()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kKeyInUse.text))
        .hinting("Open the repository with another password to remove this one.");
  }
  RETURN_IF_ERROR(repository->remove_key(name, session.patience()));
  session.output().say("removed key " + name);
  return ExitCode::kSuccess;
}

Run declare_key_list(CommandSyntax&) { return run_key_list; }

Run declare_key_add(CommandSyntax& app) {
  const auto options = std::make_shared<NewKeyOptions>();
  add_new_key_options(app, *options);
  return [options](Session& session) { return run_key_add(*options, session); };
}

Run declare_key_passwd(CommandSyntax& app) {
  const auto options = std::make_shared<NewKeyOptions>();
  add_new_key_options(app, *options);
  return [options](Session& session) { return run_key_passwd(*options, session); };
}

Run declare_key_remove(CommandSyntax& app) {
  const auto ids = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "ID", *ids, "The key to remove: its id, or how that begins");
  return [ids](Session& session) { return run_key_remove(*ids, session); };
}

}  // namespace

const std::vector<Command>& key_commands() {
  static const std::vector<Command> commands = {
      {"add", "Add a password", declare_key_add},
      {"list", "Who has a password, and since when", declare_key_list},
      {"passwd", "Change the password with which the repository was opened", declare_key_passwd},
      {"remove", "Remove a password", declare_key_remove},
  };
  return commands;
}

}  // namespace restree
