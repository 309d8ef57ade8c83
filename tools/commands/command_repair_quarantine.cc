// restree repair quarantine
#include <fmt/core.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/quarantine_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct QuarantineCommandOptions {
  QuarantineOptions quarantine{.where = std::string(Session::kInRepository)};
  bool remove = false;
};

struct Kind {
  FileType type;
  std::string_view name;
};
constexpr std::array kKinds{Kind{FileType::kSnapshot, "snapshot"}, Kind{FileType::kIndex, "index"},
                            Kind{FileType::kPack, "pack"}};

void show(const Output& output, const Kind& kind, const ListedFile& file) {
  if (!output.is_json()) {
    return output.say_even_if_quiet(
        fmt::format("{:<8} {} {:>11}", kind.name, file.name, format_bytes(file.size_bytes)));
  }
  JsonWriter json;
  json.begin_object().key("message_type").text("kept_file").key("type").text(kind.name);
  json.key("id").text(file.name).key("size").number(file.size_bytes).end_object();
  output.json(json.json());
}

Result<ExitCode> run(const QuarantineCommandOptions& options, Session& session) {
  // So that nobody repairs meanwhile, and only those who may change the repository empty it.
  RETURN_IF_ERROR(session.open(options.remove ? Locking::kExclusiveToWrite : Locking::kShared));
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> kept,
                   session.quarantine(options.quarantine.where));
  const Output& output = session.output();
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  for (const Kind& kind : kKinds) {
    ASSIGN_OR_RETURN(const std::vector<ListedFile> listed,
                     kept->list(kind.type, session.patience()));
    for (const ListedFile& file : listed) {
      RETURN_IF_ERROR(session.go_on());
      show(output, kind, file);
      ++files;
      bytes += file.size_bytes;
      if (!options.remove) continue;
      const Status removed = kept->remove({kind.type, file.name}, session.patience());
      if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
    }
  }
  output.say(fmt::format("{} files, {}{} {}", files, format_bytes(bytes),
                         options.remove ? ", removed from" : " in",
                         quarantine_place(options.quarantine)));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_repair_quarantine(CommandSyntax& app) {
  const auto options = std::make_shared<QuarantineCommandOptions>();
  add_quarantine_option(app, options->quarantine, "repository");
  add_flag(app, "--remove", options->remove, "Remove what is kept, for good");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
