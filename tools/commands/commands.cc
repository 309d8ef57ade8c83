#include "tools/commands/commands.h"

namespace restree {

const std::vector<Command>& all_commands() {
  static const std::vector<Command> commands = {
      {"audit", "Say what has changed in the repository that nobody here has done", declare_audit},
      {"backup", "Save files and folders as a new snapshot", declare_backup},
      {"cache", "List or remove the caches on this machine", declare_cache},
      {"cat", "Print an object of the repository", declare_cat},
      {"check", "Look for damage in the repository", declare_check},
      {"copy", "Copy snapshots from another repository", declare_copy},
      {"diff", "Compare two snapshots", declare_diff},
      {"dump", "Write a file, or a folder as an archive, to the output", declare_dump},
      {"features", "List the feature flags", declare_features},
      {"find", "Find files, folders, blobs, trees or packs", declare_find},
      {"forget", "Remove snapshots", declare_forget},
      {"generate", "Write completions for a shell, or the manual pages", declare_generate},
      {"init", "Make a new repository", declare_init},
      {"key", "List, add, change or remove the passwords of the repository", nullptr, key_commands},
      {"list", "List the files or blobs of the repository", declare_list},
      {"ls", "List the files of a snapshot", declare_ls},
      {"migrate", "Bring the repository to another version of the format", declare_migrate},
      {"mount", "Show the repository as a file system", declare_mount},
      {"options", "List the extended options", declare_options},
      {"problems", "Say what mounts of this machine have found damaged", declare_problems},
      {"prune", "Remove what no snapshot needs", declare_prune},
      {"rebuild-index", "Make the index agree with the packs", declare_repair_index, nullptr,
       "Use \"repair index\" instead"},
      {"recover", "Make a snapshot of trees that no snapshot holds any more", declare_recover},
      {"repair", "Repair a damaged repository", declare_repair, repair_commands},
      {"rescue-key", "Keep what opens the repository, or put it back", nullptr,
       rescue_key_commands},
      {"restore", "Restore a snapshot, or part of one, to a folder", declare_restore},
      {"rewrite", "Leave files out of snapshots, or change their host or time", declare_rewrite},
      {"salvage", "Restore what can be had of damaged snapshots, with a list of what cannot",
       declare_salvage},
      {"snapshots", "List the snapshots", declare_snapshots},
      {"stats", "Count what snapshots hold", declare_stats},
      {"tag", "Change the tags of snapshots", declare_tag},
      {"unlock", "Remove locks that nobody holds any more", declare_unlock},
      {"version", "Print the program's version", declare_version},
      {"warm", "Bring a snapshot of an app into the cache", declare_warm},
  };
  return commands;
}

const std::vector<RefusedCommand>& refused_commands() {
  static const std::vector<RefusedCommand> commands = {
      {"self-update",
       "The program does not update itself. As a package it is updated by \"apt-get install "
       "--only-upgrade restree\"; one that was built is built again from newer sources."},
  };
  return commands;
}

}  // namespace restree
