// restree key list
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "repo/format/json_writer.h"
#include "repo/format/key.h"
#include "repo/repository_keys.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/node_text.h"
#include "tools/output/table.h"

namespace restree {
namespace {

constexpr std::size_t kKeyIdDigits = 8;

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

Result<ExitCode> run_key(const std::string& what, Session& session) {
  if (what == "list") return run_key_list(session);
  const bool of_restic = what == "add" || what == "remove" || what == "passwd";
  if (of_restic) {
    return Error(ErrorKind::kUnsupported, "restree has no command key " + what)
        .hinting("Use restic: both programs work on the same repository.");
  }
  return Error(ErrorKind::kInvalid,
               what.empty() ? "no command given for key" : "unknown command \"key " + what + "\"")
      .hinting("restree key list shows the keys of the repository.");
}

}  // namespace

Run declare_key(CLI::App& app) {
  const auto words = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "what", *words, "list: who has a password, and since when", {"list"});
  return [words](Session& session) {
    return run_key(words->empty() ? std::string() : words->front(), session);
  };
}

}  // namespace restree
