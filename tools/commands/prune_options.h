// The options of `prune`, which other commands that prune take as well.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/result.h"
#include "repo/pruner/prune_plan.h"
#include "tools/cli/command_syntax.h"

namespace restree {

struct PruneCommandOptions {
  std::string max_unused = "5%";
  std::string max_repack_size = {};
  std::string repack_smaller_than = {};
  bool repack_cacheable_only = false;
  bool repack_uncompressed = false;
  std::string keep_free = "64M";
  // What only `prune` itself takes.
  bool dry_run = false;
  bool exclusive = false;
  std::string recover_id = {};
  // With --json, whose output is one object or array for each command.
  bool prints_json = true;

  // Values without effect.
  bool repack_small = false;
};

// Declares the options that every command which prunes takes. `options` must outlive the parsing.
void add_prune_options(CommandSyntax& app, PruneCommandOptions& options);

// The rules that the options ask for; the version of the repository is left at its default.
// `compression` is that of --compression. kInvalid: a bad value, in restic's words.
Result<PruneRules> prune_rules(const PruneCommandOptions& options, const std::string& compression);

// The bytes of --keep-free. kInvalid: a bad value.
Result<std::uint64_t> keep_free_bytes(const PruneCommandOptions& options);

}  // namespace restree
