#include "tools/commands/index_option.h"

#include "tools/cli/option_words.h"

namespace restree {
namespace {

const std::string kPacks = "packs";

}  // namespace

void add_index_option(CommandSyntax& app, IndexOption& option) {
  add_choice(app, "--index", option.source, "source of the index", {"files", kPacks},
             "Where the index comes from; packs: the headers of all packs, and no index file");
}

void use_index(const IndexOption& option, Session& session) {
  session.use_headers(option.source == kPacks);
}

}  // namespace restree
