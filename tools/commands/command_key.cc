// restree key list
#include <algorithm>
#include <string>
#include <vector>

#include "repo/format/key.h"
#include "repo/repository_keys.h"
#include "repo/text/json_writer.h"
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

}  // namespace

Run declare_key(CommandSyntax& app) {
  app.add_command("list", "Who has a password, and since when").add_help();
  for (const char* name : {"add", "passwd", "remove"}) {
    app.refuse_command(name, "Use restic: both programs work on the same repository.");
  }
  return run_key_list;
}

}  // namespace restree
