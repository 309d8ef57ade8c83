// Which parts of a file's content are already right in the file that exists in the target.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/unique_fd.h"
#include "repo/format/tree.h"
#include "repo/repository.h"
#include "repo/restorer/entry_identity.h"

namespace restree {

struct ExistingFile {
  // Open for reading, from before the first look at it. Whoever keeps this object closes it.
  UniqueFd fd;
  EntryIdentity identity;
  bool size_matches = false;
  // It has other names, so that writing into it would change them as well.
  bool is_linked = false;
  std::vector<bool> matches;  // by blob of the content

  bool complete() const;
  bool any() const;
};

// Compares a file with a node, blob by blob. nullopt: there is no regular file that can be read.
// `trust_mtime`: one whose size and mtime match counts as complete, unread. An interrupted look
// reports that nothing matches. Threads: any.
std::optional<ExistingFile> look_at_existing(const UniqueFd& folder, const std::string& name,
                                             const Node& node, const Repository& repository,
                                             bool trust_mtime, const std::stop_token& stop);

}  // namespace restree
