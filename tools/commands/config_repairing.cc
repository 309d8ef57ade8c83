#include "tools/commands/config_repairing.h"

#include <fmt/core.h>

#include <memory>
#include <string>

#include "program/access.h"
#include "program/rescue_key.h"
#include "repo/rescue/rebuilt_config.h"
#include "repo/rescue/rescued_storage.h"

namespace restree {

Result<ExitCode> repair_config_of(Session& session) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Storage> storage, session.storage());
  // Its key file may be all that opens the repository.
  const auto rescued = std::make_shared<RescuedStorage>(storage);
  RETURN_IF_ERROR(add_rescue_key(session.options().access, *rescued));
  RebuiltConfig rebuilt{};
  const auto repair_with = [&](const Secret& password) -> Status {
    const std::string hint = find_key_hint(session.options().access);
    ASSIGN_OR_RETURN(rebuilt, rebuild_config(*rescued, password, hint, session.patience()));
    if (!rebuilt.is_lost) return {};
    RETURN_IF_ERROR(storage->write({FileType::kConfig, ""}, rebuilt.file, session.patience()));
    session.see_changed(rescued, password, hint);
    return {};
  };
  RETURN_IF_ERROR(session.with_password(repair_with));
  const Output& output = session.output();
  if (!rebuilt.is_lost) {
    output.say("the config is whole: nothing was changed");
    return ExitCode::kSuccess;
  }
  output.say(fmt::format("put a new config there: id {}, version {}", rebuilt.config.id.short_hex(),
                         rebuilt.config.version));
  output.say(
      "files that change from now on are cut into other chunks than before, and stored once more");
  return ExitCode::kSuccess;
}

}  // namespace restree
