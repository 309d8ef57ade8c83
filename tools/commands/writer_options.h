// How a command writes to the repository of its session, by the options of all commands.
#pragma once

#include <vector>

#include "repo/format/id.h"
#include "repo/writer/repository_writer.h"
#include "tools/session/session.h"

namespace restree {

// `lost_packs`: as look_at_leftovers() gives them.
RepositoryWriter::Options writer_options(const Session& session, std::vector<PackId> lost_packs);

}  // namespace restree
