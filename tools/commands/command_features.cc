// restree features
#include "tools/cli/features.h"
#include "tools/commands/commands.h"
#include "tools/output/table.h"

namespace restree {

Run declare_features(CommandSyntax&) {
  return [](Session& session) -> Result<ExitCode> {
    Table table({"Name", "Type", "Default", "Description"});
    for (const Feature& feature : all_features()) {
      table.add_row({std::string(feature.name), std::string(feature.type),
                     feature.is_on_by_default ? "true" : "false",
                     std::string(feature.description)});
    }
    session.io().out_line("All Feature Flags:");
    session.io().out(table.text());
    return ExitCode::kSuccess;
  };
}

}  // namespace restree
