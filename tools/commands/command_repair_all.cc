// restree repair all, repair plan
#include <memory>
#include <string>

#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/repairing.h"

namespace restree {
namespace {

struct RepairAllOptions {
  RepairWish wish;
  bool dry_run = false;
};

void add_look_options(CommandSyntax& app, RepairWish& wish) {
  add_flag(app, "--read-data", wish.read_data,
           "Also look into every pack: only this finds all that is damaged");
  add_repair_source(app, wish.source);
}

}  // namespace

Run declare_repair_plan(CommandSyntax& app) {
  const auto wish = std::make_shared<RepairWish>();
  add_look_options(app, *wish);
  return [wish, program = app.program_name()](Session& session) {
    return plan_repairs(*wish, program, session);
  };
}

Run declare_repair_all(CommandSyntax& app) {
  const auto options = std::make_shared<RepairAllOptions>();
  options->wish.quarantine.where = Session::kInRepository;
  add_look_options(app, options->wish);
  add_quarantine_option(app, options->wish.quarantine, "repository");
  add_flag(app, "-n,--dry-run", options->dry_run, "Only print the plan, as repair plan does");
  return [options, program = app.program_name()](Session& session) {
    return options->dry_run ? plan_repairs(options->wish, program, session)
                            : repair_all(options->wish, program, session);
  };
}

}  // namespace restree
